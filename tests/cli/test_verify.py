"""``fotabuild verify``: its exit status is the verdict on the whole folder."""

from __future__ import annotations

import pytest

from ..formats.golden import KEY
from .conftest import Cli


def test_verify_accepts_and_says_what_is_worth_knowing(cli: Cli) -> None:
    done = cli.good("verify", "released")
    lines = done.stdout.splitlines()
    assert lines[0] == "passed   a.manifest (manifest v3)"
    assert lines[1].split()[:2] == ["skipped", "newer-version"]
    assert "signature" not in done.stdout
    assert done.stderr == "accepted\n"
    assert "signature" in cli.good("verify", "released", "--all").stdout


def test_verify_fails_with_status_3_and_names_the_checks(cli: Cli) -> None:
    (cli.folder / "released" / "app.bin").write_bytes(b"another image")
    done = cli("verify", "released")
    assert done.status == 3
    assert done.stderr == "error: released: checks failed: a.manifest: payload-file [FB0700]\n"
    assert "to do: put the payload here" in done.stdout


def test_verify_checks_suit_manifests(cli: Cli) -> None:
    cli.good("build", "app.elf", "-v", "1.1.0", "-o", "out", "--set", "formats=suit")
    assert "passed   app-1.1.0.suit (SUIT manifest)" in cli.good("verify", "out").stdout
    (cli.folder / "out" / "app-1.1.0.bin").write_bytes(b"another image")
    done = cli("verify", "out")
    assert done.status == 3
    assert done.stderr == "error: out: checks failed: app-1.1.0.suit: payload-file [FB0700]\n"


def test_verify_sees_hidden_files_and_names_leftovers(cli: Cli) -> None:
    (cli.folder / "released" / ".secret").write_bytes(KEY.read_bytes())
    assert ".secret: secret" in cli("verify", "released").stderr
    (cli.folder / "released" / ".secret").rename(
        cli.folder / "released" / ".app.bin.0123456789ab.tmp"
    )
    done = cli.good("verify", "released")
    assert "warning  leftovers                .app.bin.0123456789ab.tmp" in done.stdout


def test_verify_in_json_tells_every_result(cli: Cli) -> None:
    values = cli.json("verify", "released")
    assert values["accepted"] is True
    assert [entry["name"] for entry in values["files"]] == ["a.manifest", "app.bin"]
    names = {result["name"] for result in values["files"][0]["results"]}
    assert {"signature", "payload-digest", "vendor-id"} <= names


def test_verify_applies_patches_to_images_of_a_folder(cli: Cli) -> None:
    cli.good(
        "build", "app.elf", "-v", "1.1.0", "-o", "out", "--set", "device.features=delta,combined"
    )
    (cli.folder / "field").mkdir()
    (cli.folder / "old.bin").rename(cli.folder / "field" / "any-name.bin")
    name = "out/app-1.0.0-to-1.1.0.patch"
    for more, verdict in (((), "skipped"), (("--precursors", "field"), "passed")):
        files = cli.json("verify", "out", *more)["files"]
        (patch,) = (entry for entry in files if entry["name"] == name[4:])
        results = {result["name"]: result["verdict"] for result in patch["results"]}
        assert results["patched-image"] == verdict


def test_verify_without_a_configuration_needs_a_certificate(cli: Cli) -> None:
    done = cli("verify", "released", "--no-config")
    assert (done.status, done.stdout) == (1, "")
    assert "give --certificate" in done.stderr
    certificate = "keys/update.cert.der"
    cli.good("verify", "released", "--no-config", "--certificate", certificate)


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("nothing",), 1, "FB1020"),
        (("app.bin",), 1, "FB1020"),
        (("keys",), 3, "FB0700"),
        (("released", "--require-provenance"), 3, "FB0700"),
        (("released", "--certificate", "app.bin"), 1, "FB0600"),
    ],
)
def test_verify_refuses(arguments: tuple[str, ...], status: int, code: str, cli: Cli) -> None:
    done = cli("verify", *arguments)
    assert done.status == status
    assert done.stderr.endswith(f"[{code}]\n")


def test_verify_writes_nothing(cli: Cli) -> None:
    before = cli.tree()
    cli.good("verify", "released")
    assert cli.tree() == before
