"""The golden images, for every machine: our patches against those of the real tool on file."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch

from ..formats.golden import DELTAS, delta_images

golden = pytest.mark.parametrize("path", DELTAS, ids=lambda path: path.stem)


@golden
def test_never_larger_than_the_real_tool_s(path: Path) -> None:
    old, new, block_size = delta_images(path)
    made = make_patch(old, new, block_size=block_size, effort=Effort.FAST)
    assert len(made.data) <= path.stat().st_size


@golden
def test_more_effort_is_never_larger(path: Path) -> None:
    old, new, block_size = delta_images(path)
    sizes = [
        len(make_patch(old, new, block_size=block_size, effort=effort).data)
        for effort in (Effort.FAST, Effort.BALANCED, Effort.BEST)
    ]
    assert sizes == sorted(sizes, reverse=True)
