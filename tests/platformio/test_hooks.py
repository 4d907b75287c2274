"""The ways to hook the plugin in, and hooking it in wrongly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fotabuild

from ..command import run_fotabuild
from .project import SCRIPT, Project, error_lines

pytestmark = pytest.mark.platformio
SCRIPTS = "extra_scripts = pre:fota.py, post:fota.py\n"
SHIPPED = "{0}:${{sysenv.FOTABUILD_PLATFORMIO}}/fotabuild_script.py"
# PlatformIO empties the build folder when platformio.ini has changed; not so with this.
KEPT = "--disable-auto-clean"


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the command line prints."""
    done = run_fotabuild("--platformio-dir", cwd=tmp_path_factory.mktemp("anywhere"))
    assert (done.status, done.stderr) == (0, "")
    return Path(done.stdout.removesuffix("\n"))


def _variables(shipped: Path) -> dict[str, str]:
    return {"FOTABUILD_PLATFORMIO": str(shipped)}


def test_the_shipped_script_by_its_path_declares_the_same_build(
    built: Project, shipped: Path
) -> None:
    scripts = ", ".join(SHIPPED.format(phase) for phase in ("pre", "post"))
    built.edit("platformio.ini", SCRIPTS, f"extra_scripts = {scripts}\n")
    built.path("fota.py").unlink()
    assert built.run(KEPT, env=_variables(shipped)) == []


@pytest.mark.parametrize("scheme", ["symlink", "file"])
def test_a_build_with_the_library(
    project: Project, first_build: tuple[Project, list[str]], shipped: Path, scheme: str
) -> None:
    library = f"lib_deps = {scheme}://${{sysenv.FOTABUILD_PLATFORMIO}}/library\n"
    project.edit("platformio.ini", SCRIPTS, library)
    project.path("fota.py").unlink()
    made = project.run(env=_variables(shipped))
    assert sorted(made) == sorted(first_build[1])
    assert list(project.artifacts) == list(first_build[0].artifacts)
    assert project.run("-t", "update", env=_variables(shipped)) == []


def test_listing_everything_twice_changes_nothing(built: Project, shipped: Path) -> None:
    twice = "extra_scripts = pre:fota.py, pre:fota.py, post:fota.py, post:fota.py\n"
    built.edit("platformio.ini", SCRIPTS, f"{twice}lib_deps = symlink://{shipped}/library\n")
    assert built.run(KEPT) == []


def test_a_script_that_is_listed_twice_knows_its_phase_without_building(built: Project) -> None:
    twice = "extra_scripts = pre:fota.py, pre:fota.py, post:fota.py, post:fota.py\n"
    built.edit("platformio.ini", SCRIPTS, twice)
    (built.build / "update" / "app-1.1.0.manifest").unlink()
    assert built.run(KEPT, "-t", "nobuild", "-t", "update") == ["app-1.1.0.manifest"]
    assert built.run(KEPT) == []


@pytest.mark.parametrize("phase", ["pre", "post"])
def test_a_script_for_one_phase_is_told_so(project: Project, phase: str) -> None:
    project.write("other.py", "")
    scripts = f"extra_scripts = {phase}:fota.py, pre:other.py, post:other.py\n"
    project.edit("platformio.ini", SCRIPTS, scripts)
    assert error_lines(project.pio("run")) == [
        "Error: fotabuild: extra_scripts: fota.py is listed for one phase only; "
        "write: extra_scripts = pre:fota.py, post:fota.py [FB0200]"
    ]


def test_a_python_without_fotabuild_is_told_what_to_type(
    project: Project, shipped: Path, tmp_path: Path
) -> None:
    (tmp_path / "fotabuild").mkdir()
    (tmp_path / "fotabuild" / "__init__.py").write_text("")
    project.edit("platformio.ini", SCRIPTS, f"extra_scripts = {SHIPPED.format('pre')}\n")
    env = {**_variables(shipped), "PYTHONPATH": str(tmp_path)}
    (line,) = error_lines(project.pio("run", env=env))
    assert line.startswith("Error: fotabuild is not installed in the Python that runs PlatformIO")
    assert line.endswith('" -m pip install fotabuild')


def test_the_library_has_the_version_of_the_package(shipped: Path) -> None:
    manifest = json.loads((shipped / "library" / "library.json").read_text())
    assert manifest["version"] == fotabuild.__version__
    assert (shipped / "library" / manifest["build"]["extraScript"]).is_file()


def test_the_script_of_the_documentation_is_two_lines() -> None:
    assert len(SCRIPT.splitlines()) == 2
