from __future__ import annotations

import json
from pathlib import Path

import pytest

from fotabuild.digest import sha256
from fotabuild.formats.patch_stream import MAGIC

from .conftest import Cli

STORE = ("--store", "store")


def test_add_of_an_image_without_a_patch_decoder(cli: Cli) -> None:
    """It never stops a build, and everybody sees why it gets no delta."""
    done = cli.good("release", "add", "table.bin", "-v", "0.9.0", *STORE)
    assert "warning: MAIN 0.9.0: its image has no patch decoder" in done.stderr
    assert "warning" not in cli.good("release", "add", "old.bin", "-v", "1.0.0", *STORE).stderr
    (cli.folder / "r.csv").write_text("version,image\n0.8.0,table.bin\n1.0.0,old.bin\n")
    done = cli.good("release", "import", "r.csv", *STORE)
    assert done.stderr.count("warning: ") == done.stderr.count("MAIN 0.8.0: its image") == 1
    lines = cli.good("release", "list", *STORE).stdout.splitlines()
    assert [line.endswith("  no patch decoder") for line in lines] == [True, True, False]
    assert "patch-decoder: none" in cli.good("release", "show", "0.9.0", *STORE).stdout
    assert "patch-decoder" not in cli.good("release", "show", "1.0.0", *STORE).stdout
    build = ("build", "app.bin", "-v", "1.1.0", "--config", "stored.yaml", "-o", "out")
    cli.good(*build)
    assert [path.name for path in (cli.folder / "out").glob("*.patch")] == [
        "app-1.0.0-to-1.1.0.patch"
    ]


def test_a_new_store_is_told(cli: Cli) -> None:
    add = ("release", "add", "app.bin", "-v", "1.1.0", "--store")
    told = "a new store was started at"
    assert f"{told} {cli.folder / 'sotre'}\n" in cli.good(*add, "sotre").stderr
    assert told not in cli.good(*add, "sotre").stderr
    assert told not in cli.good(*add, "store").stderr
    load = ("release", "import", "releases.csv", "--store")
    assert told in cli.good(*load, "other").stderr
    assert told not in cli.good(*load, "other").stderr
    assert told not in cli.good(*load, "store").stderr


def test_add_prints_the_digest(cli: Cli) -> None:
    done = cli.good("release", "add", "app.bin", "-v", "1.1.0", *STORE)
    assert done.stdout.strip() == sha256((cli.folder / "app.bin").read_bytes()).hex()
    assert "MAIN 1.1.0: added" in done.stderr


def test_add_with_everything(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    added = cli.json(
        *("release", "add", "app.bin", "-v", "1.1.0", *STORE, "--manifest", "a.manifest"),
        *("--elf", "app.elf", "--origin", "commit=1a2b", "--origin", "ci=x=y"),
    )
    assert added["added"] is True
    release = added["release"]
    assert release["date"] == "2023-11-14T22:13:20Z"
    assert release["origin"] == {"commit": "1a2b", "ci": "x=y"}
    assert release["elf"] == sha256((cli.folder / "app.elf").read_bytes()).hex()


def test_add_to_the_store_of_the_project(cli: Cli) -> None:
    cli.good("release", "add", "app.bin", "-v", "1.1.0", "--config", "stored.yaml")
    assert "1.1.0" in (cli.folder / "store" / "index.json").read_text()


def test_add_takes_the_component_of_the_project(cli: Cli) -> None:
    """Also with --store: a build of the project would not see the release otherwise."""
    config = cli.folder / "fotabuild.yaml"
    config.write_text(config.read_text() + "component: APP\n")
    added = cli.json("release", "add", "app.bin", "-v", "1.1.0", *STORE)
    assert added["release"]["component"] == "APP"
    other = ("--component", "BOOT")
    added = cli.json("release", "add", "app.bin", "-v", "1.1.0", *STORE, *other)
    assert added["release"]["component"] == "BOOT"


def test_add_without_a_project(cli: Cli) -> None:
    (cli.folder / "fotabuild.yaml").unlink()
    added = cli.json("release", "add", "app.bin", "-v", "1.1.0", *STORE)
    assert added["release"]["component"] == "MAIN"


def test_add_refuses_a_private_key(cli: Cli) -> None:
    for arguments in (("keys/update.key.pem",), ("app.bin", "--elf", "keys/update.key.pem")):
        done = cli("release", "add", *arguments, "-v", "1.1.0", *STORE)
        assert (done.status, "private key" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("app.bin", "-v", "1.0.0", *STORE), 1, "FB1002"),
        (("app.bin", "-v", "1.1.0", *STORE, "--manifest", "empty.bin"), 1, "FB1000"),
        (("app.bin", "-v", "1.1.0", *STORE, "--elf", "empty.bin"), 1, "FB1000"),
        (("app.bin", "-v", "1.1", *STORE), 1, "FB1000"),
        (("app.bin", "-v", "1.1.0", *STORE, "--date", "soon"), 1, "FB1000"),
        (("app.bin", "-v", "1.1.0", *STORE, "--origin", "x"), 2, "FB0100"),
        (("app.elf", "-v", "1.1.0", *STORE), 2, "FB0100"),
        (("none.bin", "-v", "1.1.0", *STORE), 1, "FB0300"),
        (("app.bin", "-v", "1.1.0"), 1, "FB0200"),
        (("app.bin", "-v", "1.1.0", "--store", "app.bin"), 1, "FB1004"),
    ],
)
def test_add_refuses(cli: Cli, arguments: tuple[str, ...], status: int, code: str) -> None:
    (cli.folder / "empty.bin").touch()
    before = cli.tree()
    done = cli("release", "add", *arguments)
    assert (done.status, done.stdout) == (status, "")
    assert f"[{code}]" in done.stderr
    after = {name: state for name, state in cli.tree().items() if not name.endswith(".lock")}
    changed = {name for name in after if after[name] != before.get(name)}
    # The image of a refused release may stay, until fsck finds that nobody names it.
    assert all(name.startswith("store/blobs/") for name in changed)


