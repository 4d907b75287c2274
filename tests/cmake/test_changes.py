"""Build, change one thing, build again: exactly what depends on it is made again."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from .changes import AFTER_FIRMWARE, DELTAS, NOTHING, Change, Names, add_release, all_changes
from .program import Generator
from .project import Project, our_commands
from .reference import make_reference

pytestmark = [pytest.mark.cmake, pytest.mark.cc]

# What depends on what, where a source that stays the same is left alone.
_AFTER: Mapping[str, Names] = {
    "firmware": AFTER_FIRMWARE,
    "image": AFTER_FIRMWARE,
    "package": frozenset({"package manifest"}),
    **{delta: frozenset({delta.replace("delta", "delta manifest")}) for delta in DELTAS},
}


@pytest.fixture
def fotabuild_folder(tmp_path: Path) -> Path:
    """Return a folder with an installation of fotabuild that may be changed."""
    specification = importlib.util.find_spec("fotabuild")
    assert specification is not None
    assert specification.submodule_search_locations
    folder = tmp_path / "site-packages"
    shutil.copytree(
        specification.submodule_search_locations[0],
        folder / "fotabuild",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return folder


def test_one_change_remakes_exactly_what_depends_on_it(
    project: Callable[..., Project],
    generator: Generator,
    fotabuild_folder: Path,
    tmp_path: Path,
    figure: Callable[[str], None],
) -> None:
    path = os.pathsep.join(filter(None, (str(fotabuild_folder), os.environ.get("PYTHONPATH"))))
    env = {"PYTHONPATH": path}
    built = project(generator)
    add_release(built)
    built.configured(env=env)
    built.made(env=env)
    copy = built.keep_copy()
    wrong: list[str] = []
    decisions = 0
    changes = all_changes(fotabuild_folder / "fotabuild")
    if generator.name != "Ninja":
        # All see the same plan: one change of each kind is enough to see what others do with it.
        changes = [change for change in changes if change.everywhere]
    for index, change in enumerate(changes):
        built.restore(copy)
        found = _try(built, change, env, tmp_path / f"reference-{index}")
        wrong += [f"{change.name}: {problem}" for problem in found.wrong]
        decisions += found.decisions
    figure(f"CMake, {generator.name}: wrong decisions: {len(wrong)} of {decisions}")
    assert not wrong, "\n".join(wrong)


@dataclass(frozen=True)
class _Found:
    wrong: list[str]
    decisions: int


def _try(project: Project, change: Change, env: Mapping[str, str], folder: Path) -> _Found:
    """Apply a change, build twice, and return what is wrong, at most one line for each artifact."""
    change.apply(project)
    before = _states(project, _artifacts(project, change))
    stdout = project.made(env=env)
    artifacts = _artifacts(project, change)
    after = _states(project, artifacts)
    reference = make_reference(project, folder, change.version, {"priority": change.priority})
    expected = change.remade if project.generator.is_ninja else _closure(change.remade)
    wrong = []
    for name, files in artifacts.items():
        # Ninja is told that nothing changed where the bytes are the same, and so is the compiler.
        by_bytes = name == "resources" or (project.generator.is_ninja and name != "firmware")
        for file in files:
            old, new = before.get(file), after[file]
            same_bytes = old is not None and old.data == new.data
            kept = name not in expected or (by_bytes and same_bytes)
            if kept != (old is not None and old.date == new.date):
                wrong.append(f"{name}: {file.name} was {'not kept' if kept else 'kept'}")
            elif new.data != reference.get(file.name, new.data):
                wrong.append(f"{name}: {file.name} is not as in a first build")
    wrong += _wrong_commands(project.generator, change, expected, our_commands(stdout))
    again = our_commands(project.made(env=env))
    wrong += [f"made in the second build: {name}" for name in again]
    return _Found(wrong, len(artifacts))


def _wrong_commands(
    generator: Generator, change: Change, expected: Names, ran: list[str]
) -> list[str]:
    """Compare the commands that ran with those that make the expected artifacts."""
    wanted = {_command(generator, name, change) for name in expected - {"firmware"}}
    if generator.is_ninja and "release" in change.name:
        # A command that makes another set of artifacts is another command.
        wanted.add(_command(generator, "manifest", change))
    ran = [name.removeprefix("missing ") for name in ran]
    if sorted(ran) == sorted(wanted):
        return []
    return [f"these commands ran: {sorted(ran)}, not these: {sorted(wanted)}"]


def _command(generator: Generator, name: str, change: Change) -> str:
    """Return what the build says when it makes an artifact."""
    if name == "resources":
        return "update resources of app"
    if generator.is_ninja:
        return f"app-{change.version}.bin and {2 * len(change.since) + 4} more"
    return _file_names(change)[name][0]


def _closure(names: Names) -> Names:
    """Add what make builds again because something that it depends on was."""
    return names.union(*(_AFTER.get(name, NOTHING) for name in names))


@dataclass(frozen=True)
class _State:
    date: int
    data: bytes


def _states(project: Project, artifacts: Mapping[str, list[Path]]) -> dict[Path, _State]:
    files = [file for names in artifacts.values() for file in names if file.exists()]
    return {file: _State(file.stat().st_mtime_ns, file.read_bytes()) for file in files}


def _file_names(change: Change) -> dict[str, list[str]]:
    version = change.version
    names = {
        "image": [f"app-{version}.bin"],
        "manifest": [f"app-{version}.manifest"],
        "package": [f"app-{version}.package.tar"],
        "package manifest": [f"app-{version}.package.manifest"],
        "factory": [f"app-{version}.factory.bin"],
    }
    for since in change.since:
        stem = f"app-{since}-to-{version}"
        names[f"delta {since}"] = [f"{stem}.patch", f"{stem}.yaml"]
        names[f"delta manifest {since}"] = [f"{stem}.manifest"]
    return names


def _artifacts(project: Project, change: Change) -> dict[str, list[Path]]:
    """Return the files of each artifact by its short name."""
    resources = project.build / "CMakeFiles/app-update.dir/resources/update_default_resources.c"
    return {
        "resources": [resources],
        "firmware": [project.program],
        **{n: [project.output(f) for f in files] for n, files in _file_names(change).items()},
    }
