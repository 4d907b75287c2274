"""A tiny firmware project for the example's board, and real PlatformIO runs on it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..command import Finished
from ..conftest import ROOT
from .core_folder import platformio_environment

PLATFORM = ROOT / "examples" / "mbed-os" / "platform"
ENVIRONMENT = "device"
MARKER = b"PELION/BSDIFF001"
_VERBS = (
    "Writing update resources",
    "Compiling",
    "Linking",
    "Extracting image",
    "Making delta",
    "Packing",
    "Signing manifest",
)
_MADE = re.compile(rf"(?:{'|'.join(_VERBS)}) (.+)")

INI = f"""\
[env:{ENVIRONMENT}]
platform = symlink://{PLATFORM}
board = mps2_an386
build_flags = '-DAPP_VERSION="${{this.custom_fotabuild_version}}"'
extra_scripts = pre:fota.py, post:fota.py
custom_fotabuild_version = 1.1.0
custom_fotabuild_name = app
custom_fotabuild_priority = ${{sysenv.APP_PRIORITY}}
"""
SCRIPT = """\
Import("env")
from fotabuild.platformio import attach; attach(env)
"""
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
priority: 1
credentials:
  key: keys/update.key.pem
  certificate: keys/update.cert.der
payload:
  url: https://updates.example.com/{file}?$hw
delta:
  threshold: 1000
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
"""
MAIN = """\
#include <stdint.h>
#include "uart.h"

extern const uint8_t arm_uc_vendor_id[];
extern const uint8_t arm_uc_class_id[];
extern const uint8_t arm_uc_default_certificate[];

/* An update client has its patch decoder here. */
static const char decoder[] = "PELION/BSDIFF001";

int main(void)
{
    uart_write("firmware " APP_VERSION ", ");
    uart_write(decoder);
    uart_write(", once a minute\\n");
    return arm_uc_vendor_id[0] + arm_uc_class_id[0] + arm_uc_default_certificate[0] == 0;
}
"""


def sources() -> dict[str, str]:
    """Return the files of the project, but its credentials."""
    return {
        "platformio.ini": INI,
        "fota.py": SCRIPT,
        "fotabuild.yaml": CONFIG,
        "src/main.c": MAIN,
        "sensor.bin": "sensor table",
        "vendor.dat": "colour=red",
        "releases/app-1.0.0.bin": f"the release in the field, {MARKER.decode()}",
    }


@dataclass(frozen=True)
class Project:
    """A project folder, and the core folder that its builds use."""

    folder: Path
    core: Path
    wrapper: tuple[str, ...] = field(default=())

    @property
    def build(self) -> Path:
        """The build folder of the environment."""
        return self.folder / ".pio" / "build" / ENVIRONMENT

    @property
    def artifacts(self) -> dict[str, bytes]:
        """The update artifacts by name."""
        folder = self.build / "update"
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}

    def path(self, name: str) -> Path:
        """Return the path of a file in it."""
        return self.folder / name

    def write(self, name: str, data: str | bytes) -> None:
        """Write a file, with missing folders."""
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_bytes(data.encode() if isinstance(data, str) else data)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace one place of a text file."""
        text = self.path(name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is not once in {name}"
        self.write(name, text.replace(old, new))

    def option(self, *lines: str) -> None:
        """Add lines to the last environment in ``platformio.ini``."""
        with self.path("platformio.ini").open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def pio(self, *arguments: str, env: Mapping[str, str] | None = None) -> Finished:
        """Run PlatformIO here."""
        done = subprocess.run(
            [*self.wrapper, sys.executable, "-m", "platformio", *arguments],
            cwd=self.folder,
            env=platformio_environment(self.core, env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> list[str]:
        """Run ``pio run``, which must succeed; return what it says it makes, by file name."""
        done = self.pio("run", *arguments, env=env)
        assert (done.status, done.stderr) == (0, ""), done
        return made(done.stdout)

    def assert_up_to_date(self, *arguments: str) -> None:
        """Build again, which must find nothing to do."""
        assert self.run(*arguments) == []

    def copy_to(self, folder: Path) -> Project:
        """Copy everything, with dates, over ``folder``."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder, self.core)


def made(stdout: str) -> list[str]:
    """Return the names of the files that a build says it makes, in order."""
    lines: Sequence[re.Match[str] | None] = [_MADE.fullmatch(line) for line in stdout.splitlines()]
    return [Path(match[1]).name for match in lines if match]


def error_lines(done: Finished) -> list[str]:
    """Return what a failed build says on stderr, but PlatformIO's closing line."""
    assert done.status == 1, done
    *lines, last = done.stderr.splitlines()
    assert "[FAILED]" in last, done
    return lines
