"""Construction variables: the user's stay, ours are not shared, and all reach the artifacts."""

from __future__ import annotations

from collections.abc import Callable

from .project import LINK, Project
from .sconstructs import SINGLE, WHOLE

SHOW = """\
from fotabuild.scons import generate
from fotabuild.scons.tool import add_to
mine = {
    "FOTACONFIG": "mine.yaml", "FOTASETTINGS": {"priority": 3}, "FOTAVERSION": "3.0.0",
    "FOTAFORMAT": "raw-binary", "FOTACOMPONENT": "MINE", "FOTAPRECURSOR": "old.bin",
    "FOTAPRECURSORVERSION": "2.0.0", "FOTADECODERDIR": "decoder",
    "FOTARESOURCESCOMSTR": "a", "FOTAIMAGECOMSTR": "b", "FOTADELTACOMSTR": "c",
    "FOTAMANIFESTFORMAT": "v1",
    "FOTAPACKAGECOMSTR": "d", "FOTAMANIFESTCOMSTR": "e", "FOTAFACTORYCOMSTR": "f",
    "FOTAUPLOADCOMSTR": "g", "FOTAUPLOADFLAGS": ["--full"],
    "FOTAREPORTCOMSTR": "r",
}
env = Environment(tools=[], **mine)
env.Tool(generate)
changed = sorted(name for name in mine if env[name] != mine[name])
plain = Environment(tools=[generate])
unset = sorted(
    name for name in plain.Dictionary()
    if name.startswith("FOTA") and name not in mine and not name.endswith("COM")
)
print(changed, unset)
Exit(0)
"""


def test_variables_that_the_user_set_are_kept(project: Callable[..., Project]) -> None:
    done = project(SHOW).scons()
    assert (done.status, done.stdout) == (0, "[] ['FOTASIGNATURE']\n"), done


def test_settings_of_one_environment_do_not_reach_another(project: Callable[..., Project]) -> None:
    built = project(
        "from fotabuild.scons import generate\n"
        "one, other = (Environment(tools=[generate]) for _ in range(2))\n"
        'one["FOTASETTINGS"]["priority"] = 7\nprint(other["FOTASETTINGS"])\nExit(0)\n'
    )
    assert built.scons().stdout == "{}\n"


def test_own_messages_and_the_call_where_there_is_none(project: Callable[..., Project]) -> None:
    ours = '\nenv.Replace(FOTADELTACOMSTR="D $SOURCE -> $TARGET", FOTAMANIFESTCOMSTR="")\n'
    built = project(SINGLE.replace("\nenv.Replace", f"{ours}env.Replace", 1))
    lines = built.scons().stdout.splitlines()
    assert "D releases/app-1.0.0.bin -> build/since-1.0.0.patch" in lines
    [call] = [line for line in lines if '(["build/app.manifest"]' in line]
    assert '"build/app.bin"' in call


def test_messages_are_no_part_of_the_decision(project: Callable[..., Project]) -> None:
    built = project(WHOLE)
    built.build()
    built.edit("SConstruct", "generate])", 'generate], FOTADELTACOMSTR="Making delta: $TARGET")')
    built.assert_up_to_date()


TWO = (
    LINK
    + """\
import fotabuild.scons
base = Environment(tools=["default", fotabuild.scons.generate], FOTAVERSION="1.1.0")
for name in ("left", "right"):
    env = base.Clone(FOTACONFIG=f"{name}.yaml")
    resources = env.FotaResources(f"build/{name}_resources.c")
    firmware = env.Command(
        f"build/{name}.elf", ["table.bin", "app.txt", resources], Action(link, "Linking $TARGET")
    )
    env.FotaUpdate(firmware, folder="build/update")
"""
)


def test_two_firmware_targets_in_one_project(project: Callable[..., Project]) -> None:
    built = project(TWO)
    text = built.path("fotabuild.yaml").read_text()
    for name in ("left", "right"):
        built.write(f"{name}.yaml", text.replace("Widget", name))
    built.build("-j4")
    assert len(built.files("build/update")) == 2 * 11
    built.assert_up_to_date()
    built.edit("left.yaml", "priority: 1", "priority: 2")
    targets = built.build("-j4")
    assert len(targets) == 4
    assert all(target.startswith("build/update/left-") for target in targets)
