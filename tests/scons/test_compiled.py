"""The generated C source in a real compilation."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from .changes import CERTIFICATE, make_certificate
from .project import Project

COMPILED = """\
import os
import fotabuild.scons
env = Environment(
    tools=["gcc", "gnulink", fotabuild.scons.generate], FOTAVERSION="1.1.0", CC={cc!r},
    LINK="$CC", CCCOMSTR="Compiling $TARGET", LINKCOMSTR="Linking $TARGET", PROGSUFFIX=".elf",
)
# SCons starts programs with an almost empty environment; compilers of pip keep a cache at home.
env["ENV"].update((name, os.environ[name]) for name in ("PATH", "HOME") if name in os.environ)
resources = env.FotaResources("build/update_default_resources.c")
env.Program("build/app", ["main.c", resources])
"""
MAIN = """\
#include <stdint.h>
#include <stdio.h>
extern const uint8_t arm_uc_default_fingerprint[];
extern const uint16_t arm_uc_default_fingerprint_size;
int main(void) {
    for (int i = 0; i < arm_uc_default_fingerprint_size; i++)
        printf("%02x", (unsigned)arm_uc_default_fingerprint[i]);
    return 0;
}
"""
RESOURCES = "Writing update resources build/update_default_resources.c"
OBJECT = "Compiling build/update_default_resources.o"
LINKED = "Linking build/app.elf"


@pytest.mark.cc
def test_firmware_is_compiled_again_when_its_identity_changes_and_only_then(
    project: Callable[..., Project],
) -> None:
    compiler = shutil.which("cc")
    built = project(COMPILED.format(cc=compiler or [sys.executable, "-m", "ziglang", "cc"]))
    built.write("main.c", MAIN)

    def lines() -> list[str]:
        done = built.scons()
        assert (done.status, done.stderr) == (0, ""), done
        return done.stdout.splitlines()

    def fingerprint() -> str:
        program = [built.path("build/app.elf")]
        return subprocess.run(program, capture_output=True, text=True, check=True).stdout

    assert lines() == ["Compiling main.o", RESOURCES, OBJECT, LINKED]
    first = fingerprint()
    assert first == hashlib.sha256(built.path(CERTIFICATE).read_bytes()).hexdigest()
    built.assert_up_to_date()

    built.edit("fotabuild.yaml", "  limits:\n", "  limits:\n    certificate-size: 590\n")
    assert lines() == [RESOURCES]
    built.edit("fotabuild.yaml", "priority: 1", "priority: 2")
    built.assert_up_to_date()

    make_certificate(built)
    assert lines() == [RESOURCES, OBJECT, LINKED]
    assert fingerprint() == hashlib.sha256(built.path(CERTIFICATE).read_bytes()).hexdigest()
    assert fingerprint() != first

    built.path("build/update_default_resources.c").unlink()
    assert lines() == [RESOURCES]
