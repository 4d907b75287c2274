"""What CMake is told when a call cannot work: one line, at configure time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .changes import LISTS, YAML
from .project import CMAKE_LISTS, Project

pytestmark = [pytest.mark.cmake, pytest.mark.cc]

CALL = "fotabuild_add_update(app VERSION 1.1.0 SETTINGS priority=1)"
# Instead of the call, and what is said about it.
WRONG_CALLS = {
    "unknown keyword": (
        "fotabuild_add_update(app VERSION 1.1.0 VERSOIN 2)",
        "fotabuild_add_update: unknown: VERSOIN;2",
    ),
    "keyword without a value": (
        "fotabuild_add_update(app VERSION 1.1.0 CONFIG)",
        "fotabuild_add_update: no value given for CONFIG",
    ),
    "version missing": (
        "fotabuild_add_update(app)",
        "fotabuild_add_update: VERSION is missing",
    ),
    "version without a value": (
        "fotabuild_add_update(app CONFIG fotabuild.yaml VERSION)",
        "fotabuild_add_update: no value given for VERSION",
    ),
    "no version": (
        "fotabuild_add_update(app VERSION one)",
        "fotabuild: 'one' is not a firmware version",
    ),
    "unknown target": (
        "fotabuild_add_update(nope VERSION 1.1.0)",
        "fotabuild_add_update: there is no target 'nope'",
    ),
    "a target that is no program": (
        "add_custom_target(nope)\nfotabuild_add_update(nope VERSION 1.1.0)",
        "fotabuild_add_update: 'nope' is no executable: give its IMAGE",
    ),
    "missing configuration": (
        "fotabuild_add_update(app VERSION 1.1.0 CONFIG nope.yaml)",
        "nope.yaml: cannot read the configuration: No such file or directory [FB0300]",
    ),
    "unknown setting": (
        "fotabuild_add_update(app VERSION 1.1.0 SETTINGS prioriti=1)",
        "prioriti: there is no such setting [FB0200]",
    ),
    "setting without a value": (
        "fotabuild_add_update(app VERSION 1.1.0 SETTINGS priority)",
        "--build-setting needs NAME=VALUE, not 'priority' [FB0100]",
    ),
    "setting of another type": (
        "fotabuild_add_update(app VERSION 1.1.0 SETTINGS priority=high)",
        "priority: ",
    ),
    "image without an output": (
        "fotabuild_add_image(image SOURCE a TARGET app OUTPUT)",
        "fotabuild_add_image: no value given for OUTPUT",
    ),
    "artifacts over the configuration": (
        "fotabuild_add_image(image SOURCE a OUTPUT b)\n"
        "fotabuild_add_package(p OUTPUT ${CMAKE_SOURCE_DIR}/fotabuild.yaml IMAGE a)",
        "fotabuild.yaml: this output would overwrite",
    ),
    "image without a source": (
        "fotabuild_add_image(image OUTPUT app.bin)",
        "fotabuild_add_image: SOURCE is missing",
    ),
    "delta with a wrong block size": (
        "fotabuild_add_delta(delta OLD a NEW b OUTPUT c BLOCK_SIZE 8)",
        "--block-size must be between",
    ),
    "delta with no block size at all": (
        "fotabuild_add_delta(delta OLD a NEW b OUTPUT c BLOCK_SIZE 0)",
        "--block-size must be between",
    ),
    "delta with a word for a size": (
        "fotabuild_add_delta(delta OLD a NEW b OUTPUT c BLOCK_SIZE many)",
        "invalid int value: 'many'",
    ),
    "delta with an effort that there is not": (
        "fotabuild_add_delta(delta OLD a NEW b OUTPUT c EFFORT extreme)",
        "argument --effort: invalid choice: 'extreme'",
    ),
    "delta in no time": (
        "fotabuild_add_delta(delta OLD a NEW b OUTPUT c TIME_LIMIT 0)",
        "--time-limit must be above 0",
    ),
    "manifest of an unknown format": (
        "fotabuild_add_manifest(m PAYLOAD a FORMAT zip VERSION 1.0.0 OUTPUT b)",
        "argument --format: invalid choice: 'zip'",
    ),
    "a package that is not declared": (
        "fotabuild_add_package(p OUTPUT b IMAGE a CONFIG small.yaml)",
        "package: this project declares no package",
    ),
}
SMALL = """\
vendor: {domain: acme.example}
device: {model-name: Widget}
"""


@pytest.mark.parametrize(("call", "message"), WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_wrong_calls(project: Callable[..., Project], call: str, message: str) -> None:
    built = project()
    built.write("small.yaml", SMALL)
    built.edit(LISTS, CALL, call)
    assert_refused(built, message)


WRONG_FILES = {
    "syntax": ("vendor:", "vendor: [", ": YAML syntax: "),
    "unknown key": ("priority:", "prioriti:", "prioriti: unknown key; did you mean 'priority'?"),
    "key that stands twice": ("component: MAIN", "component: A\ncomponent: B", "stands twice"),
    "no URL": ("payload:\n  url: https://updates.example.com/{file}?$hw\n", "", "payload.url: "),
    "a list": ("vendor.dat", "a;b.dat", "CMake takes '"),
    "an old version": ("version: 1.0.0", "version: one", "releases[0].version: "),
}


@pytest.mark.parametrize(("old", "new", "message"), WRONG_FILES.values(), ids=WRONG_FILES.keys())
def test_wrong_configurations(
    project: Callable[..., Project], old: str, new: str, message: str
) -> None:
    built = project()
    built.edit(YAML, old, new)
    assert_refused(built, message)


def test_a_configuration_that_breaks_stops_the_next_build(
    project: Callable[..., Project],
) -> None:
    built = project().configured()
    built.made()
    before = built.artifacts()
    built.edit(YAML, "priority:", "prioriti:")
    done = built.make()
    assert done.status != 0
    assert f" fotabuild: {built.path(YAML)}:" in done.stdout + done.stderr
    assert built.artifacts() == before
    built.edit(YAML, "prioriti:", "priority:")
    built.made()
    assert built.artifacts() == before


def test_a_project_without_c(project: Callable[..., Project]) -> None:
    built = project()
    text = CMAKE_LISTS.replace("LANGUAGES C", "LANGUAGES NONE")
    built.write(
        LISTS,
        text.replace(
            " main.c text.c", ' "")\nset_target_properties(app PROPERTIES LINKER_LANGUAGE C'
        ),
    )
    assert_refused(built, "fotabuild: update resources are C: enable_language(C) is missing")


def test_notes_of_the_plan_are_shown(project: Callable[..., Project]) -> None:
    built = project()
    built.edit(YAML, "- version: 1.0.0", "- version: 1.2.0")
    done = built.configure()
    assert (done.status, done.stderr) == (0, "")
    assert "-- fotabuild: app: no delta from 1.2.0: it is not older than 1.1.0" in done.stdout


def assert_refused(project: Project, message: str) -> None:
    """Configure, which must stop with ``message`` on one line, and without a traceback."""
    done = project.configure()
    assert done.status != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("   fotabuild")]
    assert len(lines) == 1, done.stderr
    assert message in lines[0]
    assert "Traceback" not in done.stderr
