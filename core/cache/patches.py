"""Patches that are made once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from fotabuild.cache import engine
from fotabuild.cache.content_cache import ContentCache
from fotabuild.delta.effort import Effort
from fotabuild.delta.patch import Patch


@dataclass(frozen=True)
class FoundPatch:
    """A patch, and whether it was in the cache.

    Attributes:
        patch: the patch.
        reused: whether nothing had to be made.
    """

    patch: Patch
    reused: bool


def patch_key(*digests: bytes, block_size: int, effort: Effort) -> str:
    """Return the key of a patch: what it is made of, options and engine.

    Args:
        digests: SHA-256 of the old image and the new one, then of the linked files if symbols help.
        block_size: frame bound in bytes.
        effort: how hard to look for a smaller patch.
    """
    values = (*(digest.hex() for digest in digests), block_size, effort.value, engine.fingerprint())
    return hashlib.sha256(repr(("patch", *values)).encode()).hexdigest()


def find_patch(cache: ContentCache | None, key: str) -> Patch | None:
    """Return a patch of the cache, or None. It is whole, but not known to be the right one."""
    data = None if cache is None else cache.get(key)
    if data is None:
        return None
    try:
        return msgspec.msgpack.decode(data, type=Patch)
    except (msgspec.MsgspecError, RecursionError, MemoryError):
        return None  # Of another engine, whose key was the same: make_or_find writes it anew.


def keep_patch(cache: ContentCache | None, key: str, patch: Patch) -> None:
    """Put a patch into the cache, unless a time limit cut it short: another run may do better."""
    if cache is not None and patch.stats.complete:
        cache.put(key, msgspec.msgpack.encode(patch))


def make_or_find(
    cache: ContentCache | None,
    key: str,
    make: Callable[[], Patch],
    fits: Callable[[Patch], bool],
) -> FoundPatch:
    """Return a patch, from the cache if it is there.

    The same key gives the same bytes, so that nobody can tell the difference. What is there and
    does not fit all the same, since somebody put it there, is removed and made anew.

    Args:
        cache: where patches are kept; None for none.
        key: of :func:`patch_key`.
        make: makes the patch.
        fits: applies a patch that was found, and says whether it is the one that is needed.

    Raises:
        DeltaError: the engine makes no such patch.
    """
    patch = find_patch(cache, key)
    if cache is not None and patch is not None:
        if fits(patch):
            return FoundPatch(patch, True)
        cache.remove(key)
    patch = make()
    keep_patch(cache, key, patch)
    return FoundPatch(patch, False)
