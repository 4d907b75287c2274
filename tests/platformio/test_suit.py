"""SUIT manifests of PlatformIO builds: made, verified, and made again when something changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .project import Project

pytestmark = pytest.mark.platformio

SUIT = "formats: [v3, suit]\nsuit:\n  components:\n  - {component-id: [sensor], file: sensor.bin}\n"
NAME = "app-1.1.0.suit"
PACKAGE = {"app-1.1.0.package.tar", "app-1.1.0.package.manifest"}


def test_a_build_emits_a_suit_manifest_and_remakes_it(
    built: Project, figure: Callable[[str], None]
) -> None:
    built.edit("fotabuild.yaml", "priority: 1\n", f"priority: 1\n{SUIT}")
    found = [(built.run(), {NAME})]
    built.edit("fotabuild.yaml", "suit:\n", "suit:\n  key-id: x\n")
    found.append((built.run(), {NAME}))
    built.write("sensor.bin", "another table")
    found.append((built.run(), {NAME} | PACKAGE))
    # An option of the environment is a setting as any other.
    built.option("custom_fotabuild_suit_component_id = 01")
    found.append((built.run("--disable-auto-clean"), {NAME}))
    found.append((built.run("--disable-auto-clean"), set()))
    wrong = [(made, expected) for made, expected in found if set(made) != expected]
    figure(f"PlatformIO, SUIT: wrong decisions: {len(wrong)} of {len(found)}")
    assert not wrong
    done = built.pio("run", "--disable-auto-clean", "-t", "update-verify")
    assert done.status == 0, done
    assert f"accepted: {NAME}, " in done.stdout
