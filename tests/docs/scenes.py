"""The folders that examples begin in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from ..conftest import VECTORS

_MAIN = """\
#include <stdio.h>

/* The update client's patch decoder stands here in a real firmware. */
static const char decoder[] = "PELION/BSDIFF001";

int main(void)
{
    printf("firmware %s, decoder %s\\n", VERSION, decoder);
    return 0;
}
"""
_CONFIG = """\
vendor:
  domain: acme.com
device:
  model-name: Thermometer 2
credentials:
  key: keys/update.key.pem
  certificate: keys/update.cert.der
payload:
  url: https://fw.acme.com/{file}
releases:
- version: 1.0.0
  image: releases/app-1.0.0.bin
"""


def empty(folder: Path) -> None:
    """Nothing."""


def sources(folder: Path) -> None:
    """A firmware project in C that has no updates yet."""
    (folder / "main.c").write_text(_MAIN)


def project(folder: Path) -> None:
    """A project with a release in the field and the new image, both linked already."""
    for name, source in {
        "keys/update.key.pem": "keys/TEST-ONLY-update.key.pem",
        "keys/update.cert.der": "keys/TEST-ONLY-update.cert.der",
        "keys/other.key.pem": "keys/TEST-ONLY-other.key.pem",
        "releases/app-1.0.0.bin": "firmware/fw-1.0.0.bin",
        "app.bin": "firmware/fw-1.1.0.bin",
        "table.bin": "firmware/sub2.bin",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(VECTORS / source, folder / name)
        if name.endswith(".key.pem"):  # As 'init' leaves them.
            (folder / name).chmod(0o600)
    (folder / "fotabuild.yaml").write_text(_CONFIG)


def tiny(folder: Path) -> None:
    """The same with images of a few hundred bytes, to show every byte of what is made."""
    project(folder)
    shutil.copyfile(VECTORS / "firmware" / "tiny-a.bin", folder / "releases" / "app-1.0.0.bin")
    shutil.copyfile(VECTORS / "firmware" / "tiny-b.bin", folder / "app.bin")


#: By name: what makes the folder, and what the machine needs for the examples in it.
SCENES: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "empty": (empty, ()),
    "sources": (sources, ("cc",)),
    "cmake": (sources, ("cc", "cmake")),
    "project": (project, ()),
    "tiny": (tiny, ()),
}
