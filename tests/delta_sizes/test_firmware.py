"""Real firmware updates: our patches against those on file, and against the real tool's."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable

import pytest

from fotabuild.delta.effort import Effort

from .conftest import ENTRIES, GATE, Peer
from .known import BLOCK_SIZES, CASES, known, liblz4, size

pytestmark = pytest.mark.corpus
# What the project promises: geometric mean, ours / peer, over pairs with something to compress.
PROMISED = {
    (Effort.FAST, 512): 0.87,
    (Effort.BALANCED, 512): 0.83,
    (Effort.BALANCED, 1024): 0.79,
    (Effort.BEST, 512): 0.80,
    (Effort.BEST, 1024): 0.76,
    (Effort.MAX, 512): 0.78,
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


@pytest.mark.parametrize(("name", "effort", "block_size"), CASES, ids=str)
def test_no_patch_is_larger_than_on_file(
    name: str, effort: Effort, block_size: int, figure: Callable[[str], None]
) -> None:
    """After an improvement: ``python -m tests.delta_sizes.known --write``."""
    now, bound = size(name, effort, block_size), known().bound(name, effort, block_size)
    if now < bound and liblz4() == known().liblz4:
        figure(f"delta {name}, {effort.value}, block {block_size}: {bound - now} bytes less")
    assert now <= bound


def test_the_file_holds_every_pair_effort_and_block() -> None:
    found = [
        (name, Effort(effort), int(block_size))
        for name, efforts in known().sizes.items()
        for effort, sizes in efforts.items()
        for block_size in sizes
    ]
    assert found == list(CASES)
    for name, block_size in itertools.product(GATE, BLOCK_SIZES):
        sizes = [known().sizes[name][effort.value][str(block_size)] for effort in Effort]
        assert sizes == sorted(sizes, reverse=True)


@pytest.mark.peer
def test_the_peer_makes_the_patches_that_we_know(peer: Peer) -> None:
    assert {name: peer.size(name, 512) for name in GATE} == PEER_512


@pytest.mark.peer
@pytest.mark.parametrize("block_size", BLOCK_SIZES)
@pytest.mark.parametrize("name", GATE)
def test_smaller_on_every_pair_and_with_every_effort(
    name: str, block_size: int, peer: Peer
) -> None:
    sizes = [size(name, effort, block_size) for effort in Effort]
    assert sizes[0] < peer.size(name, block_size)
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.peer
@pytest.mark.parametrize(("effort", "block_size"), PROMISED, ids=str)
def test_mean(effort: Effort, block_size: int, peer: Peer, figure: Callable[[str], None]) -> None:
    pairs = [name for name in GATE if not ENTRIES[name].get("incompressible")]
    mean = statistics.geometric_mean(
        size(name, effort, block_size) / peer.size(name, block_size) for name in pairs
    )
    figure(f"delta {effort.value}, block {block_size}: {mean:.3f} of manifest-tool 2.6.2")
    assert mean <= PROMISED[effort, block_size]
