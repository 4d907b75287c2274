"""The examples in the documentation do what the documentation says."""

from __future__ import annotations

from pathlib import Path

import pytest

from .dumps import check_dump
from .pages import PAGES, Example, Story, read_stories
from .scenes import SCENES
from .shell import end_group, make_programs, read_commands, run_commands

STORIES = [story for page in PAGES for story in read_stories(page)]


def _parameter(story: Story) -> object:
    _, needs = SCENES[story.scene]
    return pytest.param(story, id=story.name, marks=[getattr(pytest.mark, need) for need in needs])


@pytest.mark.parametrize("story", [_parameter(story) for story in STORIES])
def test_examples_of_a_page(story: Story, tmp_path: Path) -> None:
    programs, folder = tmp_path / "bin", tmp_path / "project"
    make_programs(programs)
    folder.mkdir()
    make_scene, _ = SCENES[story.scene]
    make_scene(folder)
    started: list[int] = []
    try:
        for example in story.examples:
            _try(example, folder, programs, started)
    finally:
        for leader in started:
            end_group(leader)


def _try(example: Example, folder: Path, programs: Path, started: list[int]) -> None:
    if example.kind == "console":
        run_commands(read_commands(example), folder, programs, started)
    elif example.kind == "file":
        (folder / example.target).parent.mkdir(parents=True, exist_ok=True)
        (folder / example.target).write_text(example.text)
    elif example.kind == "replace":
        name, _, old = example.target.partition(": ")
        text = (folder / name).read_text()
        assert text.count(f"{old}\n") == 1, f"{name} does not hold {old!r} once"
        (folder / name).write_text(text.replace(f"{old}\n", example.text))
    else:
        check_dump(example.lines, (folder / example.target).read_bytes())


def test_every_page_with_commands_is_tried() -> None:
    """The pages that show the program at work keep doing so."""
    tried = {story.page.name for story in STORIES if story.examples}
    assert tried >= {
        "README.md",
        "cmake.md",
        "device-checks.md",
        "formats.md",
        "keys.md",
        "reproducible.md",
        "scons.md",
        "suit.md",
        "suit-tool.md",
        "tutorial.md",
    }
