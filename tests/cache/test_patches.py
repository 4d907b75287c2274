"""Patches are made once per images, options and engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fotabuild.cache import engine
from fotabuild.cache.content_cache import ContentCache
from fotabuild.cache.patches import find_patch, keep_patch, make_or_find, patch_key
from fotabuild.delta import encoder
from fotabuild.delta.decoder import apply_patch
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.patch import Patch
from fotabuild.digest import sha256

OLD, NEW = bytes(range(256)) * 8, bytes(range(256)) * 8 + b"more"
ONE, TWO, THREE, FOUR = (sha256(data) for data in (OLD, NEW, b"old ELF", b"new ELF"))


@pytest.fixture
def cache(tmp_path: Path) -> ContentCache:
    return ContentCache(tmp_path)


def key(*digests: bytes, block_size: int = 512, effort: Effort = Effort.BALANCED) -> str:
    return patch_key(*digests, block_size=block_size, effort=effort)


def encode() -> Patch:
    return make_patch(OLD, NEW)


def fits(patch: Patch) -> bool:
    return apply_patch(OLD, patch.data) == NEW


def test_the_cache_changes_nothing(cache: ContentCache) -> None:
    first, second = (make_or_find(cache, key(ONE, TWO), encode, fits) for _ in range(2))
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


@pytest.mark.parametrize("name", ["delta/encoder.py", "delta/kernel/plan.c", "formats/stream.py"])
def test_the_engines_source_is_in_its_fingerprint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """So are the formats, which write the bytes."""
    (tmp_path / name).parent.mkdir(parents=True)
    monkeypatch.setattr(encoder, "__file__", str(tmp_path / "delta/encoder.py"))
    found = set()
    for text in ("one", "two"):
        (tmp_path / name).write_text(text)
        engine.fingerprint.cache_clear()
        found.add(engine.fingerprint())
    monkeypatch.undo()
    engine.fingerprint.cache_clear()
    assert len(found) == 2
    assert engine.fingerprint() not in found


def test_all_that_the_engine_imports_is_in_its_fingerprint() -> None:
    folder = Path(encoder.__file__).parent
    imported = {
        name
        for path in folder.glob("*.py")
        for name in re.findall(r"^\s*(?:from|import) fotabuild\.(\w+)", path.read_text(), re.M)
    }
    assert {"delta", "formats"} <= imported
    assert imported <= {"delta", "formats", "errors", "limits"}


def test_what_another_engine_left_is_made_again(cache: ContentCache) -> None:
    cache.put(key(ONE, TWO), b"\xc1 no MessagePack")
    assert find_patch(cache, key(ONE, TWO)) is None
    assert not make_or_find(cache, key(ONE, TWO), encode, fits).reused
    assert make_or_find(cache, key(ONE, TWO), encode, fits).reused


def test_a_patch_that_a_time_limit_cut_short_is_not_kept(cache: ContentCache) -> None:
    patch = encode()
    short = patch._replace(stats=patch.stats._replace(complete=False))
    assert make_or_find(cache, key(ONE, TWO), lambda: short, fits).patch is short
    assert find_patch(cache, key(ONE, TWO)) is None


def test_a_wrong_patch_is_made_again(cache: ContentCache) -> None:
    """It is sound as an entry; somebody put it there."""
    keep_patch(cache, key(ONE, TWO), make_patch(OLD, NEW + b"something else"))
    found = [make_or_find(cache, key(ONE, TWO), encode, fits) for _ in range(2)]
    assert [one.reused for one in found] == [False, True]
    assert found[0].patch == found[1].patch == encode()
