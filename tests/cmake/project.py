"""A tiny program with update artifacts, and real CMake builds of it."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..command import Finished
from .program import Generator, run_cmake

CONFIG = """\
# What this firmware is.
vendor:
  domain: acme.example
  custom-data-path: vendor.dat
device:
  model-name: Widget
  features: [delta, combined]
  limits:
    vendor-data-size: 64
component: MAIN
priority: 0
credentials:
  key: keys/update.key.pem
  certificate: keys/update.cert.der
payload:
  url: https://updates.example.com/{file}?$hw
delta:
  block-size: 512
  threshold: 60
releases:
- version: 1.0.0
  image: releases/app-1.0.0.bin
package:
  component: BUNDLE
  images:
  - sub-comp-name: app
    vendor-data: widget
  - sub-comp-name: table
    vendor-data: table-1
    file-name: sensor.bin
layout:
  bootloader: boot.bin
  application-offset: 512
"""
CMAKE_LISTS = """\
cmake_minimum_required(VERSION 3.20...4.0)
project(app LANGUAGES C)
find_package(FotaBuild CONFIG REQUIRED)
add_executable(app main.c text.c)
target_link_options(app PRIVATE -s -Wl,--build-id=none)
fotabuild_add_update(app VERSION 1.1.0 SETTINGS priority=1)
"""
MAIN = """\
#include <stdint.h>
extern const char text[];
extern const uint8_t arm_uc_vendor_id[];
int main(void) { return text[0] == 0 && arm_uc_vendor_id[0] == 0; }
"""
MARKER = b"PELION/BSDIFF001"
TEXT = f'const char text[] = "{MARKER.decode()} the temperature, every minute";\n'
#: How many files a build puts out, but the resources.
COUNT = 8

_NOTHING_TO_DO = re.compile(
    r"ninja: no work to do\.|\[ *\d+%\] Built target \S+|Consolidate compiler generated .*"
)
_OURS = re.compile(r"^(?:\[[^]]*\] )?fotabuild: (.*)$", re.MULTILINE)


def program_sources() -> dict[str, bytes]:
    """Return all files of the project, but its credentials."""
    table = MARKER + b"".join(hashlib.sha256(b"%d" % index).digest() for index in range(64))
    return {
        "CMakeLists.txt": CMAKE_LISTS.encode(),
        "main.c": MAIN.encode(),
        "text.c": TEXT.encode(),
        "fotabuild.yaml": CONFIG.encode(),
        "boot.bin": b"bootloader",
        "sensor.bin": b"sensor table",
        "vendor.dat": b"colour=red",
        "releases/app-0.9.0.bin": table + b"nine",
        "releases/app-1.0.0.bin": table + b"ten",
    }


def write_tree(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by relative name."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@dataclass(frozen=True)
class Project:
    """A project folder with its build folder.

    Attributes:
        folder: the source tree.
        build: the build tree.
        generator: what builds it.
        package: the installed CMake package.
    """

    folder: Path
    build: Path
    generator: Generator
    package: Path

    def path(self, name: str) -> Path:
        """Return the path of a source file."""
        return self.folder / name

    def output(self, name: str) -> Path:
        """Return the path of an artifact in the default output folder."""
        return self.build / "update" / f"{self.generator.config_folder}{name}"

    @property
    def program(self) -> Path:
        """The linked program."""
        return self.build / f"{self.generator.config_folder}app"

    def write(self, name: str, text: str | bytes) -> None:
        """Write a source file, with missing folders."""
        write_tree(self.folder, {name: text.encode() if isinstance(text, str) else text})

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace one place of a source file."""
        text = self.path(name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is not once in {name}"
        self.write(name, text.replace(old, new))

    def configure(
        self,
        *options: str,
        env: Mapping[str, str] | None = None,
        wrapper: Iterable[str] = (),
    ) -> Finished:
        """Run CMake on the source tree."""
        folders = ("-S", str(self.folder), "-B", str(self.build))
        found = f"-DFotaBuild_DIR={self.package}"
        arguments = (*folders, *self.generator.options(), found, *options)
        return run_cmake(*arguments, cwd=self.folder.parent, env=env, wrapper=wrapper)

    def configured(self, *options: str, env: Mapping[str, str] | None = None) -> Project:
        """Run CMake, which must succeed without a warning."""
        done = self.configure(*options, env=env)
        assert (done.status, done.stderr) == (0, ""), done
        return self

    def make(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        wrapper: Iterable[str] = (),
    ) -> Finished:
        """Build."""
        return run_cmake(
            "--build", self.build, *arguments, cwd=self.folder.parent, env=env, wrapper=wrapper
        )

    def made(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Build, which must succeed without a warning, and return what is said."""
        done = self.make(*arguments, env=env)
        assert (done.status, done.stderr) == (0, ""), done
        return done.stdout

    def assert_up_to_date(self, *arguments: str) -> None:
        """Build, which must find nothing to do."""
        for line in self.made(*arguments).splitlines():
            assert _NOTHING_TO_DO.fullmatch(line), line

    def artifacts(self, folder: str = "update") -> dict[str, bytes]:
        """Return all artifacts by file name."""
        return {
            path.name: path.read_bytes()
            for path in sorted((self.build / folder).rglob("*"))
            if path.is_file()
        }

    def keep_copy(self) -> Path:
        """Copy source and build tree, with dates, for :meth:`restore`."""
        copy = self.folder.parent / "copy"
        shutil.copytree(self.folder, copy / "folder")
        shutil.copytree(self.build, copy / "build")
        return copy

    def restore(self, copy: Path) -> None:
        """Put both trees back to what they were."""
        for tree, name in ((self.folder, "folder"), (self.build, "build")):
            shutil.rmtree(tree)
            shutil.copytree(copy / name, tree)


def our_commands(stdout: str) -> list[str]:
    """Return what the build said of the commands that run fotabuild, in order."""
    return _OURS.findall(stdout)
