"""``fotabuild build``: every artifact of an image."""

from __future__ import annotations

import pytest

from ..formats.golden import OTHER_KEY
from .conftest import Cli
from .sample import NEW

ARTIFACTS = [
    "app-1.1.0.bin",
    "app-1.1.0.manifest",
    "app-1.0.0-to-1.1.0.patch",
    "app-1.0.0-to-1.1.0.yaml",
    "app-1.0.0-to-1.1.0.manifest",
    "app-1.1.0.package.tar",
    "app-1.1.0.package.manifest",
]


def made(cli: Cli, folder: str = "update") -> list[str]:
    return sorted(path.name for path in (cli.folder / folder).glob("*"))


@pytest.mark.parametrize("image", ["app.elf", "app.bin"])
def test_all_artifacts(image: str, cli: Cli) -> None:
    done = cli.good("build", image, "-v", "1.1.0")
    assert made(cli) == sorted(ARTIFACTS)
    assert done.stdout.splitlines() == [str(cli.folder / "update" / name) for name in ARTIFACTS]
    assert (cli.folder / "update" / "app-1.1.0.bin").read_bytes() == NEW


def test_names_and_folders(cli: Cli) -> None:
    cli.good(
        "build", "app.elf", "-v", "1.1.0", "-o", "x/y", "--name", "toaster", "--resources", "r/u.c"
    )
    assert "toaster-1.0.0-to-1.1.0.patch" in made(cli, "x/y")
    assert made(cli, "r") == ["u.c"]
    assert not (cli.folder / "update").exists()


def test_destination_of_the_configuration(cli: Cli) -> None:
    cli.good("build", "app.bin", "-v", "1.1.0", "--set", "publish.destination=published")
    assert made(cli, "published") == sorted(ARTIFACTS)


def test_every_manifest_verifies_with_its_payload(cli: Cli) -> None:
    cli.good("build", "app.elf", "-v", "1.1.0")
    for name, payload in (
        ("app-1.1.0", "app-1.1.0.bin"),
        ("app-1.0.0-to-1.1.0", "app-1.0.0-to-1.1.0.patch"),
        ("app-1.1.0.package", "app-1.1.0.package.tar"),
    ):
        cli.good(
            "manifest", "verify", f"update/{name}.manifest", "--payload", f"update/{payload}",
            "--installed-image", "old.bin", "--installed-version", "1.0.0",
        )  # fmt: skip


def test_build_says_what_it_did(cli: Cli) -> None:
    done = cli.good("build", "app.elf", "-v", "1.1.0")
    kinds = [line.split()[0] for line in done.stderr.splitlines()]
    assert kinds == ["image", "manifest", "delta", "manifest", "package", "manifest"]
    steps = cli.json("build", "app.elf", "-v", "1.1.0")["steps"]
    assert [step["kind"] for step in steps] == kinds
    assert [path for step in steps for path in step["outputs"]] == [
        str(cli.folder / "update" / name) for name in ARTIFACTS
    ]


def test_the_same_bytes_again(cli: Cli) -> None:
    cli.good("build", "app.elf", "-v", "1.1.0")
    before = {name: data for name, (data, _) in cli.tree().items()}
    cli.good("build", "app.elf", "-v", "1.1.0")
    assert {name: data for name, (data, _) in cli.tree().items()} == before


