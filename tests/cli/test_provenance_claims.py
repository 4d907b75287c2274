"""``fotabuild provenance create``: what is said of a build is not lost, and gives nothing away."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Cli
from .test_provenance import COMMIT, statement

CREATE = ("provenance", "create", "released")
SOURCE = ("--source", "git+https://acme.com/fw", "--source-commit", COMMIT)
ALL = (
    *SOURCE, "--builder-id", "https://ci.acme.com/7", "--invocation-id", "run 7",
    "--material", "app.elf",
)  # fmt: skip
FILE = "released/provenance.intoto.json"


def said(cli: Cli) -> tuple[Any, Any]:
    predicate = statement(cli)["predicate"]
    return predicate["buildDefinition"]["resolvedDependencies"], predicate["runDetails"]


def test_a_second_statement_keeps_what_only_people_know(cli: Cli) -> None:
    cli.good(*CREATE, *ALL)
    before = said(cli)
    assert len(before[0]) == 2
    first = (cli.folder / FILE).read_bytes()
    done = cli.good(*CREATE)
    kept = "kept of the statement before: --builder-id, --invocation-id, --source, --material\n"
    assert kept in done.stderr
    assert (cli.folder / FILE).read_bytes() == first
    (cli.folder / "released" / "sbom.cdx.json").write_bytes(b"{}")
    cli.good(*CREATE)
    assert said(cli) == before
    assert "sbom.cdx.json" in {subject["name"] for subject in statement(cli)["subject"]}
    cli.good("verify", "released", "--require-provenance")


def test_what_is_said_again_replaces_what_was_said(cli: Cli) -> None:
    cli.good(*CREATE, *ALL)
    done = cli.good(*CREATE, "--source", "git+https://acme.com/moved", "--source-commit", COMMIT)
    assert "kept of the statement before: --builder-id, --invocation-id, --material" in done.stderr
    (source, material), run = said(cli)
    assert source["uri"] == "git+https://acme.com/moved"
    assert material["name"] == "app.elf"
    assert run["builder"]["id"] == "https://ci.acme.com/7"


def test_names_of_materials_are_utf8(cli: Cli) -> None:
    (cli.folder / "a\udcffb").write_bytes(b"")
    done = cli(*CREATE, "--material", "a\udcffb")
    assert done.status == 2
    assert "--material: the name of this file is not UTF-8" in done.stderr


@pytest.mark.parametrize("change", ["changed", "removed", "signed with another key"])
def test_of_other_files_it_has_to_be_said_again(change: str, cli: Cli) -> None:
    """The commit of the last release is not that of this one."""
    extra = cli.folder / "released" / "extra.bin"
    extra.write_bytes(b"extra")
    cli.good(*CREATE, *SOURCE, "--builder-id", "https://ci.acme.com/7")
    if change == "changed":
        extra.write_bytes(b"other")
    elif change == "removed":
        extra.unlink()
    else:
        path = cli.folder / FILE
        path.write_bytes(path.read_bytes().replace(b'"sig":"ME', b'"sig":"MF'))
    before = cli.tree()
    done = cli(*CREATE, "--builder-id", "https://ci.acme.com/8")
    assert (done.status, done.stdout) == (1, "")
    assert "what this statement says for --source need not be true" in done.stderr
    assert "give --source for the files as they are, or remove the statement" in done.stderr
    assert "--builder-id" not in done.stderr
    assert done.stderr.endswith("[FB1020]\n")
    assert cli.tree() == before
    cli.good(*CREATE, *SOURCE, "--builder-id", "https://ci.acme.com/8")
    cli.good("verify", "released", "--require-provenance")


def test_another_version_in_the_same_folder_has_its_own_sources(cli: Cli) -> None:
    cli.good("build", "app.elf", "-v", "1.1.0", "-o", "out")
    cli.good("provenance", "create", "out", *SOURCE)
    cli.good("build", "app.elf", "-v", "1.2.0", "-o", "out")
    done = cli("provenance", "create", "out")
    assert done.status == 1
    assert "app-1.0.0-to-1.2.0.manifest was built since" in done.stderr


def test_a_removed_statement_is_forgotten(cli: Cli) -> None:
    cli.good(*CREATE, *ALL)
    (cli.folder / FILE).unlink()
    cli.good(*CREATE)
    assert said(cli)[0] == []


def test_a_statement_that_says_nothing_more_is_replaced_whatever_it_is_about(cli: Cli) -> None:
    cli.good(*CREATE)
    (cli.folder / "released" / "extra.bin").write_bytes(b"extra")
    cli.good(*CREATE)
    (cli.folder / "released" / "extra.bin").unlink()
    assert "kept" not in cli.good(*CREATE).stderr


def test_what_is_no_statement_is_replaced_with_a_warning(cli: Cli) -> None:
    (cli.folder / FILE).write_bytes(b"damaged")
    done = cli.good(*CREATE, *SOURCE)
    assert "provenance.intoto.json is no statement, nothing of it is kept" in done.stderr
    cli.good("verify", "released", "--require-provenance")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--source", "git+https://me:s3cret@acme.com/fw", "--source-commit", COMMIT), "--source"),
        (("--source", "git+https://s3cret@acme.com/fw", "--source-commit", COMMIT), "--source"),
        (("--source", "me:s3cret@acme.com/fw", "--source-commit", COMMIT), "--source"),
        (("--source", "s3cret with a gap", "--source-commit", COMMIT), "--source"),
        (
            ("--source", "https://acme.com/fw?private_token=s3cret", "--source-commit", COMMIT),
            "--source",
        ),
        (("--builder-id", "https://me:s3cret@ci.acme.com/7"), "--builder-id"),
        (("--builder-id", "https://ci.acme.com/7?token=s3cret"), "--builder-id"),
        (("--builder-id", "s3cret"), "--builder-id"),
        (("--invocation-id", "https://me:s3cret@ci.acme.com/7"), "--invocation-id"),
        (("--material", "me:s3cret@acme.elf"), "--material"),
    ],
    ids=" ".join,
)
def test_no_secret_is_stated_or_repeated(arguments: tuple[str, ...], option: str, cli: Cli) -> None:
    (cli.folder / "me:s3cret@acme.elf").write_bytes(b"x")
    for form in ((), ("--json",)):
        done = cli(*form, *CREATE, *arguments)
        assert done.status == 2
        assert option in done.stdout + done.stderr
        assert "s3cret" not in done.stdout + done.stderr
    assert not (cli.folder / FILE).exists()


def test_no_secret_is_kept_of_an_earlier_statement(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of older releases of this program may hold one."""
    bad = ("--source", "git+https://me:s3cret@acme.com/fw", "--source-commit", COMMIT)
    with monkeypatch.context() as older:
        older.setattr("fotabuild.provenance.public_text.find_secret", lambda _: None)
        cli.good(*CREATE, *bad)
    done = cli(*CREATE)
    assert done.status == 2
    assert "--source holds a password" in done.stderr
    assert "s3cret" not in done.stderr
    cli.good(*CREATE, *SOURCE)
    assert said(cli)[0][0]["uri"] == "git+https://acme.com/fw"
