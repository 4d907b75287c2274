"""Real firmware updates: our patches against those that the real tool makes in this run."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable

import pytest

from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch

from .conftest import ENTRIES, GATE, Peer, images

pytestmark = [pytest.mark.peer, pytest.mark.corpus]
EFFORTS = (Effort.FAST, Effort.BALANCED, Effort.BEST)
BLOCK_SIZES = (512, 1024)
# Largest geometric mean, ours / peer, over the pairs that have something to compress.
BOUNDS = {
    (Effort.FAST, 512): 0.846,
    (Effort.FAST, 1024): 0.805,
    (Effort.BALANCED, 512): 0.773,
    (Effort.BALANCED, 1024): 0.741,
    (Effort.BEST, 512): 0.763,
    (Effort.BEST, 1024): 0.732,
}
# The sizes of the real tool's patches: they never change, or the comparison is not what we think.
PEER_512 = {
    "greatfet-stub": 15117,
    "movehub-minor": 16991,
    "movehub-major": 47733,
    "nrf51-conn": 3885,
    "nrf51-baud": 6848,
    "primehub-minor": 55309,
}


@functools.cache
def size(name: str, effort: Effort, block_size: int) -> int:
    old, new = images(name)
    return len(make_patch(old, new, block_size=block_size, effort=effort).data)


def test_the_peer_makes_the_patches_that_we_know(peer: Peer) -> None:
    assert {name: peer.size(name, 512) for name in GATE} == PEER_512


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
@pytest.mark.parametrize("name", GATE)
def test_smaller_on_every_pair_and_with_every_effort(
    name: str, block_size: int, peer: Peer
) -> None:
    sizes = [size(name, effort, block_size) for effort in EFFORTS]
    assert sizes[0] < peer.size(name, block_size)
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(("effort", "block_size"), BOUNDS, ids=str)
def test_mean(effort: Effort, block_size: int, peer: Peer, figure: Callable[[str], None]) -> None:
    pairs = [name for name in GATE if not ENTRIES[name].get("incompressible")]
    mean = statistics.geometric_mean(
        size(name, effort, block_size) / peer.size(name, block_size) for name in pairs
    )
    figure(f"delta {effort.value}, block {block_size}: {mean:.3f} of manifest-tool 2.6.2")
    assert mean <= BOUNDS[effort, block_size]
