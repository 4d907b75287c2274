"""``fotabuild provenance``: statements and bills of materials."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from fotabuild.digest import sha256
from fotabuild.limits import ReadLimits

from ..formats.golden import KEY
from .conftest import Cli

OTHER_KEY = KEY.with_name("TEST-ONLY-other.key.pem")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def statement(cli: Cli, name: str = "released/provenance.intoto.json") -> dict[str, Any]:
    envelope = json.loads((cli.folder / name).read_text())
    values: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return values


def test_create_states_every_file(cli: Cli) -> None:
    cli.good("provenance", "create", "released")
    subjects = {s["name"]: s["digest"]["sha256"] for s in statement(cli)["subject"]}
    assert subjects == {
        name: sha256((cli.folder / "released" / name).read_bytes()).hex()
        for name in ("a.manifest", "app.bin")
    }
    cli.good("verify", "released", "--require-provenance")


def test_create_states_suit_manifests_and_their_version(cli: Cli) -> None:
    cli.good("build", "app.elf", "-v", "1.1.0", "-o", "out", "--set", "formats=suit")
    cli.good("provenance", "create", "out")
    values = statement(cli, "out/provenance.intoto.json")
    assert "app-1.1.0.suit" in {subject["name"] for subject in values["subject"]}
    parameters = values["predicate"]["buildDefinition"]["externalParameters"]
    assert parameters["versions"] == ["1001000"]


def test_create_says_what_the_options_say(cli: Cli) -> None:
    cli.good(
        "provenance", "create", "released", "--builder-id", "https://ci.acme.com/7",
        "--invocation-id", "run 7", "--source", "git+https://acme.com/fw", "--source-commit",
        COMMIT, "--material", "app.elf",
    )  # fmt: skip
    predicate = statement(cli)["predicate"]
    assert predicate["runDetails"]["builder"]["id"] == "https://ci.acme.com/7"
    assert predicate["runDetails"]["metadata"] == {"invocationId": "run 7"}
    materials = predicate["buildDefinition"]["resolvedDependencies"]
    elf = sha256((cli.folder / "app.elf").read_bytes()).hex()
    assert [m["digest"] for m in materials] == [{"gitCommit": COMMIT}, {"sha256": elf}]
    assert predicate["buildDefinition"]["externalParameters"]["versions"] == ["1.1.0"]


def test_create_gives_the_same_bytes_each_time(cli: Cli) -> None:
    cli.good("provenance", "create", "released")
    first = (cli.folder / "released" / "provenance.intoto.json").read_bytes()
    cli.good("report", "released")
    cli.good("provenance", "create", "released")
    assert (cli.folder / "released" / "provenance.intoto.json").read_bytes() == first


def test_create_names_the_images_that_patches_start_from(cli: Cli) -> None:
    cli.good("build", "app.elf", "-v", "1.1.0", "-o", "out")
    cli.good("provenance", "create", "out")
    definition = statement(cli, "out/provenance.intoto.json")["predicate"]["buildDefinition"]
    old = sha256((cli.folder / "old.bin").read_bytes()).hex()
    assert definition["resolvedDependencies"] == [
        {"digest": {"sha256": old}, "name": "installed image"}
    ]


def test_create_states_nothing_of_a_wrong_folder(cli: Cli) -> None:
    (cli.folder / "released" / "app.bin").write_bytes(b"another image")
    done = cli("provenance", "create", "released")
    assert done.status == 3
    assert "a.manifest: payload-file" in done.stderr
    assert not (cli.folder / "released" / "provenance.intoto.json").exists()


def test_create_with_another_key_is_refused(cli: Cli) -> None:
    done = cli("provenance", "create", "released", "-k", OTHER_KEY)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.endswith("[FB0601]\n")


def test_create_states_hidden_files_and_reports_of_builds(cli: Cli) -> None:
    for name in (".hidden", "app-1.1.0.report.html", "report.html"):
        (cli.folder / "released" / name).write_bytes(b"x")
    cli.good("provenance", "create", "released")
    names = {subject["name"] for subject in statement(cli)["subject"]}
    assert {".hidden", "app-1.1.0.report.html"} <= names
    assert "report.html" not in names


def test_create_makes_one_statement_unless_told_otherwise(cli: Cli) -> None:
    other = ("provenance", "create", "released", "-o", "released/other.intoto.json")
    cli.good("provenance", "create", "released")
    cli.good("provenance", "create", "released")
    done = cli(*other)
    assert (done.status, done.stdout) == (1, "")
    assert "provenance.intoto.json: there is a statement" in done.stderr
    cli.good(*other, "--several-statements")
    assert "statements [FB0700]" in cli("verify", "released").stderr
    cli.good("verify", "released", "--several-statements")
    cli.good("report", "released", "--several-statements")


def test_create_refuses_names_that_no_statement_can_hold(cli: Cli) -> None:
    path = os.fsencode(cli.folder / "released") + b"/bad\xff.bin"
    Path(os.fsdecode(path)).write_bytes(b"x")
    for command in (("provenance", "create"), ("report",), ("verify",)):
        done = cli(*command, "released")
        assert (done.status, done.stdout) == (1, "")
        assert "bad\\udcff.bin: this name is not UTF-8" in done.stderr
        assert done.stderr.endswith("[FB1020]\n")


def test_create_writes_no_statement_that_verify_would_not_read(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fotabuild.limits.READ_LIMITS", ReadLimits(provenance=500))
    done = cli("provenance", "create", "released")
    assert done.status == 3
    assert "too long" in done.stderr
    assert not (cli.folder / "released" / "provenance.intoto.json").exists()


@pytest.mark.parametrize("change", ["changed", "added", "removed", "renamed"])
def test_create_binds_every_file(change: str, cli: Cli) -> None:
    cli.good("provenance", "create", "released")
    released = cli.folder / "released"
    if change == "changed":
        (released / "provenance.intoto.json").write_bytes(
            (released / "provenance.intoto.json").read_bytes().replace(b'"sig":"M', b'"sig":"N')
        )
    elif change == "added":
        (released / "more.bin").write_bytes(b"more")
    elif change == "removed":
        (released / "more.bin").write_bytes(b"more")
        cli.good("provenance", "create", "released")
        (released / "more.bin").unlink()
    else:
        (released / "app.bin").rename(released / "other.bin")
    assert cli("verify", "released").status == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("--builder-id", "me"),
        ("--source", "git+https://acme.com/fw"),
        ("--source", "git+https://acme.com/fw", "--source-commit", "main"),
        ("--no-config",),
    ],
    ids=" ".join,
)
def test_create_refuses_wrong_usage(arguments: tuple[str, ...], cli: Cli) -> None:
    assert cli("provenance", "create", "released", *arguments).status == 2


def test_create_never_overwrites_an_artifact(cli: Cli) -> None:
    done = cli("provenance", "create", "released", "-o", "released/app.bin")
    assert done.status == 1
    assert done.stderr.endswith("[FB0301]\n")


def test_sbom_stands_beside_the_image_and_is_stated(cli: Cli) -> None:
    cli.good("provenance", "sbom", "parts.yaml", "-p", "released/app.bin", "-v", "1.1.0")
    values = json.loads((cli.folder / "released" / "sbom.cdx.json").read_text())
    component = values["metadata"]["component"]
    assert (component["name"], component["version"]) == ("Toaster", "1.1.0")
    cli.good("provenance", "create", "released")
    names = {subject["name"] for subject in statement(cli)["subject"]}
    assert "sbom.cdx.json" in names


def test_sbom_of_a_bad_list_is_an_error(cli: Cli) -> None:
    (cli.folder / "bad.yaml").write_text("parts:\n- nam: x\n")
    done = cli("provenance", "sbom", "bad.yaml", "-p", "app.bin", "-v", "1.1.0")
    assert done.status == 1
    assert "bad.yaml" in done.stderr
    assert done.stderr.endswith("[FB1022]\n")


def test_sbom_without_its_extra_says_so(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cyclonedx.model.bom", None)
    done = cli("provenance", "sbom", "parts.yaml", "-p", "app.bin", "-v", "1.1.0")
    assert done.status == 1
    assert "fotabuild[sbom]" in done.stderr
