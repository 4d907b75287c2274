"""Indexes of old images that are built once, however many images they are updated to."""

from __future__ import annotations

import hashlib

from fotabuild.cache import engine
from fotabuild.cache.content_cache import ContentCache
from fotabuild.delta.index import OldIndex, build_index
from fotabuild.digest import sha256
from fotabuild.errors import DeltaError


def find_or_build_index(cache: ContentCache, old: bytes) -> OldIndex:
    """Return the index of an old image, from the cache if it is there and whole.

    A forged one is refused as a damaged one is, so that patches have the same bytes with any cache.

    Args:
        cache: where indexes are kept.
        old: the installed image.

    Raises:
        DeltaError: the image is too large.
    """
    values = ("index", sha256(old).hex(), engine.fingerprint())
    key = hashlib.sha256(repr(values).encode()).hexdigest()
    data = cache.get(key)
    if data is not None:
        try:
            return OldIndex.from_bytes(data, old)
        except DeltaError:
            cache.remove(key)
    index = build_index(old)
    cache.put(key, index.to_bytes())
    return index
