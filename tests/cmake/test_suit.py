"""SUIT manifests of CMake builds: made with the others, and again when something changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.device.suit_acceptance import verify_envelope
from fotabuild.signing.cose_verify import load_verification_key

from .program import Generator
from .project import Project
from .reference import make_reference

pytestmark = [pytest.mark.cmake, pytest.mark.cc]

SUIT = "formats: [v3, suit]\nsuit:\n  components:\n  - {component-id: [sensor], file: sensor.bin}\n"
NAME = "app-1.1.0.suit"


def _edit(old: str, new: str) -> Callable[[Project], None]:
    return lambda project: project.edit("fotabuild.yaml", old, new)


# What changes, how, and whether the manifest is made again.
CHANGES: list[tuple[str, Callable[[Project], object], bool]] = [
    ("sequence number", _edit("suit:\n", "suit:\n  sequence-number: 5\n"), True),
    ("device features", _edit("combined]", "combined, encrypted]"), False),
    ("the image of a component", lambda p: p.write("sensor.bin", "another table"), True),
    ("source code", lambda p: p.edit("text.c", "minute", "hour"), True),
    ("deleted", lambda p: p.output(NAME).unlink(), True),
]


@pytest.mark.parametrize("name", ["Ninja", "Unix Makefiles"])
def test_a_build_emits_a_suit_manifest_and_remakes_it(
    name: str,
    project: Callable[..., Project],
    tmp_path: Path,
    figure: Callable[[str], None],
) -> None:
    built = project(Generator(name))
    built.edit("fotabuild.yaml", "priority: 0\n", f"priority: 0\n{SUIT}")
    built.configured()
    built.made()
    trusted = load_verification_key(built.path("keys/update.cert.der").read_bytes())
    verify_envelope(built.output(NAME).read_bytes(), [trusted])
    built.assert_up_to_date()
    wrong = []
    for number, (change_name, change, remade) in enumerate(CHANGES):
        before = built.output(NAME).stat()
        change(built)
        built.made()
        after = built.output(NAME).stat()
        if ((before.st_ino, before.st_mtime_ns) != (after.st_ino, after.st_mtime_ns)) is not remade:
            # Ninja runs cheap steps together; a file whose bytes stay keeps its date.
            same = before.st_mtime_ns == after.st_mtime_ns
            if remade or not same:
                wrong.append(f"{change_name}: wrongly {'kept' if remade else 'remade'}")
        folder = tmp_path / f"reference-{number}"
        folder.mkdir()
        if built.output(NAME).read_bytes() != make_reference(built, folder)[NAME]:
            wrong.append(f"{change_name}: not as in a first build")
    figure(f"CMake, {name}, SUIT: wrong decisions: {len(wrong)} of {len(CHANGES)}")
    assert not wrong, "\n".join(wrong)
    built.assert_up_to_date()
