"""The three ways to load the tool, and loading it more than once."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .project import LINK, Project
from .reference import make_reference
from .sconstructs import WAYS, WHOLE

LOAD = "import fotabuild.scons\nenv = Environment(tools=[fotabuild.scons.generate])\n"
ON_TOOL_PATH = """\
env = Environment(tools=["fota"], toolpath=[PyPackageDir("fotabuild.scons")])
"""
WITH_SETTINGS = """\
env = Environment(
    tools=[("fota", {"FOTADELTACOMSTR": "Making delta $TARGET"})],
    toolpath=[PyPackageDir("fotabuild.scons")],
)
"""
IN_SITE_TOOLS = 'env = Environment(tools=["default", "fota"])\n'


@pytest.mark.parametrize(
    "load",
    [LOAD, ON_TOOL_PATH, WITH_SETTINGS, IN_SITE_TOOLS],
    ids=["callable", "tool path", "settings", "site_tools"],
)
def test_every_way_to_load_makes_the_same(
    project: Callable[..., Project], load: str, tmp_path: Path
) -> None:
    assert LOAD in WHOLE
    built = project(WHOLE.replace(LOAD, load))
    if load == IN_SITE_TOOLS:
        specification = importlib.util.find_spec("fotabuild.scons.fota")
        assert specification is not None
        assert specification.origin
        shutil.copytree(Path(specification.origin).parent, built.path("site_scons/site_tools/fota"))
    built.build()
    made = {Path(name).name: data for name, data in built.files("build").items()}
    assert made == make_reference(built, WAYS[0], tmp_path / "reference")
    built.assert_up_to_date()


def test_the_package_is_still_importable_where_the_tool_was_found_by_name(
    project: Callable[..., Project],
) -> None:
    built = project(
        f"{ON_TOOL_PATH}import fotabuild.scons, fotabuild.config.loader\n"
        'print(fotabuild.__name__, fotabuild.scons.exists(env), env["FOTACONFIG"])\nExit(0)\n'
    )
    assert built.scons().stdout == "fotabuild True fotabuild.yaml\n"


CLONES = (
    LINK
    + """\
from fotabuild.scons import generate
env = Environment(tools=[], FOTAVERSION="1.1.0", FOTADELTACOMSTR="Making delta $TARGET")
env.Tool(generate)
env["FOTAIMAGECOMSTR"] = "Extracting image $TARGET"
env.Tool(generate)
clone = env.Clone(tools=[generate], FOTAVERSION="1.2.0")
resources = env.FotaResources("build/update_default_resources.c")
firmware = env.Command(
    "build/app.elf", ["table.bin", "app.txt", resources], Action(link, "Linking $TARGET")
)
env.FotaUpdate(firmware)
clone.Clone().FotaUpdate(firmware)
"""
)


def test_loading_twice_and_on_clones(project: Callable[..., Project]) -> None:
    built = project(CLONES)
    built.build()
    built.assert_up_to_date()
    for version in ("1.1.0", "1.2.0"):
        for files in WAYS[0].artifacts(version).values():
            assert all(built.path(file).is_file() for file in files)
    assert len(built.files("build/update")) == 2 * 11
