"""Before a patch appears, two decoders have read it: the encoder's in Python, the device's in C."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fotabuild.delta import native_decoder
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.replay import reproduces
from fotabuild.device.patch_device import PatchDevice
from fotabuild.errors import DeltaError, PatchError, VerificationError
from fotabuild.formats.patch_stream import PatchHeader
from fotabuild.steps.delta import DeltaStep

from ..formats.golden import DELTAS, delta_images, firmware
from .conftest import Apply
from .images import BLOCK_SIZES, PAIRS


@pytest.fixture
def step(tmp_path: Path) -> DeltaStep:
    for name in ("old", "new"):
        (tmp_path / f"{name}.bin").write_bytes(
            firmware({"old": "fw-1.0.0", "new": "fw-1.1.0"}[name])
        )
    return DeltaStep(
        old_image=tmp_path / "old.bin",
        new_image=tmp_path / "new.bin",
        block_size=512,
        threshold=None,
        device=PatchDevice(memory=1024),
        output=tmp_path / "a.patch",
        sidecar=tmp_path / "a.yaml",
        effort=Effort.FAST,
    )


@pytest.mark.parametrize("path", DELTAS, ids=lambda path: path.stem)
def test_patches_of_the_real_tool_are_replayed(path: Path) -> None:
    old, new, _ = delta_images(path)
    patch = path.read_bytes()
    assert reproduces(patch, old, new)
    assert not reproduces(patch, old, new[:-1])
    assert not reproduces(patch, old, new + b"\0")
    assert not reproduces(patch, old, bytes([new[0] ^ 1]) + new[1:])


@pytest.mark.parametrize("name", PAIRS)
def test_patches_of_ours_are_replayed(name: str) -> None:
    old, new = PAIRS[name]
    for block_size in BLOCK_SIZES[::3]:
        patch = make_patch(old, new, block_size=block_size, effort=Effort.FAST).data
        assert reproduces(patch, old, new)


@pytest.mark.cc
def test_a_damaged_patch_reproduces_nothing(apply_in_c: Apply) -> None:
    """Whatever is cut off, added or changed: no error but that of the header, and never a yes."""
    old, new = PAIRS["shrinking"]
    patch = make_patch(old, new).data
    rng = random.Random(4)
    assert not reproduces(patch + b"\0", old, new)
    for size in (*range(40, 60), len(patch) - 1):
        assert not reproduces(patch[:size], old, new)
    for _ in range(300):
        damaged = bytearray(patch)
        damaged[rng.randrange(40, len(patch))] ^= 1 << rng.randrange(8)
        read = reproduces(bytes(damaged), old, new)
        # A bit of the last seek, or of a distance between equal bytes, may mean the same.
        assert not read or apply_in_c(old, bytes(damaged), 512) == new
    with pytest.raises(PatchError):
        reproduces(patch[:39], old, new)


@pytest.mark.parametrize("change", [-1, 1])
def test_the_header_must_be_right(change: int) -> None:
    old, new = PAIRS["growing"]
    patch = make_patch(old, new).data
    header = PatchHeader.decode(patch)
    for wrong in (
        header._replace(new_size=header.new_size + change),
        header._replace(largest_frame=header.largest_frame + change),
    ):
        assert not reproduces(wrong.encode() + patch[40:], old, new)


@pytest.mark.cc
def test_both_read_every_patch(
    step: DeltaStep, apply_in_c: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def count(old: bytes, patch: bytes, chunk_size: int) -> bytes:
        calls.append("C")
        return apply_in_c(old, patch, chunk_size)

    def count_python(patch: bytes, old: bytes, new: bytes) -> bool:
        calls.append("Python")
        return reproduces(patch, old, new)

    monkeypatch.setattr(native_decoder, "apply_patch", count)
    monkeypatch.setattr("fotabuild.delta.encoder.reproduces", count_python)
    step.run()
    assert calls == ["Python", "C"]


@pytest.mark.cc
def test_either_alone_holds_a_patch_back(
    step: DeltaStep, apply_in_c: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert apply_in_c is native_decoder.apply_patch
    with monkeypatch.context() as patched:
        patched.setattr("fotabuild.delta.encoder.reproduces", lambda *_: False)
        with pytest.raises(DeltaError, match="does not reproduce"):
            step.run()
    with monkeypatch.context() as patched:
        patched.setattr(native_decoder, "apply_patch", lambda old, *_: old)
        with pytest.raises(VerificationError, match="installed-digest"):
            step.run()
    assert not step.output.exists()
    step.run()
    assert step.output.exists()


@pytest.mark.parametrize(
    ("effort", "compiled", "larger", "said"),
    [
        *((Effort.BALANCED, *rest) for rest in [(False, True, True), (False, False, False)]),
        *((Effort.BALANCED, True, True, False), (Effort.FAST, False, True, False)),
    ],
)
def test_a_missing_kernel_is_said_where_it_is_felt(
    step: DeltaStep, effort: Effort, compiled: bool, larger: bool, said: bool
) -> None:
    more = random.Random(3).randbytes(70000 if larger else 0)
    for path in (step.old_image, step.new_image):
        path.write_bytes(path.read_bytes() + more)
    step = step._replace(effort=effort)
    made = step.make()
    stats = made.patch.stats._replace(kernel=compiled)
    result = step.finish(made._replace(patch=made.patch._replace(stats=stats)))
    assert said == any("a hundred times longer" in warning for warning in result.warnings)
