"""Two people build the same project on two machines that are as different as one can be."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from fotabuild.credentials import NewProject, create_project

from ..scons.project import Project, link, scons_environment, sources, write_tree
from ..scons.sconstructs import WHOLE

Files = dict[str, bytes]

SUIT = """\
formats: [v3, suit]
suit:
  severable: true
  text: {update-description: a better one}
  components:
  - component-id: [sensor]
    file: sensor.bin
"""


@dataclass(frozen=True)
class Person:
    """Somebody with a machine.

    Attributes:
        folder: where the project lies.
        umask: of all processes.
        env: additions to the environment.
        date: of all input files, seconds since 1970.
        modes: of input files and folders.
        reverse: whether files were created in reverse order.
    """

    folder: str
    umask: int
    env: dict[str, str]
    date: int
    modes: tuple[int, int]
    reverse: bool


ONE = Person(
    folder="home-of-one/project",
    umask=0o022,
    env={"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0", "USER": "one", "COLUMNS": "80"},
    date=1_000_000_000,
    modes=(0o644, 0o755),
    reverse=False,
)
OTHER = Person(
    folder="home-of-the-other/käse und brot/project with a longer name",
    umask=0o077,
    env={
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "4711",
        "USER": "other",
        "COLUMNS": "40",
        "PYTHONOPTIMIZE": "1",
        "SOURCE_DATE_EPOCH": "1234567890",
    },
    date=1_700_000_000,
    modes=(0o700, 0o700),
    reverse=True,
)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Return the files of a project that makes every kind of artifact."""
    files = sources()
    files["SConstruct"] = WHOLE.encode()
    files["fotabuild.yaml"] += SUIT.encode()
    folder = tmp_path_factory.mktemp("inputs")
    write_tree(folder, files)
    create_project(NewProject(folder=folder, credentials_only=True))
    return Project(folder).files()


def _prepare(person: Person, inputs: Files, base: Path) -> Project:
    project = Project(base / person.folder)
    write_tree(project.folder, dict(sorted(inputs.items(), reverse=person.reverse)))
    file_mode, folder_mode = person.modes
    for path in [project.folder, *project.folder.rglob("*")]:
        path.chmod(folder_mode if path.is_dir() else file_mode)
        os.utime(path, (person.date, person.date))
    return project


def _run(person: Person, project: Project, arguments: list[str]) -> None:
    home = project.folder.parent / "home"
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-B", "-m", *arguments],
        cwd=project.folder,
        env={**scons_environment(person.env), "HOME": str(home)},
        umask=person.umask,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done


def _build_with_scons(person: Person, project: Project) -> None:
    _run(person, project, ["SCons", "-Q", f"-j{1 + person.reverse}"])


def _build_with_command_line(person: Person, project: Project) -> None:
    resources = "build/update_default_resources.c"
    _run(person, project, ["fotabuild", "resources", "-o", resources])
    table, text, identity = (
        project.path(name).read_bytes() for name in ("table.bin", "app.txt", resources)
    )
    project.write("build/app.elf", link(table, text, identity))
    arguments = ["build", "build/app.elf", "--fw-version=1.1.0", "--output-dir=build/update"]
    _run(person, project, ["fotabuild", *arguments])


BUILDS = {"scons": _build_with_scons, "command line": _build_with_command_line}


@pytest.fixture(scope="module")
def built(inputs: Files, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Files]:
    """Return all artifacts by build system and person."""
    found = {}
    for system, build in BUILDS.items():
        for person in (ONE, OTHER):
            base = tmp_path_factory.mktemp("machine")
            project = _prepare(person, inputs, base)
            build(person, project)
            found[system, person.folder] = project.files("build")
    return found


def test_all_builds_give_the_same_bytes(built: dict[tuple[str, str], Files]) -> None:
    first = built["scons", ONE.folder]
    assert len(first) == 14
    for who, artifacts in built.items():
        different = [name for name in first if artifacts.get(name) != first[name]]
        assert not different, f"{who}: {different}"
        assert artifacts.keys() == first.keys()


def test_no_artifact_tells_where_it_was_built(built: dict[tuple[str, str], Files]) -> None:
    words = [b"home-of-", b"machine", tempfile.gettempdir().encode(), b"fotabuild.yaml"]
    for (system, folder), artifacts in built.items():
        for name, data in artifacts.items():
            telling = [word for word in words if word in data]
            assert not telling, f"{system}, {folder}: {name} holds {telling}"