def test_another_image_may_be_that_of_another_product(cli: Cli) -> None:
    done = cli("release", "add", "app.bin", "-v", "1.0.0", *STORE)
    assert "another image" in done.stderr
    assert "or is this another product's store?" in done.stderr


def test_import_of_what_is_there_in_part(cli: Cli) -> None:
    (cli.folder / "r.csv").write_text("version,image\n1.0.0,old.bin\n1.0.5,app.bin\n")
    done = cli.good("release", "import", "r.csv", *STORE)
    assert (done.stdout, "1 of 2 releases added" in done.stderr) == ("MAIN 1.0.5\n", True)


def test_import_takes_the_component_of_the_project(cli: Cli) -> None:
    config = cli.folder / "fotabuild.yaml"
    config.write_text(config.read_text() + "component: APP\n")
    (cli.folder / "r.csv").write_text("version,image,component\n1.0.5,old.bin,\n1.0.6,old.bin,B\n")
    assert cli.json("release", "import", "r.csv", *STORE)["added"] == ["APP 1.0.5", "B 1.0.6"]


def test_import_adds_once(cli: Cli) -> None:
    first = cli.json("release", "import", "releases.csv", *STORE)
    assert first["added"] == ["MAIN 1.0.1", "MAIN 1.0.2"]
    assert cli.json("release", "import", "releases.csv", *STORE)["added"] == []


def test_import_retires(cli: Cli) -> None:
    (cli.folder / "r.csv").write_text("version,image,retired\n1.0.5,old.bin,2026-02-02\n")
    cli.good("release", "import", "r.csv", *STORE)
    found = cli.json("release", "list", "--all", *STORE)["releases"]
    assert [(r["version"], r["retired"]) for r in found] == [
        ("1.0.0", None),
        ("1.0.5", "2026-02-02T00:00:00Z"),
    ]


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("version,image,date\n1.0.5,old.bin,\n1.0.6,old.bin,x\n", "FB1005"),
        ("version,image,retired\n1.0.5,old.bin,\n1.0.6,old.bin,yes\n", "FB1005"),
        ("version,image\n1.0.5,old.bin\n1.0.0,app.bin\n", "FB1002"),
        ("version,image\n1.0.5,old.bin\n1.0.6,gone.bin\n", "FB0300"),
        ("version,image\n1.0.5,old.bin\n1.0.6,empty.bin\n", "FB1000"),
        ("version,image,elf\n1.0.5,old.bin,\n1.0.6,old.bin,empty.bin\n", "FB1000"),
        ("version,image\n1.0.5,old.bin\n1.0.6,app.elf\n", "FB0100"),
        ("version,image\n1.0.5,old.bin\n1.0.6,keys/update.key.pem\n", "FB0100"),
        ("version,image,elf\n1.0.5,old.bin,\n1.0.6,old.bin,keys/update.key.pem\n", "FB0100"),
        ("version,image\n1.0.5,old.bin\n1.0.6,../project/app.bin/../../../etc/passwd\n", "FB1005"),
        ("version,image\n1.0.5,old.bin\n1.0.6,/etc/passwd\n", "FB1005"),
        ("version,image\n1.0.5,old.bin\n1.0.6,outside.bin\n", "FB1005"),
    ],
)
def test_import_is_all_or_nothing(cli: Cli, table: str, code: str) -> None:
    (cli.folder / "empty.bin").touch()
    (cli.folder / "outside.bin").symlink_to("/etc/passwd")
    (cli.folder / "r.csv").write_text(table)
    before = cli.tree()
    done = cli("release", "import", "r.csv", *STORE)
    assert (done.status != 0, f"[{code}]" in done.stderr) == (True, True), done.stderr
    changed = {name for name, state in cli.tree().items() if before.get(name) != state}
    assert changed <= {"store/.lock"}


