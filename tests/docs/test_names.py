"""The reference pages name everything that the code has, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fotabuild
from fotabuild.device.profile import DeviceFeature, DeviceLimits

from .check_names import check_names
from .pages import ROOT, code_names, first_table

CHECKS = ROOT / "docs" / "device-checks.md"
SCONS = ROOT / "docs" / "scons.md"
_SECTIONS = (
    "Manifest",
    "Manifest v1",
    "Manifest v1 and the older client",
    "Payload",
    "Patch",
    "Package",
    "Update resources",
    "SUIT manifest",
)
# Prints the construction variables and methods that the tool adds.
_ADDED = """
import json, fotabuild.scons
from SCons.Environment import Environment
plain, loaded = Environment(tools=[]), Environment(tools=[fotabuild.scons.generate])
fotabuild.scons.generate(loaded.Clone())
names = sorted(set(loaded.Dictionary()) - set(plain.Dictionary()))
methods = [name for name in dir(loaded) if name.startswith("Fota")]
print(json.dumps([names, methods]))
"""


def test_every_device_check_is_explained() -> None:
    rows = [row for section in _SECTIONS for row in first_table(CHECKS, f"## {section}")]
    explained = {code_names(row[0])[0] for row in rows}
    assert explained == check_names(Path(fotabuild.__file__).parent / "device")


def test_every_feature_is_explained_and_every_limit_named_there_exists() -> None:
    rows = first_table(CHECKS, "## Describe your device")
    assert {code_names(row[0])[0] for row in rows} == {feature.value for feature in DeviceFeature}
    limits = {name.replace("_", "-") for name in DeviceLimits.__struct_fields__}
    text = CHECKS.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:at most|exactly|into|of) `([a-z-]+)`", text))
    assert named
    assert named <= limits


@pytest.fixture(scope="module")
def added() -> tuple[set[str], set[str]]:
    """Names of the construction variables and of the builders that the tool adds."""
    done = subprocess.run(
        [sys.executable, "-c", _ADDED],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    variables, methods = json.loads(done.stdout)
    return set(variables), set(methods)


def test_every_construction_variable_is_explained(added: tuple[set[str], set[str]]) -> None:
    rows = first_table(SCONS, "## Construction variables")
    explained = {name for row in rows for name in code_names(row[0])}
    assert explained == added[0]


def test_every_builder_is_explained(added: tuple[set[str], set[str]]) -> None:
    rows = first_table(SCONS, "## One artifact at a time")
    explained = {code_names(row[0])[0].partition("(")[0] for row in rows}
    # The one builder that is not for users has a sentence of its own.
    assert explained | {"FotaResourcesFile"} == added[1]


def test_the_defaults_of_construction_variables_are_right() -> None:
    from fotabuild.scons.tool import _DEFAULTS

    rows = first_table(SCONS, "## Construction variables")
    shown = {name: row[1].strip() for row in rows for name in code_names(row[0])}
    for name, value in _DEFAULTS.items():
        if not name.endswith("COMSTR"):
            assert shown[name] == (f"`{value}`" if value or value == {} else "empty"), name
