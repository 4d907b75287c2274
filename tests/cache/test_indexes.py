"""Indexes of old images are built once, and damage heals."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from fotabuild.cache import indexes
from fotabuild.cache.content_cache import ContentCache
from fotabuild.cache.indexes import find_or_build_index
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.index import OldIndex, build_index

OLD = bytes(range(256)) * 40


@pytest.fixture
def cache(tmp_path: Path) -> ContentCache:
    return ContentCache(tmp_path)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The images whose indexes were built."""
    found: list[bytes] = []

    def build(old: bytes) -> OldIndex:
        found.append(old)
        return build_index(old)

    monkeypatch.setattr(indexes, "build_index", build)
    return found


def test_an_index_is_built_once_and_changes_no_byte(
    cache: ContentCache, built: list[bytes]
) -> None:
    for number in range(3):
        new = OLD + bytes([number])
        with_index = make_patch(OLD, new, index=find_or_build_index(cache, OLD))
        assert with_index == make_patch(OLD, new)
    assert built == [OLD]
    find_or_build_index(cache, OLD[1:])
    assert built == [OLD, OLD[1:]]


def test_an_index_may_fill_a_quarter_of_the_cache(tmp_path: Path, built: list[bytes]) -> None:
    cache = ContentCache(tmp_path, 4 * len(build_index(OLD).to_bytes()))
    for _ in range(2):
        find_or_build_index(cache, OLD)
    assert built == [OLD]


@pytest.mark.parametrize("damage", [b"", b"FOTAIDX1", b"\0" * 500])
def test_a_damaged_index_is_built_anew(
    cache: ContentCache, built: list[bytes], damage: bytes
) -> None:
    find_or_build_index(cache, OLD)
    [entry] = [path for path in cache.folder.rglob("*") if path.is_file()]
    cache.put(entry.name, damage)
    assert find_or_build_index(cache, OLD) == build_index(OLD)
    assert find_or_build_index(cache, OLD) == build_index(OLD)
    assert built == [OLD, OLD]


def test_a_forged_index_is_built_anew(cache: ContentCache, built: list[bytes]) -> None:
    """Sound as an entry, with digests that are right: somebody put it there."""
    find_or_build_index(cache, OLD)
    [entry] = [path for path in cache.folder.rglob("*") if path.is_file()]
    cache.put(entry.name, OldIndex(OLD, array("i", range(len(OLD)))).to_bytes())
    assert find_or_build_index(cache, OLD) == build_index(OLD)
    assert find_or_build_index(cache, OLD) == build_index(OLD)
    assert built == [OLD, OLD]
