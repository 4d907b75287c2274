"""Build, build again, change one thing: exactly what depends on it is made again."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .changes import ALL, Change, all_changes
from .project import Project
from .reference import make_reference
from .sconstructs import WAYS, Way

BY_NAME = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
Identity = tuple[int, int]


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


@BY_NAME
def test_first_build_makes_everything_and_the_second_nothing(
    project: Callable[..., Project], way: Way, tmp_path: Path
) -> None:
    built = project(way.sconstruct)
    artifacts = way.artifacts()
    targets = built.build()
    assert sorted(targets) == sorted(files[0] for files in artifacts.values())
    assert sorted(built.files("build")) == sorted(way.files())
    reference = make_reference(built, way, tmp_path / "reference")
    assert {Path(name).name: data for name, data in built.files("build").items()} == reference
    before = _identities(built)
    built.assert_up_to_date()
    assert _identities(built) == before


@BY_NAME
def test_one_change_remakes_exactly_what_depends_on_it(
    project: Callable[..., Project],
    way: Way,
    tmp_path: Path,
    other_fotabuild: Path,
    figure: Callable[[str], None],
) -> None:
    base = project(way.sconstruct)
    base.build()
    wrong: list[str] = []
    decisions = 0
    for index, change in enumerate(all_changes(other_fotabuild)):
        changed = base.copy_to(tmp_path / f"{index}")
        wrong += [
            f"{change.name}: {problem}"
            for problem in _try(changed, way, change, tmp_path / f"reference-{index}")
        ]
        decisions += len(way.artifacts(since=change.since))
    figure(f"SCons, {way.name}: wrong decisions: {len(wrong)} of {decisions}")
    assert not wrong, "\n".join(wrong)


@BY_NAME
def test_many_changes_at_once_settle_in_one_run(
    project: Callable[..., Project], way: Way, other_fotabuild: Path
) -> None:
    built = project(way.sconstruct)
    built.build()
    together = {"source code", "a new pair of key and certificate", "vendor domain", "block size"}
    changes = [change for change in all_changes(other_fotabuild) if change.name in together]
    assert len(changes) == len(together)
    for change in changes:
        change.apply(built, way)
    artifacts = way.artifacts()
    assert sorted(built.build()) == sorted(artifacts[name][0] for name in ALL & set(artifacts))
    built.assert_up_to_date()


def _try(project: Project, way: Way, change: Change, folder: Path) -> list[str]:
    """Apply a change, build, and return what is wrong, at most one line for each artifact."""
    change.apply(project, way)
    before = _identities(project)
    old_bytes = project.files("build")
    targets = project.build(*change.arguments, env=change.env)
    after = _identities(project)
    settings = {"priority": change.priority} if change.priority else {}
    reference = make_reference(project, way, folder, change.version, settings, change.env)
    artifacts = way.artifacts(change.version, since=change.since)
    wrong = []
    for name, files in artifacts.items():
        expected = name in change.expected(way)
        made = targets.count(files[0])
        rewritten = all(before.get(file) != after[file] for file in files)
        kept = all(before.get(file) == after[file] for file in files)
        # The source for the compiler is left alone when its text stays the same.
        unchanged = (
            name == "resources" and old_bytes.get(files[0]) == reference[Path(files[0]).name]
        )
        stale = [
            file for file in files if project.path(file).read_bytes() != reference[Path(file).name]
        ]
        if made != expected or not (kept if not expected or unchanged else rewritten) or stale:
            wrong.append(
                f"{name}: expected {'to be' if expected else 'not to be'} made, was {made} times; "
                f"rewritten: {rewritten}, not as in a first build: {stale}"
            )
    known = {files[0] for files in artifacts.values()}
    return wrong + [f"{target} is made and not known" for target in set(targets) - known]


def _identities(project: Project) -> dict[str, Identity]:
    found = {}
    for name in project.files("build"):
        status = project.path(name).stat()
        found[name] = (status.st_ino, status.st_mtime_ns)
    return found
