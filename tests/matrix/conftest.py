from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.cache.content_cache import ContentCache
from fotabuild.device.patch_device import PatchDevice
from fotabuild.formats.patch_sidecar import sidecar_of
from fotabuild.matrix.pairs import Pair, steps_of
from fotabuild.steps.delta import DeltaStep

from . import images

MakeSteps = Callable[..., list[DeltaStep]]


@pytest.fixture
def cache(tmp_path: Path) -> ContentCache:
    return ContentCache(tmp_path / "cache", 64 << 20)


@pytest.fixture
def make_steps(tmp_path: Path) -> MakeSteps:
    """Deltas from every old version to the newest one."""

    def make(count: int = 3, *, threshold: int | None = 60, **more: int) -> list[DeltaStep]:
        *old, new = images.write(tmp_path / "images", images.versions(count + 1, **more))
        pairs = [Pair(path, new, f"{path.stem}-to-new") for path in old]
        return steps_of(pairs, tmp_path / "out", lambda *paths: delta(*paths, threshold=threshold))

    return make


def delta(old: Path, new: Path, patch: Path, *, threshold: int | None = 60) -> DeltaStep:
    return DeltaStep(
        old_image=old,
        new_image=new,
        block_size=512,
        threshold=threshold,
        device=PatchDevice(memory=1024),
        output=patch,
        sidecar=sidecar_of(patch),
    )
