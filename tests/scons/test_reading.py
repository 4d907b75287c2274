"""Reading SConscripts has no side effects and needs no secrets."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from .changes import KEY, MANIFESTS
from .permissions import OBEYING_MODES
from .project import Project, made
from .sconstructs import WAYS, Way

BY_NAME = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
WATCH = """\
import os, sys
watched = ("open", "os.mkdir", "os.rename", "os.remove", "socket.connect", "subprocess.Popen")
events = []
sys.addaudithook(lambda name, values: events.append((name, values)) if name in watched else None)
"""
REPORT = """
import json
opened = [values for name, values in events if name == "open"]
print(json.dumps({
    "read": sorted({os.path.relpath(values[0]) for values in opened if isinstance(values[0], str)}),
    "written": [str(v[0]) for v in opened if v[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)],
    "other": [str(event) for event in events if event[0] != "open"],
}))
Exit(0)
"""


@BY_NAME
def test_reading_opens_the_configuration_at_most(project: Callable[..., Project], way: Way) -> None:
    built = project(WATCH + way.sconstruct + REPORT)
    seen = json.loads(built.scons().stdout)
    inside = [name for name in seen["read"] if not name.startswith("..")]
    assert inside == (["fotabuild.yaml"] if way.versioned else [])
    assert seen["written"] == []
    assert seen["other"] == []


@BY_NAME
def test_a_missing_key_stops_what_is_signed_only(project: Callable[..., Project], way: Way) -> None:
    built = project(way.sconstruct)
    built.path(KEY).unlink()
    artifacts = way.artifacts()
    unsigned = {name: files for name, files in artifacts.items() if name not in MANIFESTS}
    dry = built.scons("-n", "-k")
    done = built.scons("-k")
    assert (dry.status, dry.stderr) == (done.status, done.stderr)
    assert done.status == 2
    assert sorted(made_lines(done.stdout)) == sorted(files[0] for files in unsigned.values())
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("scons: *** [") and KEY in line for line in lines)
    assert built.scons("-c").status == 0
    assert not built.files("build")


def made_lines(stdout: str) -> list[str]:
    kept = [line for line in stdout.splitlines() if not line.startswith("scons: ")]
    return made("".join(f"{line}\n" for line in kept))


@BY_NAME
def test_dry_run_and_cleaning_with_an_unreadable_key(
    project: Callable[..., Project], way: Way
) -> None:
    built = project(way.sconstruct)
    built.path(KEY).chmod(0)
    dry = built.scons("-n", wrapper=OBEYING_MODES)
    assert (dry.status, dry.stderr) == (0, "")
    assert len(made(dry.stdout)) == len(way.artifacts())
    built.path(KEY).chmod(0o600)
    built.build()
    built.path(KEY).chmod(0)
    again = built.scons("-n", wrapper=OBEYING_MODES)
    assert (again.status, again.stderr) == (0, "")
    clean = built.scons("-c", wrapper=OBEYING_MODES)
    assert (clean.status, clean.stderr) == (0, "")
    assert not built.files("build")
    assert built.path(KEY).exists()
