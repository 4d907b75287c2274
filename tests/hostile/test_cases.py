"""Every case of bad input: our error, one clear line, and nothing changed on the disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from fotabuild.cli.main import main

from ..command import run_fotabuild
from .case import Case, load_cases, snapshot
from .rows import ELSEWHERE, ROWS

CASES = load_cases()
_BY_NAME = {case.name: case for case in CASES}
# Where the process matters: raw arguments, exit status, waiting for a pipe, what reaches stderr.
_IN_A_PROCESS = (
    "command_unknown",
    "config_empty",
    "config_is_a_pipe",
    "config_python_tag",
    "delta_block_size_4_gib",
    "key_is_encrypted_pkcs8",
    "option_not_unicode",
    "output_of_resources_is_the_key",
    "tar_with_control_character_in_name",
    "verify_changed_after_signing",
    "version_with_newline",
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(
    case: Case, tmp_path: Path, clean: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case.prepare(tmp_path)
    clean.chdir(tmp_path)
    for name, value in case.environment.items():
        clean.setenv(name, value)
    before = snapshot(tmp_path)
    status = main(case.command)
    stdout, stderr = capsys.readouterr()
    _check(case, status, stdout, stderr)
    _check_files(case, before, snapshot(tmp_path))


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name.startswith("patch_")], ids=lambda case: case.name
)
def test_patch_without_the_c_decoder(
    case: Case, tmp_path: Path, clean: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case.prepare(tmp_path)
    clean.chdir(tmp_path)
    clean.setenv("FOTABUILD_PURE_PYTHON", "1")
    before = snapshot(tmp_path)
    status = main(case.command)
    stdout, stderr = capsys.readouterr()
    _check(case, status, stdout, stderr)
    _check_files(case, before, snapshot(tmp_path))


@pytest.mark.parametrize("name", _IN_A_PROCESS)
def test_case_in_a_process(name: str, tmp_path: Path, clean: pytest.MonkeyPatch) -> None:
    case = _BY_NAME[name]
    case.prepare(tmp_path)
    before = snapshot(tmp_path)
    done = run_fotabuild(*case.command, cwd=tmp_path, env=case.environment, timeout=30)
    _check(case, done.status, done.stdout, done.stderr)
    _check_files(case, before, snapshot(tmp_path))


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 60
    assert all((case.name and case.reason and case.message) for case in CASES)


def test_folders_say_that_they_must_fail() -> None:
    from .case import CASES as FOLDER

    assert [folder.name for folder in FOLDER.iterdir() if not folder.name.endswith("_fail")] == []


def test_every_weakness_is_covered_or_said_to_be_elsewhere() -> None:
    used = {case.row for case in CASES if case.row is not None}
    assert used <= set(ROWS)
    assert set(ROWS) - used == set(ELSEWHERE)


def _check(case: Case, status: int, stdout: str, stderr: str) -> None:
    assert status == case.status, stderr
    assert status in (1, 2, 3)
    assert "Traceback" not in stdout + stderr
    lines = stderr.splitlines()
    if case.code:
        problem = lines[-1]
        assert [line for line in lines if line.startswith("error: ")] == [problem]
        assert problem.endswith(f" [{case.code}]")
    else:  # argparse prints the usage first.
        problem = lines[-1]
        assert [line for line in lines if "error: " in line] == [problem]
        assert problem.startswith("fotabuild")
    assert problem.isprintable()
    assert [text for text in case.message if text not in problem] == [], problem
    # Only a verification has a result to print when it fails.
    assert stdout == "" or (status == 3 and "verify" in case.command)


def _check_files(case: Case, before: dict[str, object], after: dict[str, object]) -> None:
    for output in case.outputs:
        assert after.get(output) == before.get(output), output
    made = _parents(case.finished)
    assert {name: value for name, value in after.items() if name not in made} == before
    assert made <= set(after)


def _parents(names: Iterable[str]) -> set[str]:
    """Return the names with all folders that hold them."""
    paths = [path for name in names for path in (Path(name), *Path(name).parents)]
    return {path.as_posix() for path in paths} - {"."}
