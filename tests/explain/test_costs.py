"""Every byte of a patch is for something, and for what is right."""

from __future__ import annotations

import pytest

from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.explain.costs import Cause, read_costs
from fotabuild.formats.patch_stream import HEADER_SIZE

from ..delta.images import PAIRS, noise
from ..formats.golden import DELTAS


def _by_cause(patch: bytes) -> dict[Cause, int]:
    sums = dict.fromkeys(Cause, 0)
    for cost in read_costs(patch):
        sums[cost.cause] += cost.size
    return sums


@pytest.mark.parametrize("block_size", [64, 512, 65536])
@pytest.mark.parametrize("name", PAIRS)
def test_costs_add_up_to_the_patch(name: str, block_size: int) -> None:
    old, new = PAIRS[name]
    patch = make_patch(old, new, block_size=block_size, effort=Effort.FAST).data
    costs = list(read_costs(patch))
    assert sum(cost.size for cost in costs) == len(patch) - HEADER_SIZE
    assert all(0 <= cost.start <= len(new) - cost.length for cost in costs)
    assert all(cost.length >= 1 and cost.size >= 1 for cost in costs)


@pytest.mark.parametrize("path", DELTAS, ids=lambda path: path.stem)
def test_patches_of_the_real_tool_can_be_read_too(path: object) -> None:
    patch = path.read_bytes()  # type: ignore[attr-defined]
    assert sum(_by_cause(patch).values()) == len(patch) - HEADER_SIZE


def test_identical_images_cost_for_being_unchanged_only() -> None:
    image = noise(5000)
    sums = _by_cause(make_patch(image, image).data)
    assert sums[Cause.INSERTED] == sums[Cause.CHANGED] == 0
    assert sums[Cause.UNCHANGED] > 10 * 5  # Ten full frames of 512 bytes, and no copying.


def test_new_bytes_are_inserted() -> None:
    old = noise(4000)
    fresh = noise(600, 5)
    patch = make_patch(old, old[:2000] + fresh + old[2000:]).data
    # A few of them happen to be cheaper as changes of old bytes.
    assert 560 <= _by_cause(patch)[Cause.INSERTED] < 640
    places = [cost for cost in read_costs(patch) if cost.cause is Cause.INSERTED]
    assert min(cost.start for cost in places) >= 2000 - 16
    assert max(cost.start + cost.length for cost in places) <= 2600 + 16


def test_changed_bytes_are_found_where_they_are() -> None:
    old = noise(4000)
    new = bytearray(old)
    for place in range(1000, 1400, 40):
        new[place] ^= 0x5A
    patch = make_patch(old, bytes(new)).data
    changed = [cost for cost in read_costs(patch) if cost.cause is Cause.CHANGED]
    assert sum(cost.size for cost in changed) >= 10
    for cost in changed:
        assert cost.start < 1400
        assert cost.start + cost.length > 1000
    assert _by_cause(patch)[Cause.INSERTED] == 0
