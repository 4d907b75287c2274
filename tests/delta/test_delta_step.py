"""The step that makes a patch with its side file: markers, threshold, memory, empty images."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fotabuild.config.yaml_reader import read_yaml
from fotabuild.delta.decoder import apply_patch_python
from fotabuild.delta.encoder import engine
from fotabuild.device.patch_device import PatchDevice
from fotabuild.digest import sha256
from fotabuild.errors import (
    DeltaError,
    FileError,
    FotabuildError,
    OutputConflictError,
    PrecursorMarkerError,
    ThresholdError,
    VerificationError,
)
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.steps.delta import DeltaStep

from ..formats.golden import firmware

MARKER = b"PELION/BSDIFF001"


@pytest.fixture
def step(tmp_path: Path) -> DeltaStep:
    """A step between two golden images, in a folder of its own."""
    for name in ("fw-1.0.0", "fw-1.1.0"):
        (tmp_path / f"{name}.bin").write_bytes(firmware(name))
    return DeltaStep(
        old_image=tmp_path / "fw-1.0.0.bin",
        new_image=tmp_path / "fw-1.1.0.bin",
        block_size=512,
        threshold=60,
        device=PatchDevice(memory=1024),
        output=tmp_path / "out" / "a.patch",
        sidecar=tmp_path / "out" / "a.yaml",
    )


def outputs(step: DeltaStep) -> list[str]:
    folder = step.output.parent
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_patch_and_side_file(step: DeltaStep) -> None:
    old, new = firmware("fw-1.0.0"), firmware("fw-1.1.0")
    result = step.run()
    patch = step.output.read_bytes()
    assert apply_patch_python(old, patch) == new
    sidecar = PatchSidecar.from_values(read_yaml(step.sidecar.read_bytes()).values)
    assert sidecar == PatchSidecar(
        sha256(new),
        len(new),
        sha256(old),
        sha256(patch),
        len(patch),
        engine=engine(),
        effort="balanced",
    )
    assert yaml.safe_load(step.sidecar.read_bytes())["installed-size"] == len(new)
    assert result.summary.startswith(f"{len(patch)} bytes, ")
    assert result.warnings == ()
    assert outputs(step) == ["a.patch", "a.yaml"]


def test_same_inputs_give_the_same_bytes(step: DeltaStep) -> None:
    step.run()
    again = step._replace(
        output=step.output.with_name("b"), sidecar=step.sidecar.with_name("b.yaml")
    )
    again.run()
    assert again.output.read_bytes() == step.output.read_bytes()
    assert again.sidecar.read_bytes() == step.sidecar.read_bytes()
    assert again.signature() == step.signature()


@pytest.mark.parametrize(
    ("old", "error", "problem"),
    [
        (b"", DeltaError, "the old image is empty"),
        (b"no decoder inside", PrecursorMarkerError, "carries no patch decoder"),
        (b"PELION/BSDIFF00", PrecursorMarkerError, "carries no patch decoder"),
        (b"PELION/BSDIFF666", PrecursorMarkerError, "carries PELION/BSDIFF666, needed is"),
        (b"." + MARKER + b"PELION/BSDIFF002", PrecursorMarkerError, "BSDIFF001, PELION/BSDIFF002"),
    ],
)
def test_old_image_that_cannot_be_patched(
    step: DeltaStep, old: bytes, error: type[FotabuildError], problem: str
) -> None:
    step.old_image.write_bytes(old)
    with pytest.raises(error, match=problem) as caught:
        step.run()
    assert caught.value.file == step.old_image
    assert caught.value.remedy
    assert outputs(step) == []


def test_empty_new_image(step: DeltaStep) -> None:
    step.new_image.write_bytes(b"")
    with pytest.raises(DeltaError, match="image of 0 bytes") as caught:
        step.run()
    assert caught.value.file == step.new_image
    assert outputs(step) == []


@pytest.mark.parametrize("name", ["old_image", "new_image"])
def test_missing_image(step: DeltaStep, name: str) -> None:
    getattr(step, name).unlink()
    with pytest.raises(FileError, match="cannot read the"):
        step.run()
    assert outputs(step) == []


def test_threshold_is_exact(step: DeltaStep) -> None:
    """As many per cent as the threshold are too many; a byte less is fine (section 8)."""
    step._check_threshold(599, 1000)
    with pytest.raises(ThresholdError, match="60 % is the threshold"):
        step._check_threshold(600, 1000)
    step._replace(threshold=None)._check_threshold(5000, 1000)


def test_threshold_is_of_the_new_image(step: DeltaStep) -> None:
    step.run()
    per_cent = 100 * step.output.stat().st_size / len(firmware("fw-1.1.0"))
    for path in step.outputs:
        path.unlink()
    with pytest.raises(ThresholdError, match="send the full image"):
        step._replace(threshold=int(per_cent)).run()
    assert outputs(step) == []
    step._replace(threshold=int(per_cent) + 1).run()
    assert outputs(step) == ["a.patch", "a.yaml"]


def test_failed_threshold_leaves_no_stale_side_file_behind_a_new_patch(step: DeltaStep) -> None:
    step.run()
    before = [path.read_bytes() for path in step.outputs]
    with pytest.raises(ThresholdError):
        step._replace(threshold=1).run()
    assert [path.read_bytes() for path in step.outputs] == before


def test_block_size_beyond_the_device_s_memory(step: DeltaStep) -> None:
    with pytest.raises(VerificationError, match="patch-memory: two blocks need 2048 bytes"):
        step._replace(block_size=1024).run()
    assert outputs(step) == []
    device = PatchDevice(memory=2048)
    step._replace(block_size=1024, device=device).run()
    assert outputs(step) == ["a.patch", "a.yaml"]


def test_device_without_a_patch_decoder(step: DeltaStep) -> None:
    device = PatchDevice(supported=False, memory=1024)
    with pytest.raises(VerificationError, match="patch-support"):
        step._replace(device=device).run()
    assert outputs(step) == []


def test_identical_images_are_worth_a_warning(step: DeltaStep) -> None:
    step.new_image.write_bytes(firmware("fw-1.0.0"))
    assert [w for w in step.run().warnings if "old and new image are the same" in w]


def test_new_image_without_a_decoder_is_worth_a_warning(step: DeltaStep) -> None:
    """It installs, and it is the last one that can be reached by a delta (weakness D2)."""
    step.new_image.write_bytes(firmware("fw-1.1.0").replace(MARKER, b"x" * len(MARKER)))
    (warning,) = step.run().warnings
    assert "the new image carries no patch decoder" in warning


@pytest.mark.parametrize("name", ["old_image", "new_image"])
@pytest.mark.parametrize("output", ["output", "sidecar"])
def test_images_are_never_overwritten(step: DeltaStep, name: str, output: str) -> None:
    image: Path = getattr(step, name)
    before = image.read_bytes()
    step.output.parent.mkdir()
    paths = {"output": step.output, "sidecar": step.sidecar, output: image}
    clash = step._replace(output=paths["output"], sidecar=paths["sidecar"])
    with pytest.raises(OutputConflictError, match="would overwrite"):
        clash.run()
    assert image.read_bytes() == before
    assert outputs(step) == []


def test_patch_and_side_file_need_two_names(step: DeltaStep) -> None:
    with pytest.raises(OutputConflictError, match="two outputs have the same name"):
        step._replace(sidecar=step.output).run()
    assert outputs(step) == []
