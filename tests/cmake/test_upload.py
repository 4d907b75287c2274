"""The target ``<target>-upload-update``: after everything that it needs, never by default."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .program import Generator
from .project import CMAKE_LISTS, Project

pytestmark = pytest.mark.cmake
TARGET = ("--target", "app-upload-update")
LISTS = CMAKE_LISTS.replace("priority=1)", "priority=1\n    UPLOAD_OPTIONS --to {place})")


def uploaded(project: Project) -> set[str]:
    """The names of the files that were published."""
    folder = project.folder / "published to"
    return {path.name for path in folder.rglob("*") if path.is_file()}


def publishing(project: Callable[..., Project], generator: Generator) -> Project:
    """A project that publishes into a folder."""
    made = project(generator)
    made.write("CMakeLists.txt", LISTS.format(place='"published to"'))
    return made.configured()


def test_builds_what_is_missing_and_publishes_it(
    project: Callable[..., Project], generator: Generator
) -> None:
    built = publishing(project, generator)
    done = built.make(*TARGET)
    assert done.status == 0, done
    assert {"app-1.1.0.bin", "app-1.1.0.manifest", "app-1.0.0-to-1.1.0.patch"} <= uploaded(built)


def test_a_delta_that_is_not_worth_it_is_left_out(
    project: Callable[..., Project], generator: Generator
) -> None:
    """A build has declared it, and fails; an upload has the full image for these devices."""
    built = publishing(project, generator)
    built.edit("fotabuild.yaml", "threshold: 60", "threshold: 1")
    built.configured()
    assert built.make().status != 0
    done = built.make(*TARGET)
    assert done.status == 0, done
    assert "app-1.1.0.manifest" in uploaded(built)
    assert not [name for name in uploaded(built) if "-to-" in name]


def test_an_upload_changes_nothing_that_was_built(
    project: Callable[..., Project], generator: Generator
) -> None:
    built = publishing(project, generator)
    built.made()
    assert built.make(*TARGET).status == 0
    built.assert_up_to_date()


def test_is_no_part_of_all(project: Callable[..., Project], generator: Generator) -> None:
    built = publishing(project, generator)
    built.made()
    assert uploaded(built) == set()
    built.assert_up_to_date()


def test_runs_each_time_and_uploads_what_was_changed(
    project: Callable[..., Project], generator: Generator
) -> None:
    built = publishing(project, generator)
    assert built.make(*TARGET).status == 0
    [image] = (built.folder / "published to").rglob("app-1.1.0.bin")
    before = image.read_bytes()
    built.edit("text.c", "every minute", "twice a minute")
    assert built.make(*TARGET).status == 0
    assert image.read_bytes() != before


def test_a_failed_upload_fails_the_build(project: Callable[..., Project]) -> None:
    built = project()
    built.write("CMakeLists.txt", LISTS.format(place="http://127.0.0.1:9 --timeout 5"))
    done = built.configured().make(*TARGET, env={"FOTABUILD_ACCESS_KEY": "ak_of_nobody"})
    assert done.status != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert "ak_of_nobody" not in done.stdout + done.stderr


def test_options_may_be_empty(project: Callable[..., Project]) -> None:
    built = project()
    built.write("CMakeLists.txt", LISTS.replace(" --to {place}", ""))
    built.configured()
    assert built.make(*TARGET).status == 0
    # Without a place the artifacts stay where they are, with an index.
    assert any(name.endswith(".json") for name in built.artifacts())