def test_list_is_sorted(cli: Cli) -> None:
    for version in ("1.10.0", "1.9.0"):
        cli.good("release", "add", "app.bin", "-v", version, *STORE)
    lines = cli.good("release", "list", *STORE).stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["1.0.0", "1.9.0", "1.10.0"]


def test_list_prints_what_can_be_read(cli: Cli) -> None:
    cli.good("release", "add", "app.bin", "-v", "1.1.0", *STORE)
    (cli.folder / "store" / "index.json").unlink()
    (cli.folder / "store" / "records" / "MAIN" / "1.0.0.json").write_bytes(b"?")
    done = cli("release", "list", *STORE)
    assert (done.status, len(done.stdout.splitlines()), "[FB1001]" in done.stderr) == (3, 1, True)
    assert "store/records/MAIN/1.0.0.json" in done.stderr
    assert cli("release", "verify", *STORE).status == 3
    cli.good("release", "add", "old.bin", "-v", "1.0.0", *STORE)
    cli.good("release", "verify", *STORE)


@pytest.mark.parametrize("verb", ["list", "verify", "fsck"])
def test_list_of_a_place_without_a_store(look: Cli, verb: str) -> None:
    done = look("release", verb, "--store", "nowhere")
    assert (done.status, "no release store here" in done.stderr) == (1, True)
    assert not (look.folder / "nowhere").exists()


def test_list_needs_no_project(cli: Cli) -> None:
    (cli.folder / "fotabuild.yaml").write_text("{")
    for verb in ("list", "verify", "fsck"):
        cli.good("release", verb, *STORE)


def test_list_of_a_component(cli: Cli) -> None:
    cli.good("release", "add", "app.bin", "-v", "2.0.0", *STORE, "--component", "BOOT")
    found = cli.json("release", "list", *STORE, "--component", "BOOT")["releases"]
    assert [release["version"] for release in found] == ["2.0.0"]
    assert len(cli.json("release", "list", *STORE)["releases"]) == 2


def test_show_where_the_image_is(look: Cli) -> None:
    release = look.json("release", "show", "1.0.0", *STORE)["release"]
    assert Path(release["image"]).read_bytes() == (look.folder / "old.bin").read_bytes()


def test_show_of_an_unknown_release(look: Cli) -> None:
    done = look("release", "show", "9.0.0", *STORE)
    assert (done.status, "[FB1003]" in done.stderr) == (1, True)


def test_verify_finds_damage(cli: Cli) -> None:
    assert cli.good("release", "verify", *STORE).stdout == "ok  MAIN 1.0.0\n"
    image = Path(cli.json("release", "show", "1.0.0", *STORE)["release"]["image"])
    image.write_bytes(image.read_bytes()[:-1] + b"?")
    done = cli("release", "verify", *STORE)
    assert (done.status, done.stdout) == (3, "BAD MAIN 1.0.0\n")
    assert "[FB1001]" in done.stderr


def test_verify_one(look: Cli) -> None:
    assert look.json("release", "verify", "1.0.0", *STORE)["sound"] is True
    assert look("release", "verify", "1.0.1", *STORE).status == 1


