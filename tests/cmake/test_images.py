"""Where the image comes from, and where artifacts go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .changes import LISTS
from .program import GENERATORS, Generator, cmake_version, run_cmake
from .project import CMAKE_LISTS, Project, our_commands, program_sources

pytestmark = [pytest.mark.cmake, pytest.mark.cc]

# Like the old one, so that a delta is worth it.
IMAGE = program_sources()["releases/app-1.0.0.bin"]
FIND = CMAKE_LISTS[: CMAKE_LISTS.index("add_executable")]
PROGRAM = "add_executable(app main.c text.c)\n"
UPDATE = "fotabuild_add_update(app VERSION 1.1.0 SETTINGS priority=1 IMAGE {image})\n"
PATCHED = """\
add_custom_command(OUTPUT app.img DEPENDS raw.img
    COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/raw.img app.img)
"""
POST_BUILD = """\
add_custom_command(TARGET app POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/raw.img app.img)
set_target_properties(app PROPERTIES LINK_DEPENDS ${CMAKE_SOURCE_DIR}/raw.img)
"""
PREBUILT = "${CMAKE_SOURCE_DIR}/raw.img"
IN_TARGET_FOLDER = POST_BUILD.replace(" app.img", " $<TARGET_FILE_DIR:app>/app.img")


NINJA, MAKE, MULTI = (Generator(name) for name in GENERATORS)
CASES = {
    "custom command": (NINJA, PATCHED, "app.img"),
    "custom command, make": (MAKE, PATCHED, "app.img"),
    "post build": (NINJA, POST_BUILD, "app.img"),
    "post build, make": (MAKE, POST_BUILD, "app.img"),
    "generator expression": (MULTI, IN_TARGET_FOLDER, "$<TARGET_FILE_DIR:app>/app.img"),
    "prebuilt": (NINJA, "", PREBUILT),
}


@pytest.mark.parametrize(("generator", "extra", "image"), CASES.values(), ids=CASES.keys())
def test_an_image_that_is_not_the_linked_file(
    project: Callable[..., Project], generator: Generator, extra: str, image: str
) -> None:
    built = project(generator)
    built.write(LISTS, FIND + PROGRAM + extra + UPDATE.format(image=image))
    built.write("raw.img", IMAGE + b"first")
    built.configured().made()
    assert built.output("app-1.1.0.bin").read_bytes() == IMAGE + b"first"
    built.assert_up_to_date()

    built.write("raw.img", IMAGE + b"second")
    assert "app-1.1.0.bin" in our_commands(built.made())[0]
    assert built.output("app-1.1.0.bin").read_bytes() == IMAGE + b"second"
    built.assert_up_to_date()
    # Configured when the image exists already.
    built.configured()
    built.assert_up_to_date()


def test_a_post_build_file_that_changes_without_a_link(project: Callable[..., Project]) -> None:
    built = project()
    built.write(LISTS, FIND + PROGRAM + POST_BUILD + UPDATE.format(image="app.img"))
    built.write("raw.img", IMAGE + b"first")
    built.configured().made()
    (built.build / "app.img").write_bytes(IMAGE + b"signed by hand")
    built.made()
    assert built.output("app-1.1.0.bin").read_bytes() == IMAGE + b"signed by hand"
    built.assert_up_to_date()


def test_a_firmware_that_something_else_builds(project: Callable[..., Project]) -> None:
    built = project()
    text = FIND.replace("LANGUAGES C", "LANGUAGES NONE")
    copy = PATCHED + "add_custom_target(app DEPENDS app.img)\n"
    built.write(LISTS, text + copy + UPDATE.format(image="app.img NO_RESOURCES"))
    built.write("raw.img", IMAGE + b"first")
    built.configured().made()
    assert built.output("app-1.1.0.bin").read_bytes() == IMAGE + b"first"
    assert not list(built.build.rglob("update_default_resources.c"))
    built.assert_up_to_date()


INSTALL = (
    PROGRAM
    + """\
fotabuild_add_update(app VERSION 1.1.0 INSTALL_DESTINATION share/update SETTINGS priority=1)
install(TARGETS app)
foreach(name IMAGE MANIFEST PACKAGE PACKAGE_MANIFEST FACTORY_IMAGE DELTAS DELTA_MANIFESTS ARTIFACTS)
    list(APPEND lines "${name}=$<TARGET_GENEX_EVAL:app,$<TARGET_PROPERTY:app,FOTABUILD_${name}>>")
endforeach()
list(JOIN lines "\\n" text)
file(GENERATE OUTPUT properties$<CONFIG>.txt CONTENT "${text}\\n")
"""
)


def test_installation_and_properties(
    project: Callable[..., Project], generator: Generator, tmp_path: Path
) -> None:
    built = project(generator)
    built.write(LISTS, FIND + INSTALL)
    built.configured()
    config = ("--config", "Debug") if generator.is_multi else ()

    # A release job that forgot to build must not ship nothing.
    install = ("--install", built.build, *config, "--component", "update", "--prefix")
    done = run_cmake(*install, tmp_path / "nothing", cwd=tmp_path)
    assert done.status != 0
    assert "app-1.1.0" in done.stderr

    built.made()
    done = run_cmake(*install, tmp_path / "prefix", cwd=tmp_path)
    assert (done.status, done.stderr) == (0, "")
    installed = {
        path.relative_to(tmp_path / "prefix").as_posix(): path.read_bytes()
        for path in (tmp_path / "prefix").rglob("*")
        if path.is_file()
    }
    expected = {f"share/update/{name}": data for name, data in built.artifacts().items()}
    assert installed == expected

    name = "propertiesDebug.txt" if generator.is_multi else "properties.txt"
    lines = (built.build / name).read_text(encoding="utf-8").splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    everything = properties.pop("ARTIFACTS").split(";")
    assert sorted(Path(file).name for file in everything) == sorted(built.artifacts())
    assert {key: Path(file).name for key, file in properties.items()} == {
        "IMAGE": "app-1.1.0.bin",
        "MANIFEST": "app-1.1.0.manifest",
        "PACKAGE": "app-1.1.0.package.tar",
        "PACKAGE_MANIFEST": "app-1.1.0.package.manifest",
        "FACTORY_IMAGE": "app-1.1.0.factory.bin",
        "DELTAS": "app-1.0.0-to-1.1.0.patch",
        "DELTA_MANIFESTS": "app-1.0.0-to-1.1.0.manifest",
    }
    for file in properties.values():
        assert Path(file) == built.output(Path(file).name)


def test_the_cmake_under_test_is_supported() -> None:
    assert cmake_version() >= (3, 20)
