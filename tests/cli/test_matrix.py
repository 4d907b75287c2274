from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fotabuild.delta.decoder import apply_patch

from .conftest import Cli

PLAIN = ("matrix", "--old", "old.bin", "--new", "app.bin", "-o", "out", "-j", "1")


@pytest.fixture
def cached(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.setenv("FOTABUILD_CACHE_DIR", str(tmp_path / "cache"))
    return cli


def test_every_old_with_every_new(cli: Cli) -> None:
    (cli.folder / "images").mkdir()
    for name in ("one", "two"):
        (cli.folder / "images" / f"{name}.bin").write_bytes((cli.folder / "old.bin").read_bytes())
    done = cli.good("matrix", "--old", "images", "old.bin", "--new", "app.bin", "-o", "out")
    assert [Path(line).name for line in done.stdout.splitlines()] == [
        f"{old}-to-app{suffix}" for old in ("one", "two", "old") for suffix in (".patch", ".yaml")
    ]
    for patch in (cli.folder / "out").glob("*.patch"):
        assert (
            apply_patch((cli.folder / "old.bin").read_bytes(), patch.read_bytes())
            == (cli.folder / "app.bin").read_bytes()
        )
    assert "3 deltas in" in done.stderr
    assert "1 computed: 1 made, 2 reused" in done.stderr


def test_second_run_computes_nothing(cached: Cli) -> None:
    assert [cached.json(*PLAIN)["computed"] for _ in range(2)] == [1, 0]
    # A build finds it, too.
    build = ("build", "app.bin", "-v", "1.1.0", "-o", "update", "-j", "2")
    cached.good(*build)
    entries = [path for path in (cached.folder.parent / "cache").rglob("*") if path.is_file()]
    assert len(entries) == 2  # The patch, and the index of the old image.
    same = [cached.folder / name for name in ("out/old-to-app", "update/app-1.0.0-to-1.1.0")]
    one, two = (path.with_name(f"{path.name}.patch").read_bytes() for path in same)
    assert one == two


LIMITED = 'ulimit -v 1500000; exec "$@"'


def test_a_warm_cache_needs_little_memory(cached: Cli) -> None:
    """Less than the cache may have: an entry is read as large as it is."""
    arguments = [sys.executable, "-m", "fotabuild", "--json", *PLAIN]
    for computed in (1, 0):
        done = subprocess.run(
            ["/bin/sh", "-c", LIMITED, "sh", *arguments],
            cwd=cached.folder,
            env=os.environ,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["computed"] == computed


def test_of_a_project_as_a_build_names_them(cached: Cli) -> None:
    arguments = ("--new", "app.bin", "-v", "1.1.0", "-o", "out")
    done = cached.good("matrix", *arguments)
    assert [Path(line).name for line in done.stdout.splitlines()] == [
        "app-1.0.0-to-1.1.0.patch",
        "app-1.0.0-to-1.1.0.yaml",
    ]
    stored = cached.good("matrix", *arguments, "--config", "stored.yaml")
    assert stored.stdout == done.stdout
    assert "0 computed: 1 reused" in stored.stderr


def test_pairs_of_a_csv(cli: Cli) -> None:
    (cli.folder / "p.csv").write_text("old,new,name\nold.bin,app.bin,x\nold.bin,table.bin,y\n")
    found = cli.json("matrix", "--pairs", "p.csv", "-o", "out", "-t", "1000")["deltas"]
    assert [Path(delta["output"]).name for delta in found] == ["x.patch", "y.patch"]


def test_block_size_and_memory_of_the_device(cli: Cli) -> None:
    """1024 bytes of memory are enough for two blocks of 512, not of 1024."""
    done = cli(*PLAIN, "-b", "1024")
    assert (done.status, done.stdout) == (3, "")
    assert "patch-memory" in done.stderr
    assert "1 of 1 delta failed; see above [" in done.stderr
    assert cli.good(*PLAIN, "-b", "1024", "--set", "device.limits.patch-memory=2048").stdout


def test_without_a_configuration(cli: Cli) -> None:
    (cli.folder / "fotabuild.yaml").unlink()
    assert cli.good(*PLAIN, "-b", "1024").stdout


def test_not_worth_it(cli: Cli) -> None:
    values = cli.json(*PLAIN, "-t", "1")
    assert (values["full-image"], values["deltas"][0]["code"]) == (1, "FB0502")
    assert not (cli.folder / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--old", "old.bin", "-o", "out"),
        ("--new", "app.bin", "-o", "out"),
        ("--pairs", "releases.csv", "--new", "app.bin", "-o", "out"),
        ("--new", "app.bin", "old.bin", "-v", "1.1.0", "-o", "out"),
        ("--old", "old.bin", "--pairs", "x.csv", "-o", "out"),
        ("--old", "old.bin", "./old.bin", "--new", "app.bin", "-o", "out"),
        ("--old", "old.bin", "--new", "app.bin", "-o", "out", "--jobs", "-1"),
        ("--old", "old.bin", "--new", "app.bin", "-o", "out", "--memory", "-1"),
        ("--old", "old.bin", "--new", "app.bin", "-o", "out", "--patience", "0"),
    ],
)
def test_wrong_usage(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli("matrix", *arguments)
    assert (done.status, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_manifests_of_a_delta_that_is_left_out_are_removed(cli: Cli) -> None:
    cli.good("build", "app.bin", "-v", "1.1.0", "-o", "out")
    before = {path.name for path in (cli.folder / "out").iterdir()}
    done = cli.good("matrix", "--new", "app.bin", "-v", "1.1.0", "-o", "out", "-t", "1")
    gone = {f"app-1.0.0-to-1.1.0.{suffix}" for suffix in ("patch", "yaml", "manifest")}
    assert gone < before
    assert {path.name for path in (cli.folder / "out").iterdir()} == before - gone
    assert "note: removed app-1.0.0-to-1.1.0.manifest" in done.stderr


def test_an_old_image_without_a_decoder_gets_the_full_image(cli: Cli) -> None:
    (cli.folder / "bare.bin").write_bytes(b"no decoder" * 100)
    values = cli.json("matrix", "--old", "bare.bin", "old.bin", "--new", "app.bin", "-o", "out")
    assert [(row["outcome"], row["code"]) for row in values["deltas"]] == [
        ("full-image", "FB0501"),
        ("made", None),
    ]
    assert "carries no patch decoder" in values["deltas"][0]["detail"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--new", "nope.bin", "-o", "out"), "nope.bin: cannot read the image"),
        (("--new", "app.bin", "app.elf", "-o", "out"), "app.elf: this is an ELF file"),
        (("--new", "linked", "-o", "out"), "linked/app.elf: this is an ELF file"),
        (("--new", "app.bin", "-o", "app.elf"), "a file stands where the folder should be"),
    ],
)
def test_what_fails_for_all_is_said_once(cli: Cli, arguments: tuple[str, ...], error: str) -> None:
    (cli.folder / "linked").mkdir()
    for name in ("app.elf", "app.bin"):
        (cli.folder / "linked" / name).write_bytes((cli.folder / name).read_bytes())
    done = cli("matrix", "--old", "old.bin", "table.bin", *arguments)
    assert (done.status, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert error in line


def test_others_are_named_where_there_are_some(cli: Cli) -> None:
    done = cli("matrix", "--old", "old.bin", "gone.bin", "--new", "app.bin", "-o", "out")
    assert done.status == 1
    assert "1 of 2 deltas failed; see above; the others are complete [" in done.stderr


@pytest.mark.parametrize("name", ["../x", "a/b", ".."])
def test_names_stay_in_the_folder(cli: Cli, name: str) -> None:
    (cli.folder / "p.csv").write_text(f"old,new,name\nold.bin,app.bin,{name}\n")
    done = cli("matrix", "--pairs", "p.csv", "-o", "out")
    assert (done.status, "[FB1005]" in done.stderr) == (1, True)


def test_json_says_all(cli: Cli) -> None:
    [delta] = cli.json(*PLAIN)["deltas"]
    assert set(delta) == {
        "old", "new", "output", "outcome", "detail", "computed", "seconds", "code",
    }  # fmt: skip
    json.dumps(delta)


def test_results_and_errors_keep_their_order_in_one_pipe(cli: Cli) -> None:
    """Such as the log of a CI job, where Python would print stdout at the end."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fotabuild", "matrix", "--new", "app.bin", "-o", "out"),
            *("--old", "old.bin", "gone.bin"),
        ],
        cwd=cli.folder,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    lines = done.stdout.splitlines()
    assert [Path(line).name for line in lines[-3:-1]] == ["old-to-app.patch", "old-to-app.yaml"]
    assert lines[-1].startswith("error: 1 of 2 deltas failed")


def test_an_elf_file_is_told_how_to_become_an_image(cli: Cli) -> None:
    matrix = ("matrix", "--old", "old.bin", "-o", "out", "--new")
    done = cli(*matrix, "app.elf")
    assert done.stderr.count("\n") == 1
    assert "make the image with 'fotabuild image app.elf -o app.bin', and give that" in done.stderr
    assert done.stderr.endswith("[FB0500]\n")
    (cli.folder / "app.bin").unlink()
    cli.good("image", "app.elf", "-o", "app.bin")
    assert cli.good(*matrix, "app.bin").stdout.startswith("out/old-to-app.patch\n")


def test_a_dry_run_announces_every_delta(cached: Cli) -> None:
    arguments = ("matrix", "--new", "app.bin", "-v", "1.1.0", "-o", "out")
    before = cached.tree()
    dry = cached.good(*arguments, "--dry-run")
    assert dry.stderr.startswith("would make app-1.0.0-to-1.1.0.patch\n")
    assert re.search(r"^1 delta in \d+\.\d s, 0 computed: 1 planned$", dry.stderr, re.MULTILINE)
    [delta] = cached.json(*arguments, "--dry-run")["deltas"]
    assert (delta["outcome"], delta["computed"]) == ("planned", False)
    assert cached.tree() == before
    assert not (cached.folder.parent / "cache").exists()
    assert cached.good(*arguments).stdout == dry.stdout


def test_a_dry_run_finds_images_that_are_missing(cli: Cli) -> None:
    arguments = ("matrix", "--old", "old.bin", "gone.bin", "--new", "app.bin", "-o", "out")
    dry = cli(*arguments, "--dry-run")
    assert not (cli.folder / "out").exists()
    real = cli(*arguments)
    assert (dry.status, dry.stdout) == (real.status, real.stdout) == (1, dry.stdout)
    for done in (dry, real):
        assert "failed     gone-to-app.patch: gone.bin: cannot read the image: No" in done.stderr
    assert "1 of 2 deltas failed; see above [FB1010]" in dry.stderr


def test_a_dry_run_asks_no_cluster(cli: Cli) -> None:
    assert cli.good(*PLAIN, "--scheduler", "tcp://127.0.0.1:1", "--dry-run").stdout


def test_json_has_the_notes_of_the_plan(cli: Cli) -> None:
    project = ("matrix", "--new", "app.bin", "-o", "out", "-v")
    values = cli.json(*project, "1.0.0")
    assert (values["deltas"], values["dry-run"]) == ([], False)
    assert values["notes"] == ["no delta from 1.0.0: it is not older than 1.0.0"]
    assert cli.json(*project, "1.1.0")["notes"] == []
    [note] = cli.json(*project, "1.1.0", "-t", "1")["notes"]
    assert note.startswith("no delta app-1.0.0-to-1.1.0.patch, the full image is sent: the patch ")
