"""A statement binds the whole folder: nothing comes, goes or changes behind its back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.device.report import Verdict
from fotabuild.provenance.envelope import seal
from fotabuild.provenance.statement import Statement
from fotabuild.report.folder import read_folder
from fotabuild.report.verification import FolderVerifier
from fotabuild.signing.signer import open_signer

from ..formats.golden import KEY
from .scene import Built, build
from .test_verification import results

NAME = "provenance.intoto.json"


def state(built: Built, name: str = NAME) -> None:
    """Put a statement on all that is in the folder into it."""
    folder = read_folder(built.update)
    subjects = {item.name: item.digest for item in folder.artifacts if item.is_covered}
    data = seal(Statement(subjects=subjects).encode(), open_signer(str(KEY)))
    (built.update / name).write_bytes(data)


@pytest.fixture
def stated(built: Built) -> Built:
    state(built)
    assert built.verify(need_provenance=True).accepted
    return built


@pytest.fixture(scope="module")
def other_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release with another version, stated and signed with the same key."""
    other = build(tmp_path_factory.mktemp("other"), version=(1, 2, 0))
    state(other)
    return other.update


def test_files_of_another_signed_release_are_found(stated: Built, other_release: Path) -> None:
    """Mixing and matching needs no key: files and statement are copied as they are."""
    for path in other_release.iterdir():
        name = "other.intoto.json" if path.name == NAME else path.name
        shutil.copyfile(path, stated.update / name)
    assert "statements" in stated.verify().failures
    allowed = FolderVerifier(
        read_folder(stated.update),
        stated.device(),
        stated.precursors(),
        several_statements=True,
    ).run()
    assert allowed.accepted, allowed.failures


def test_a_copy_of_the_statement_is_found(stated: Built) -> None:
    shutil.copyfile(stated.update / NAME, stated.update / "copy.intoto.json")
    assert "statements" in stated.verify().failures


ADDED = (
    "evil.bin",
    ".evil",
    ".evil/file",
    "more/.evil",
    "evil-report.html",
    "evil.report.json",
    "more/report.html",
    "more/report.json",
    "Report.html",
    "report.htm",
    "evil.cdx.json",
    ".evil.tmp",
    ".evil.0123456789ab.tmp/file",
    ".evil.0123456789AB.tmp",
    "evil.0123456789ab.tmp",
    ".evil.0123456789ab.tmp2",
)


@pytest.mark.parametrize("name", ADDED)
def test_an_added_file_is_found_wherever_and_whatever_its_name(name: str, stated: Built) -> None:
    path = stated.update / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"evil")
    assert f"{name}: provenance" in stated.verify().failures


def test_every_file_that_is_changed_removed_or_renamed_is_found(
    stated: Built, figure: Callable[[str], None]
) -> None:
    paths = sorted(path for path in stated.update.iterdir() if path.name != NAME)
    found = 0
    for path in paths:
        data = path.read_bytes()
        path.write_bytes(data + b"\n")
        found += not stated.verify().accepted
        path.unlink()
        found += not stated.verify().accepted
        path.write_bytes(data)
        copy = path.with_name(f"x-{path.name}")
        copy.write_bytes(data)
        found += not stated.verify().accepted
        copy.unlink()
    assert stated.verify().accepted
    count = 3 * len(paths)
    figure(f"files changed, removed or copied behind a statement: {found} of {count} found")
    assert found == count


def test_reports_of_the_build_are_stated_like_any_file(built: Built) -> None:
    page = built.update / "app-1.1.0.report.html"
    page.write_bytes(b"<html>")
    state(built)
    assert built.verify().accepted
    page.write_bytes(b"<html>evil")
    assert f"{page.name}: provenance" in built.verify().failures


def test_the_report_of_the_folder_may_come_later_and_is_not_vouched_for(stated: Built) -> None:
    for name in ("report.html", "report.json"):
        (stated.update / name).write_bytes(b"later")
    found = stated.verify()
    assert found.accepted
    assert results(found, "report.html") == {"provenance": Verdict.SKIPPED}


def test_leftovers_of_a_killed_build_are_named(stated: Built) -> None:
    (stated.update / ".app.bin.0123456789ab.tmp").write_bytes(b"half")
    found = stated.verify()
    assert found.accepted
    (leftover,) = [r for r in found.whole.results if r.name == "leftovers"]
    assert leftover.verdict is Verdict.WARNING
    assert ".app.bin.0123456789ab.tmp" in leftover.detail


def test_a_name_that_says_something_else_is_found(built: Built) -> None:
    """A file of one kind under the name of another is no file of a build."""
    patch = next(built.update.glob("*.patch"))
    shutil.copyfile(patch, built.update / "b.manifest")
    assert "b.manifest: content" in built.verify().failures
