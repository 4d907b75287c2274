"""Build, change one thing, build again: exactly what depends on it is made again."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.config.loader import load_config
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.plan import make_plan
from fotabuild.plan.runner import run_plan

from .changes import Change, Names, all_changes
from .project import Project

pytestmark = pytest.mark.platformio


@pytest.fixture(scope="session")
def other_fotabuild(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a copy of the package that says to be another version."""
    specification = importlib.util.find_spec("fotabuild")
    assert specification is not None
    assert specification.submodule_search_locations
    folder = tmp_path_factory.mktemp("other")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        specification.submodule_search_locations[0], folder / "fotabuild", ignore=ignored
    )
    (folder / "fotabuild" / "__init__.py").write_text('__version__ = "0.0.99"\n')
    return folder


def test_one_change_remakes_exactly_what_depends_on_it(
    first_build: tuple[Project, list[str]],
    place: Path,
    tmp_path: Path,
    other_fotabuild: Path,
    figure: Callable[[str], None],
) -> None:
    wrong: list[str] = []
    decisions = 0
    for index, change in enumerate(all_changes(other_fotabuild)):
        project = first_build[0].copy_to(place)
        problems, count = _try(project, change, tmp_path / f"{index}")
        wrong += [f"{change.name}: {problem}" for problem in problems]
        decisions += count
    figure(f"PlatformIO: wrong decisions: {len(wrong)} of {decisions}")
    assert not wrong, "\n".join(wrong)


def _try(project: Project, change: Change, folder: Path) -> tuple[list[str], int]:
    """Apply a change and build; return what is wrong, and how many files there were to decide."""
    change.apply(project)
    made = project.run(*change.arguments, env=change.env)
    # The platform's own copy of the image is not ours to judge, and neither are its objects.
    known: Names = frozenset(made) | change.remade | set(project.artifacts)
    wrong = [
        f"{name}: expected {int(name in change.remade)} times, was made {made.count(name)} times"
        for name in sorted(known)
        if made.count(name) != (name in change.remade)
    ]
    reference = _make_reference(project, change, folder)
    stale = [name for name, data in reference.items() if project.artifacts.get(name) != data]
    wrong += [f"{name}: not as in a first build" for name in stale]
    return wrong, len(known | set(reference))


def _make_reference(project: Project, change: Change, folder: Path) -> dict[str, bytes]:
    """Make the artifacts of the linked firmware without any build system."""
    config = load_config(project.path("fotabuild.yaml"), build_system=change.settings, environ={})
    build = Build(
        image=project.build / "firmware.elf",
        version=FirmwareVersion.parse(change.version),
        folder=folder,
        name="app",
    )
    run_plan(make_plan(config, build), lambda _step, _result: None)
    return {path.name: path.read_bytes() for path in folder.iterdir()}
