"""Read the documentation: its pages and the examples in them.

How a page marks its examples, in comments that readers do not see:

``<!-- start: SCENE -->``
    the examples that follow belong together and run in a new folder, set up by ``scenes.py``;
``<!-- file: NAME -->``
    the next block is written to this file;
``<!-- replace: NAME: TEXT -->``
    the next block takes the place of this text in this file;
``<!-- hex: NAME -->``
    the next block holds bytes of this file, see ``dumps.py``;
```` ```console ````
    the lines behind ``$`` are run, the lines below them are what they print; ``...`` stands for
    anything. Commands without lines below them just have to succeed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
_COMMENT = re.compile(r"<!-- (start|file|replace|hex): (.+?) -->")
_FENCE = re.compile(r"```(\w*)")


@dataclass(frozen=True)
class Example:
    """A block of a page that is tried.

    Attributes:
        line: where its content begins.
        kind: ``console``, or the name of the comment before it.
        target: what that comment says.
        lines: the content.
    """

    line: int
    kind: str
    target: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The content as text."""
        return "".join(f"{line}\n" for line in self.lines)


@dataclass
class Story:
    """Examples that belong together."""

    page: Path
    line: int
    scene: str
    examples: list[Example] = field(default_factory=list)

    @property
    def name(self) -> str:
        """For test ids."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def read_stories(page: Path) -> list[Story]:
    """Return the examples of a page.

    Raises:
        ValueError: an example that belongs to no story.
    """
    stories: list[Story] = []
    kind = target = ""
    for line, language, block in _blocks(page):
        if language == "start":
            stories.append(Story(page, line, block[0]))
            continue
        if language in ("file", "replace", "hex"):
            kind, target = language, block[0]
            continue
        if kind or language == "console":
            if not stories:
                raise ValueError(f"{page.name}:{line}: an example before any 'start'")
            stories[-1].examples.append(Example(line, kind or language, target, block))
        kind = target = ""
    return stories


def _blocks(page: Path) -> list[tuple[int, str, tuple[str, ...]]]:
    """Return the marks and fenced blocks: line, kind or language, content."""
    lines = page.read_text(encoding="utf-8").splitlines()
    found: list[tuple[int, str, tuple[str, ...]]] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if comment := _COMMENT.fullmatch(line):
            found.append((position, comment[1], (comment[2],)))
        elif fence := _FENCE.fullmatch(line):
            end = lines.index("```", position)
            found.append((position + 1, fence[1], tuple(lines[position:end])))
            position = end + 1
    return found


def first_table(page: Path, heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading, without its head.

    Raises:
        ValueError: there is no such heading, or no table under it.
    """
    _, found, rest = page.read_text(encoding="utf-8").partition(f"\n{heading}\n")
    table = re.search(r"(?:^\|.*\n)+", rest, re.MULTILINE)
    if not found or table is None:
        raise ValueError(f"{page.name} has no table under {heading!r}")
    return [line.strip("|").split("|") for line in table[0].splitlines()][2:]


def code_names(text: str) -> list[str]:
    """Return what stands between backticks."""
    return re.findall(r"`([^`]+)`", text)
