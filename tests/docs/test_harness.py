"""What tries the documentation notices when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from .dumps import check_dump
from .pages import Example, read_stories
from .shell import make_programs, read_commands, run_commands


def _run(lines: str, folder: Path) -> None:
    make_programs(folder / "bin")
    example = Example(1, "console", "", tuple(lines.splitlines()))
    run_commands(read_commands(example), folder, folder / "bin")


@pytest.mark.parametrize(
    "lines",
    [
        "$ echo one\none",
        "$ printf 'one\\ntwo\\nthree\\n'\none\n...\nthree",
        "$ echo a 17 b\na ... b",
        "$ false\n$ echo $?\n1",
        "$ cd bin\n$ x=1\n$ echo $x\n1",
        "$ echo one \\\n> two\none two",
        "$ fotabuild --version\nfotabuild ...",
        "$ fotabuild bogus\n...invalid choice...\n$ echo $?\n2",
    ],
)
def test_right_examples_pass(lines: str, tmp_path: Path) -> None:
    _run(lines, tmp_path)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("$ echo one\ntwo", "one"),
        ("$ echo one\none\ntwo", "one"),
        ("$ echo one two\none", "one two"),
        ("$ false", "status 1"),
        ("$ false\n$ echo one", "status 1"),
        ("$ false\n$ echo $?\n0", "1"),
        ("$ no-such-program", "not found"),
    ],
)
def test_wrong_examples_fail(lines: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=complaint):
        _run(lines, tmp_path)


def test_a_right_dump_passes() -> None:
    check_dump(("0000  01 02   two bytes", "0002    03 ...", "0005    06"), bytes(range(1, 7)))


@pytest.mark.parametrize(
    "lines",
    [
        ("0000  01 02 04",),
        ("0000  01 02",),
        ("0000  01", "0002  03"),
        ("0001  02 03",),
        ("0000  01 02 03 04",),
    ],
)
def test_a_wrong_dump_fails(lines: tuple[str, ...]) -> None:
    with pytest.raises(AssertionError):
        check_dump(lines, b"\x01\x02\x03")


def test_an_example_outside_of_a_story_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```console\n$ true\n```\n")
    with pytest.raises(ValueError, match=r"page\.md:4"):
        read_stories(page)
