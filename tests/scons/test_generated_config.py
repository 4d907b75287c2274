"""A ``fotabuild.yaml`` that another step of the same build makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .changes import DELTA_MANIFESTS, DELTAS, MANIFESTS, PACKAGE
from .project import Project, made
from .reference import make_reference
from .sconstructs import SINGLE, WAYS

SINGLE_WAY = WAYS[1]
GENERATE = """\
from pathlib import Path
def fill_in(target, source, env):
    text = Path(str(source[0])).read_text(encoding="utf-8")
    Path(str(target[0])).write_text(text.replace("@PRIORITY@", ARGUMENTS.get("PRIORITY", "1")))
generated = env.Command(
    "fotabuild.yaml", ["fotabuild.yaml.in", Value(ARGUMENTS.get("PRIORITY", "1"))],
    Action(fill_in, "Linking $TARGET"),
)
"""
DECLARED_FIRST = SINGLE.replace("\nresources =", f"\n{GENERATE}resources =")
DECLARED_LAST = SINGLE + GENERATE
AS_A_NODE = DECLARED_FIRST.replace("\nresources =", '\nenv["FOTACONFIG"] = generated\nresources =')


def _project(project: Callable[..., Project], sconstruct: str) -> Project:
    text = sconstruct.replace('if "PRIORITY" in ARGUMENTS:', "if False:")
    built = project(text)
    built.edit("fotabuild.yaml", "priority: 1", "priority: @PRIORITY@")
    built.path("fotabuild.yaml").rename(built.path("fotabuild.yaml.in"))
    return built


@pytest.mark.parametrize(
    ("sconstruct", "jobs"),
    [(DECLARED_FIRST, "-j4"), (DECLARED_LAST, "-j1"), (AS_A_NODE, "-j4")],
    ids=["declared first", "declared last", "as a node"],
)
def test_generated_configuration(
    project: Callable[..., Project], sconstruct: str, jobs: str, tmp_path: Path
) -> None:
    built = _project(project, sconstruct)
    artifacts = SINGLE_WAY.artifacts()
    everything = {"fotabuild.yaml", *(files[0] for files in artifacts.values())}
    assert set(built.build(jobs)) == everything
    first = {Path(name).name: data for name, data in built.files("build").items()}
    assert first == make_reference(built, SINGLE_WAY, tmp_path / "reference")
    built.assert_up_to_date(jobs)
    manifests = {artifacts[name][0] for name in MANIFESTS}
    assert set(built.build(jobs, "PRIORITY=2")) == {"fotabuild.yaml", *manifests}
    built.assert_up_to_date(jobs, "PRIORITY=2")


def test_settings_and_files_in_a_generated_configuration(project: Callable[..., Project]) -> None:
    built = _project(project, DECLARED_FIRST)
    artifacts = SINGLE_WAY.artifacts()
    built.build()
    source = "fotabuild.yaml.in"

    def check(*names: str) -> None:
        assert set(built.build()) == {artifacts[name][0] for name in names} | {"fotabuild.yaml"}
        built.assert_up_to_date()

    built.edit(source, "# What", "# Comment: what")
    check()
    built.edit(source, "block-size: 512", "block-size: 256")
    check(*DELTAS, *DELTA_MANIFESTS)
    built.write("second.bin", "another packaged image")
    built.edit(source, "file-name: sensor.bin", "file-name: second.bin")
    check(*PACKAGE)
    built.edit(source, "acme.example", "acme2.example")
    check(*artifacts)

    built.write("second.bin", "the same file with other bytes")
    assert set(built.build()) == {artifacts[name][0] for name in PACKAGE}


def test_dry_run_and_cleaning_before_the_configuration_exists(
    project: Callable[..., Project],
) -> None:
    built = _project(project, DECLARED_FIRST)
    before = built.files()
    done = built.scons("-n")
    assert (done.status, done.stderr) == (0, "")
    assert len(made(done.stdout)) == 11
    assert built.scons("-c").status == 0
    assert built.files() == before


def test_a_whole_update_needs_the_configuration_at_reading_time(
    project: Callable[..., Project],
) -> None:
    built = project()
    built.path("fotabuild.yaml").unlink()
    done = built.scons()
    assert done.status == 2
    [line] = [line for line in done.stderr.splitlines() if line.startswith("scons: ***")]
    assert "FotaUpdate" in line
    assert "fotabuild.yaml: cannot read the configuration" in line
    assert "Traceback" not in done.stderr
