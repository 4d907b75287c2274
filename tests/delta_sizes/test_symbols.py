"""Symbols of the linked files make patches smaller where the bytes alone do not tell enough."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.hints import ImageHints, Symbol
from fotabuild.device.patch_device import PatchDevice
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.steps.delta import DeltaStep

from ..explain.scene import NEW, NEW_ELF, OLD, OLD_ELF

_FUNCTIONS = 150
_LONGEST_EQUAL = 5


def _relinked(seed: int) -> tuple[bytes, bytes, ImageHints]:
    """Return an image, the same functions in another order with addresses changed, their symbols.

    Between changed bytes never more than five are equal, so few matches are long enough to be
    looked for. That is what code looks like whose calls and constants all moved.
    """
    rng = random.Random(seed)
    names = [f"f{index}" for index in range(_FUNCTIONS)]
    bodies = {name: rng.randbytes(rng.randrange(40, 400)) for name in names}
    order = rng.sample(names, len(names))
    images: list[bytes] = []
    symbols: list[tuple[Symbol, ...]] = []
    for sequence, changed in ((names, False), (order, True)):
        image = bytearray()
        found = []
        for name in sequence:
            body = bytearray(bodies[name])
            place = rng.randrange(_LONGEST_EQUAL + 1)
            while changed and place < len(body):
                body[place] = rng.randrange(256)
                place += rng.randrange(_LONGEST_EQUAL - 1, _LONGEST_EQUAL + 2)
            found.append(Symbol(name, len(image), len(body)))
            image += body
        images.append(bytes(image))
        symbols.append(tuple(found))
    return images[0], images[1], ImageHints(symbols[0], symbols[1])


def test_symbols_make_a_patch_smaller(figure: Callable[[str], None]) -> None:
    """``max`` finds most of it by looking at shorter matches, in more time."""
    old, new, hints = _relinked(11)
    sizes: dict[Effort, tuple[int, int]] = {}
    for effort in (Effort.BALANCED, Effort.BEST, Effort.MAX):
        without = len(make_patch(old, new, effort=effort).data)
        with_hints = len(make_patch(old, new, effort=effort, hints=hints).data)
        figure(f"delta {effort.value} of moved functions: {without}, by symbols {with_hints} bytes")
        sizes[effort] = without, with_hints
    assert sizes[Effort.BALANCED][1] < 0.9 * sizes[Effort.BALANCED][0]
    assert sizes[Effort.BEST][1] < 0.9 * sizes[Effort.BEST][0]
    assert sizes[Effort.MAX][1] <= sizes[Effort.MAX][0]


def test_fast_does_not_use_them() -> None:
    old, new, hints = _relinked(12)
    plain = make_patch(old, new, effort=Effort.FAST).data
    assert make_patch(old, new, effort=Effort.FAST, hints=hints).data == plain


@pytest.mark.parametrize("linked", [(OLD_ELF, NEW_ELF), (None, NEW_ELF), (None, None)])
def test_the_side_file_says_whether_symbols_took_part(
    tmp_path: Path, linked: tuple[bytes | None, bytes | None]
) -> None:
    files: list[Path | None] = []
    for name, data in zip(("old", "new"), linked, strict=True):
        elf = tmp_path / f"{name}.elf"
        elf.write_bytes(data or b"")
        files.append(elf if data else None)
    (tmp_path / "old.bin").write_bytes(OLD)
    (tmp_path / "new.bin").write_bytes(NEW)
    DeltaStep(
        old_image=tmp_path / "old.bin",
        new_image=tmp_path / "new.bin",
        block_size=512,
        threshold=None,
        device=PatchDevice(memory=1024),
        output=tmp_path / "a.patch",
        sidecar=tmp_path / "a.yaml",
        old_elf=files[0],
        new_elf=files[1],
    ).run()
    sidecar = PatchSidecar.decode((tmp_path / "a.yaml").read_bytes())
    assert sidecar is not None
    assert sidecar.symbols is (None not in linked)
    assert sidecar.engine is not None
    assert sidecar.engine.startswith("fotabuild ")