def test_release_that_is_not_older_is_noted(cli: Cli) -> None:
    done = cli.good("build", "app.elf", "-v", "1.0.0")
    assert "note: no delta from 1.0.0: it is not older than 1.0.0" in done.stderr
    assert "app-1.0.0.manifest" in made(cli)
    assert not [name for name in made(cli) if name.endswith(".patch")]


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("app.elf", "-v", "1.1"), 1, "FB0407"),
        (("none.elf", "-v", "1.1.0"), 1, "FB0300"),
        (("a.manifest", "-v", "1.1.0", "--name", "x", "-k", "keys/update.cert.der"), 1, "FB0600"),
        (("app.elf", "-v", "1.1.0", "-k", str(OTHER_KEY)), 1, "FB0601"),
        (("app.elf", "-v", "1.1.0", "--set", "delta.threshold=5", "--require-deltas"), 1, "FB0502"),
        (("app.elf", "-v", "1.1.0", "--set", "component=NINEBYTES"), 3, "FB0700"),
        (("app.elf", "-v", "1.1.0", "--set", "delta.block-size=1024"), 3, "FB0700"),
        (("app.elf", "-v", "1.1.0", "--set", "prioritty=5"), 1, "FB0200"),
        (("app.elf", "-v", "1.1.0", "--set", "priority"), 2, "FB0100"),
        (("update/app-1.1.0.bin", "-v", "1.1.0", "--name", "app"), 1, "FB0800"),
    ],
)
def test_failures_have_a_status_and_a_code(
    arguments: tuple[str, ...], status: int, code: str, cli: Cli
) -> None:
    done = cli("build", *arguments)
    assert (done.status, done.stdout) == (status, "")
    assert done.stderr.splitlines()[-1].endswith(f"[{code}]")
    assert "Traceback" not in done.stderr


def test_finished_artifacts_of_a_failed_build_are_complete(cli: Cli) -> None:
    """The image is done when the manifest is refused; there is no manifest and nothing half."""
    cli("build", "app.elf", "-v", "1.1.0", "--set", "component=NINEBYTES")
    assert made(cli) == ["app-1.1.0.bin"]
    assert (cli.folder / "update" / "app-1.1.0.bin").read_bytes() == NEW


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_delta_that_is_not_worth_it_is_left_out(cli: Cli, jobs: str) -> None:
    add_release(cli, "app.bin")
    build = ("build", "app.elf", "-v", "1.1.0", "--config", "two.yaml", "-j", jobs)
    before = set(cli.good(*build).stdout.splitlines())
    names = ("patch", "yaml", "manifest")
    gone = {str(cli.folder / "update" / f"app-1.0.0-to-1.1.0.{suffix}") for suffix in names}
    assert gone < before
    done = cli.good(*build, "--set", "delta.threshold=5")
    assert "no delta app-1.0.0-to-1.1.0.patch, the full image is sent" in done.stderr
    assert set(done.stdout.splitlines()) == before - gone
    # What the first build left must not be published with the new image.
    assert {str(path) for path in (cli.folder / "update").iterdir()} == before - gone


def add_release(cli: Cli, image: str) -> None:
    """Write ``two.yaml``: the project with one more release."""
    (cli.folder / "two.yaml").write_text(
        (cli.folder / "fotabuild.yaml")
        .read_text()
        .replace("image: old.bin", f"image: old.bin\n- version: 1.0.1\n  image: {image}")
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_release_without_a_decoder_gets_the_full_image(cli: Cli, jobs: str) -> None:
    add_release(cli, "table.bin")
    build = ("build", "app.elf", "-v", "1.1.0", "--config", "two.yaml", "-j", jobs)
    values = cli.json(*build)
    [note] = values["notes"]
    assert "no delta app-1.0.1-to-1.1.0.patch, the full image is sent: " in note
    assert "table.bin: the old image carries no patch decoder" in note
    assert f"note: {note}" in cli.good(*build).stderr
    assert made(cli) == sorted(ARTIFACTS)
    done = cli(*build, "--require-deltas")
    assert (done.status, done.stdout) == (1, "")
    assert "or leave it out of the store's deltas [FB0501]" in done.stderr


def test_json_has_the_notes_of_the_plan(cli: Cli) -> None:
    assert cli.json("build", "app.elf", "-v", "1.1.0")["notes"] == []
    [note] = cli.json("build", "app.elf", "-v", "1.0.0", "--dry-run")["notes"]
    assert note == "no delta from 1.0.0: it is not older than 1.0.0"


def test_deltas_that_fail_together(cli: Cli) -> None:
    add_release(cli, "app.elf")
    done = cli("build", "app.bin", "-v", "1.1.0", "--config", "two.yaml", "-j", "2")
    assert (done.status, done.stdout) == (1, "")
    assert "app.elf: this is an ELF file" in done.stderr
    assert done.stderr.splitlines()[-1].endswith("[FB1010]")
