"""Patches are made once per images, options and engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fotabuild.cache import engine
from fotabuild.cache.content_cache import ContentCache
from fotabuild.cache.patches import find_patch, make_or_find, patch_key
from fotabuild.delta import encoder
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.patch import Patch
from fotabuild.files import sha256

OLD, NEW = bytes(range(256)) * 8, bytes(range(256)) * 8 + b"more"
ONE, TWO, THREE, FOUR = (sha256(data) for data in (OLD, NEW, b"old ELF", b"new ELF"))


@pytest.fixture
def cache(tmp_path: Path) -> ContentCache:
    return ContentCache(tmp_path)


def key(*digests: bytes, block_size: int = 512, effort: Effort = Effort.BALANCED) -> str:
    return patch_key(*digests, block_size=block_size, effort=effort)


def encode() -> Patch:
    return make_patch(OLD, NEW)


def test_the_cache_changes_nothing(cache: ContentCache) -> None:
    first, second = (make_or_find(cache, key(ONE, TWO), encode) for _ in range(2))
    assert (first.reused, second.reused) == (False, True)
    assert first.patch == second.patch == encode()


def test_everything_that_decides_is_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [
        key(ONE, TWO),
        key(TWO, ONE),
        key(ONE, TWO, block_size=1024),
        key(ONE, TWO, effort=Effort.BEST),
        key(ONE, TWO, THREE, FOUR),
        key(ONE, TWO, FOUR, THREE),
    ]
    monkeypatch.setattr(engine, "fingerprint", lambda: "another engine")
    keys.append(key(ONE, TWO))
    assert len(set(keys)) == 7


def test_the_engines_source_is_in_its_fingerprint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "encoder.py").write_text("one")
    monkeypatch.setattr(encoder, "__file__", str(tmp_path / "encoder.py"))
    found = set()
    for text in ("one", "two"):
        (tmp_path / "encoder.py").write_text(text)
        engine.fingerprint.cache_clear()
        found.add(engine.fingerprint())
    monkeypatch.undo()
    engine.fingerprint.cache_clear()
    assert len(found) == 2
    assert engine.fingerprint() not in found


def test_what_another_engine_left_is_made_again(cache: ContentCache) -> None:
    cache.put(key(ONE, TWO), b"\xc1 no MessagePack")
    assert find_patch(cache, key(ONE, TWO)) is None
    assert not make_or_find(cache, key(ONE, TWO), encode).reused
    assert make_or_find(cache, key(ONE, TWO), encode).reused


def test_a_patch_that_a_time_limit_cut_short_is_not_kept(cache: ContentCache) -> None:
    patch = encode()
    short = replace(patch, stats=replace(patch.stats, complete=False))
    assert make_or_find(cache, key(ONE, TWO), lambda: short).patch is short
    assert find_patch(cache, key(ONE, TWO)) is None