def test_retire_and_back(cli: Cli) -> None:
    cli.good("release", "retire", "1.0.0", *STORE, "--date", "2026-02-02")
    assert cli.json("release", "list", *STORE)["releases"] == []
    cli.good("release", "retire", "1.0.0", "--undo", *STORE)
    assert len(cli.json("release", "list", *STORE)["releases"]) == 1


def test_retire_takes_its_delta_away(cli: Cli) -> None:
    plan = ("plan", "app.bin", "-v", "1.1.0", "--config", "stored.yaml")
    assert "app-1.0.0-to-1.1.0.patch" in cli.good(*plan).stdout
    cli.good("release", "retire", "1.0.0", *STORE)
    assert "patch" not in cli.good(*plan).stdout


def test_fsck_heals(cli: Cli) -> None:
    index = cli.folder / "store" / "index.json"
    whole = index.read_bytes()
    index.write_bytes(whole[:-9])
    done = cli("release", "fsck", "--report-only", *STORE)
    assert (done.status, done.stdout.split()[0]) == (3, "BAD")
    assert cli.good("release", "fsck", *STORE).stdout.startswith("healed   outdated-index")
    assert index.read_bytes() == whole


def test_fsck_says_what_helps(cli: Cli) -> None:
    """Running it without --report-only helps some problems, and others not."""
    folder = cli.folder / "store"
    record = folder / "records" / "MAIN" / "1.0.0.json"
    blob = next(path for path in (folder / "blobs").rglob("*") if path.is_file())
    fsck = ("release", "fsck", "--report-only", *STORE)
    without, again = "without --report-only", "add damaged releases again"
    whole = blob.read_bytes()
    blob.write_bytes(b"?")
    done = cli(*fsck)
    assert (done.status, without in done.stderr, again in done.stderr) == (3, False, True)
    record.write_bytes(b"?")
    done = cli(*fsck)
    assert (without in done.stderr, again in done.stderr) == (True, True)
    blob.write_bytes(whole)
    done = cli(*fsck)
    assert (without in done.stderr, again in done.stderr) == (True, False)
    (folder / "index.json").write_bytes(b"?")
    assert again in cli(*fsck).stderr


def test_import_says_that_it_heals(cli: Cli) -> None:
    cli.good("release", "import", "releases.csv", *STORE)
    blobs = [path for path in (cli.folder / "store" / "blobs").rglob("*") if path.is_file()]
    for blob in blobs:
        blob.write_bytes(b"?")
    done = cli.good("release", "import", "releases.csv", *STORE)
    assert "0 of 2 releases added; the others were there already, their files are" in done.stderr
    cli.good("release", "verify", *STORE)


def test_fsck_cannot_heal_an_image(cli: Cli) -> None:
    blob = next(path for path in (cli.folder / "store" / "blobs").rglob("*") if path.is_file())
    blob.unlink()
    done = cli("release", "fsck", *STORE)
    assert done.status == 3
    assert "missing-blob" in done.stdout
    cli.good("release", "add", "old.bin", "-v", "1.0.0", *STORE)
    assert cli.good("release", "fsck", *STORE).stdout == ""


def test_pull_of_a_folder_does_nothing(look: Cli) -> None:
    assert look.json("release", "pull", "--config", "stored.yaml")["fetched"] == 0


def test_pull_takes_what_the_project_needs(cli: Cli) -> None:
    """Of its component, not what it gets no delta from, and ELF files with their images."""
    folder = cli.folder
    text = (folder / "stored.yaml").read_text()
    place = f"file://{folder}/store"
    deltas = f"  store: {place}\n  mirror: mirror\n  deltas:\n    last: 1\n"
    (folder / "pulled.yaml").write_text(text.replace("  store: store\n", deltas))
    cli.good("release", "add", "app.bin", "-v", "1.1.0", "--elf", "app.elf", *STORE)
    (folder / "boot.bin").write_bytes(b"boot" + MAGIC)
    cli.good("release", "add", "boot.bin", "-v", "1.2.0", *STORE, "--component", "BOOT")
    pull = ("release", "pull", "--config", "pulled.yaml")
    assert cli.json(*pull, "-v", "1.1.1")["fetched"] == 2
    linked = [path for path in (folder / "mirror").rglob("*") if path.is_file()]
    assert (folder / "app.elf").read_bytes() in [path.read_bytes() for path in linked]
    assert (folder / "old.bin").read_bytes() not in [path.read_bytes() for path in linked]
    assert cli.json(*pull, "-v", "1.1.0")["fetched"] == 1
    assert cli.json(*pull)["fetched"] == 0
    assert cli.json(*pull, "--component", "BOOT")["fetched"] == 1
    plan = cli.good("plan", "app.bin", "-v", "1.1.1", "--config", "pulled.yaml").stdout
    assert "app-1.1.0-to-1.1.1.patch" in plan


