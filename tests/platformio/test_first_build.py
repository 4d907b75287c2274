"""A build from nothing, and building again."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.config.loader import load_config

from ..command import run_fotabuild
from .project import Project

pytestmark = pytest.mark.platformio

ARTIFACTS = [
    "app-1.0.0-to-1.1.0.manifest",
    "app-1.0.0-to-1.1.0.patch",
    "app-1.0.0-to-1.1.0.yaml",
    "app-1.1.0.bin",
    "app-1.1.0.manifest",
    "app-1.1.0.package.manifest",
    "app-1.1.0.package.tar",
]


def test_a_build_makes_all_artifacts(first_build: tuple[Project, list[str]]) -> None:
    project, made = first_build
    assert list(project.artifacts) == ARTIFACTS
    assert set(made) >= set(ARTIFACTS) - {"app-1.0.0-to-1.1.0.yaml"}
    assert len(made) == len(set(made))


def test_the_firmware_carries_the_identity(built: Project) -> None:
    identity = load_config(built.path("fotabuild.yaml"), environ={}).identity
    image = built.artifacts["app-1.1.0.bin"]
    assert identity.vendor_id.bytes in image
    assert identity.class_id.bytes in image
    assert built.path("keys/update.cert.der").read_bytes() in image
    assert b"firmware 1.1.0" in image


def test_the_image_is_what_objcopy_makes(built: Project) -> None:
    assert built.artifacts["app-1.1.0.bin"] == (built.build / "firmware.bin").read_bytes()


def test_a_second_build_does_nothing(built: Project) -> None:
    before = _states(built.folder)
    built.assert_up_to_date()
    after = _states(built.folder)
    assert {name: after[name] for name in before if ".sconsign" not in name} == {
        name: before[name] for name in before if ".sconsign" not in name
    }
    assert set(after) == set(before)


def test_the_command_line_makes_the_same_bytes(built: Project, tmp_path: Path) -> None:
    image = built.build / "firmware.elf"
    done = run_fotabuild(
        *("build", image, "--fw-version", "1.1.0", "--name", "app", "--output-dir", tmp_path),
        cwd=built.folder,
    )
    assert done.status == 0, done
    assert built.artifacts == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def _states(folder: Path) -> dict[str, tuple[int, int]]:
    states = {}
    for path in folder.rglob("*"):
        if path.is_file():
            status = path.stat()
            states[str(path.relative_to(folder))] = (status.st_ino, status.st_mtime_ns)
    return states
