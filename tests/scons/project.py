"""A tiny firmware project and real SCons runs on it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..command import Finished

_KEPT = ("FOTABUILD_SCONS", "FOTABUILD_CACHE_DIR")
MARKER = b"PELION/BSDIFF001"
VERBS = (
    "Writing update resources",
    "Linking",
    "Extracting image",
    "Making delta",
    "Packing",
    "Combining factory image",
    "Signing manifest",
)
UP_TO_DATE = "scons: `.' is up to date.\n"

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
priority: 1
credentials:
  key: keys/update.key.pem
  certificate: keys/update.cert.der
payload:
  url: https://updates.example.com/{file}?$hw
delta:
  block-size: 512
  threshold: 60
releases:
- version: 0.9.0
  image: releases/app-0.9.0.bin
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

# "Links" without a compiler: a table that stays the same, the program text, the identity.
LINK = """\
import hashlib
from pathlib import Path
def link(target, source, env):
    table, text, resources = (Path(str(node)).read_bytes() for node in source)
    Path(str(target[0])).write_bytes(table + hashlib.sha256(resources).digest() + text)
"""


def link(table: bytes, text: bytes, resources: bytes) -> bytes:
    """Return what the projects' own link step makes."""
    return table + hashlib.sha256(resources).digest() + text


def sources() -> dict[str, bytes]:
    """Return the source files of the project, but its credentials."""
    table = MARKER + b"".join(hashlib.sha256(b"%d" % index).digest() for index in range(128))
    return {
        "fotabuild.yaml": CONFIG.encode(),
        "table.bin": table,
        "sensor.bin": b"sensor table",
        "boot.bin": b"bootloader",
        "vendor.dat": b"colour=red",
        "app.txt": b"print the temperature, every minute",
        "releases/app-0.9.0.bin": link(table, b"print the temp", b"0.9"),
        "releases/app-1.0.0.bin": link(table, b"print the temperature", b"1.0"),
    }


def write_tree(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by relative name."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def scons_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a SCons run; ``FOTABUILD_SCONS`` chooses the SCons under test."""
    dropped = ("SCONSFLAGS", "SOURCE_DATE_EPOCH")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and (not name.startswith("FOTABUILD_") or name in _KEPT)
    }
    environment.update(extra or {})
    paths = [environment.pop("FOTABUILD_SCONS", ""), environment.get("PYTHONPATH", "")]
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@dataclass(frozen=True)
class Project:
    """A project folder."""

    folder: Path

    def path(self, name: str) -> Path:
        """Return the path of a file in it."""
        return self.folder / name

    def write(self, name: str, text: str | bytes) -> None:
        """Write a file, with missing folders."""
        write_tree(self.folder, {name: text.encode() if isinstance(text, str) else text})

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace one place of a text file."""
        text = self.path(name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is not once in {name}"
        self.write(name, text.replace(old, new))

    def scons(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        wrapper: Iterable[str] = (),
    ) -> Finished:
        """Run SCons here; ``wrapper`` is a command line that starts another."""
        done = subprocess.run(
            [*wrapper, sys.executable, "-B", "-m", "SCons", "-Q", *arguments],
            cwd=self.folder,
            env=scons_environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def build(self, *arguments: str, env: Mapping[str, str] | None = None) -> list[str]:
        """Run SCons, which must succeed, and return the targets that it says it makes."""
        done = self.scons(*arguments, env=env)
        assert (done.status, done.stderr) == (0, ""), done
        return made(done.stdout)

    def assert_up_to_date(self, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        """Run SCons, which must find nothing to do."""
        done = self.scons(*arguments, env=env)
        assert (done.status, done.stdout, done.stderr) == (0, UP_TO_DATE, "")

    def files(self, folder: str = "") -> dict[str, bytes]:
        """Return all files below a folder of it by name relative to the project."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.path(folder).rglob("*"))
            if path.is_file() and path.name != ".sconsign.dblite"
        }

    def copy_to(self, folder: Path) -> Project:
        """Copy everything, with dates, to a new folder."""
        shutil.copytree(self.folder, folder)
        return Project(folder)


def made(stdout: str) -> list[str]:
    """Return the targets in SCons's output, in order; every line must be of our form."""
    if stdout == UP_TO_DATE:
        return []
    targets = []
    for line in stdout.splitlines():
        verb = next((verb for verb in VERBS if line.startswith(f"{verb} ")), None)
        assert verb, f"unexpected line of SCons: {line!r}"
        targets.append(line.removeprefix(f"{verb} "))
    return targets
