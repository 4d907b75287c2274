"""Environments side by side, and surroundings that are not as usual."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..scons.permissions import OBEYING_MODES
from .core_folder import make_core_folder
from .project import ENVIRONMENT, INI, Project

pytestmark = pytest.mark.platformio

BARE = f"""\
[env:bare]
platform = {INI.split("platform = ")[1].splitlines()[0]}
board = mps2_an386
extra_scripts = pre:fota.py, post:fota.py
"""
IDENTITY = """\
#include <stdint.h>
const uint8_t arm_uc_vendor_id[16] = {1};
const uint8_t arm_uc_class_id[16] = {2};
const uint8_t arm_uc_default_certificate[1] = {3};
"""
# Without options the firmware has no identity to show.
MAIN = "int main(void) { return 0; }\n"


def test_an_environment_without_options_is_left_alone(project: Project) -> None:
    project.write("platformio.ini", BARE)
    project.write("src/main.c", MAIN)
    project.path("fotabuild.yaml").unlink()
    made = sorted(project.run())
    assert made == ["firmware.elf", "main.o", "memory.o", "semihosting.o", "startup.o", "uart.o"]
    done = project.pio("run", "--list-targets")
    assert done.status == 0
    assert "update" not in done.stdout


def test_two_environments_do_not_meet(project: Project) -> None:
    other = INI.replace(f"[env:{ENVIRONMENT}]", "[env:other]").replace("= app", "= other")
    project.write("platformio.ini", INI + other)
    project.option("custom_fotabuild_device_model_name = Gadget")
    made = project.run()
    assert {"app-1.1.0.manifest", "other-1.1.0.manifest"} <= set(made)
    folders = [
        project.folder / ".pio" / "build" / name / "update" for name in (ENVIRONMENT, "other")
    ]
    one, two = ({path.name for path in folder.iterdir()} for folder in folders)
    assert {name.replace("app", "other", 1) for name in one} == two
    identities = [
        (folder / name).read_bytes()
        for folder, name in zip(
            folders, ("app-1.1.0.manifest", "other-1.1.0.manifest"), strict=True
        )
    ]
    assert identities[0] != identities[1]
    assert project.run() == []


def test_nothing_is_written_to_the_source_tree(project: Project, tmp_path: Path) -> None:
    before = _states(project.folder)
    obeying = Project(project.folder, project.core, OBEYING_MODES)
    # PlatformIO itself asks for a project folder that could be written to.
    folders = [path for path in project.folder.rglob("*") if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    env = {"PLATFORMIO_WORKSPACE_DIR": str(tmp_path / "workspace")}
    try:
        made = obeying.run(env=env)
        again = obeying.run(env=env)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert "app-1.1.0.manifest" in made
    assert again == []
    assert _states(project.folder) == before
    assert (tmp_path / f"workspace/build/{ENVIRONMENT}/update/app-1.1.0.manifest").is_file()


def test_a_build_needs_no_network(project: Project, tmp_path: Path) -> None:
    make_core_folder(tmp_path)
    cut_off = Project(project.folder, tmp_path, _without_network())
    # Where the network cannot be taken away, nothing answers at this address.
    nowhere = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    assert "app-1.1.0.manifest" in cut_off.run(env=nowhere)


def _without_network() -> tuple[str, ...]:
    """Return a command line that runs another in a network of its own, if that is allowed."""
    wrapper = ("unshare", "--map-root-user", "--net")
    try:
        probe = subprocess.run([*wrapper, sys.executable, "-c", ""], check=False, timeout=60)
    except OSError:
        return ()
    return wrapper if probe.returncode == 0 else ()


def test_a_build_cache_never_holds_what_is_signed(project: Project, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    env = {"PLATFORMIO_BUILD_CACHE_DIR": str(cache)}
    project.run(env=env)
    artifacts = project.artifacts
    cached = {path.read_bytes() for path in cache.rglob("*") if path.is_file()}
    signed = {data for name, data in artifacts.items() if name.endswith(".manifest")}
    assert len(signed) == 3
    assert not signed & cached
    assert artifacts["app-1.1.0.bin"] in cached
    manifest = project.build / "update" / "app-1.1.0.manifest"
    manifest.unlink()
    assert project.run(env=env) == ["app-1.1.0.manifest"]
    assert project.artifacts == artifacts


def test_the_platforms_image_and_another_folder_can_be_chosen(built: Project) -> None:
    before = built.artifacts
    built.option(
        "custom_fotabuild_image = $BUILD_DIR/${PROGNAME}.bin",
        "custom_fotabuild_output_dir = dist/$PIOENV",
    )
    made = built.run("--disable-auto-clean")
    assert sorted(made) == sorted(name for name in before if not name.endswith(".yaml"))
    folder = built.folder / "dist" / ENVIRONMENT
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_program_with_an_identity_of_its_own(project: Project) -> None:
    project.option("custom_fotabuild_resources = no")
    project.write("src/identity.c", IDENTITY)
    project.edit("platformio.ini", "pre:fota.py, ", "")
    made = project.run()
    assert "identity.o" in made
    assert "update_default_resources.c" not in made
    assert "app-1.1.0.manifest" in made


@pytest.mark.parametrize("cache", ["CMakeCache.txt", "mbed-os/CMakeCache.txt"])
def test_cmake_inside_the_build_makes_the_artifacts_itself(project: Project, cache: str) -> None:
    project.write("src/main.c", MAIN)
    found = "# A comment\nFotaBuild_DIR:PATH=/somewhere/FotaBuild\nOTHER:BOOL=ON\n"
    project.write(f".pio/build/{ENVIRONMENT}/{cache}", found)
    done = project.pio("run", "--disable-auto-clean")
    assert (done.status, done.stderr) == (0, ""), done
    assert done.stdout.count("fotabuild: CMake makes the update artifacts") == 1
    assert "manifest" not in done.stdout
    assert "resources" not in done.stdout


def test_a_cmake_build_without_fotabuild_is_none_of_our_business(built: Project) -> None:
    unfound = "FotaBuild_DIR:PATH=FotaBuild_DIR-NOTFOUND\n"
    built.write(f".pio/build/{ENVIRONMENT}/CMakeCache.txt", unfound)
    (built.build / "update" / "app-1.1.0.manifest").unlink()
    assert built.run() == ["app-1.1.0.manifest"]


def _states(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in (folder, *folder.rglob("*"))
    }


def test_a_signing_tool_gets_the_name_of_its_key_as_it_stands(project: Project) -> None:
    """Whichever of the two files names the tool, and wherever that lies."""
    project.write(
        "sign",
        '#!/bin/sh\n[ "$2" = slot/../7 ] && '
        f'exec openssl dgst -sha256 -sign "{project.path("keys/update.key.pem")}" -out "$4" "$3"\n',
    )
    project.path("sign").chmod(0o755)
    project.edit("fotabuild.yaml", "  key: keys/update.key.pem\n", "  signing-tool: ./sign\n")
    project.option("custom_fotabuild_credentials_key = slot/../7")
    assert "app-1.1.0.manifest" in project.run()
    # PlatformIO builds all again when its own file changes.
    project.edit("fotabuild.yaml", "  signing-tool: ./sign\n", "")
    project.option("custom_fotabuild_credentials_signing_tool = ./sign")
    assert "app-1.1.0.manifest" in project.run()