def test_pull_without_a_store(look: Cli) -> None:
    done = look("release", "pull")
    assert (done.status, "[FB0200]" in done.stderr) == (1, True)


def test_a_damaged_image_makes_no_delta(cli: Cli) -> None:
    """The patch would start from something that no device has."""
    image = Path(cli.json("release", "show", "1.0.0", *STORE)["release"]["image"])
    image.write_bytes(image.read_bytes()[:-1] + b"?")
    done = cli("build", "app.bin", "-v", "1.1.0", "--config", "stored.yaml", "-o", "out")
    assert (done.status, "[FB1001]" in done.stderr) == (3, True)
    assert not list((cli.folder / "out").glob("*.patch"))


def test_a_store_without_an_index(cli: Cli) -> None:
    (cli.folder / "store" / "index.json").unlink()
    done = cli("plan", "app.bin", "-v", "1.1.0", "--config", "stored.yaml")
    assert (done.status, "[FB0800]" in done.stderr) == (1, True)


def test_the_configuration_shows_the_store(look: Cli) -> None:
    settings = json.loads(look.good("--json", "config", "--config", "stored.yaml").stdout)
    values = {setting["name"]: setting["value"] for setting in settings["settings"]}
    assert values["releases"] == [f"store {look.folder / 'store'}", "deltas all"]


def test_add_as_a_dry_run(cli: Cli) -> None:
    add = ("release", "add", "table.bin", "-v", "2.0.0", "--store", "new", "--date", "2026-01-31")
    dry = cli.good(*add, "--dry-run")
    assert dry.stderr.splitlines()[0] == "would add MAIN 2.0.0"
    assert "warning: MAIN 2.0.0: its image has no patch decoder" in dry.stderr
    foreseen = cli.json(*add, "--dry-run")
    assert not (cli.folder / "new").exists()
    assert {**foreseen, "dry-run": False} == cli.json(*add)
    again = cli.good(*add, "--dry-run")
    assert (again.stdout, again.stderr.splitlines()[0]) == (
        dry.stdout, "MAIN 2.0.0: is there already",
    )  # fmt: skip
    other = (*add[:2], "old.bin", *add[3:])
    before = cli.tree()
    assert cli(*other, "--dry-run") == cli(*other)
    assert "[FB1002]" in cli(*other, "--dry-run").stderr
    assert cli.tree() == before


def test_import_as_a_dry_run(cli: Cli) -> None:
    arguments = ("release", "import", "releases.csv", "--store", "new")
    cli.good("release", "add", "old.bin", "-v", "1.0.1", "--store", "new")
    before = cli.tree()
    dry = cli.good(*arguments, "--dry-run")
    assert dry.stderr.splitlines()[:2] == [
        "MAIN 1.0.1: is there already", "would add MAIN 1.0.2",
    ]  # fmt: skip
    assert cli.tree() == before
    assert cli.good(*arguments).stdout == dry.stdout == "MAIN 1.0.2\n"
    (cli.folder / "releases.csv").write_text("version,image\n1.0.1,table.bin\n")
    assert cli(*arguments, "--dry-run") == cli(*arguments)


def test_retire_as_a_dry_run(cli: Cli) -> None:
    retire = ("release", "retire", "1.0.0", "--store", "store", "--date", "2026-02-01")
    before = cli.tree()
    assert cli.good(*retire, "--dry-run").stderr == "would retire MAIN 1.0.0\n"
    assert (
        cli.good(*retire, "--undo", "--dry-run").stderr == "MAIN 1.0.0: in the field, as before\n"
    )
    foreseen = cli.json(*retire, "--dry-run")
    assert cli.tree() == before
    assert {**foreseen, "dry-run": False} == cli.json(*retire)
    assert cli.json(*retire, "--dry-run")["changed"] is False
    back = cli.good(*retire, "--undo", "--dry-run").stderr
    assert back == "would put MAIN 1.0.0 back in the field\n"
    for wrong in (("--date", "yesterday"), ("--component", "OTHER")):
        assert cli(*retire, *wrong, "--dry-run") == cli(*retire, *wrong)
