"""The cache: bounded, shared, and never trusted."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fotabuild.cache import content_cache
from fotabuild.cache.content_cache import DEFAULT_MB, ContentCache, default_cache


def key(number: int, shard: str = "0") -> str:
    return shard + f"{number:063x}"


@pytest.fixture
def cache(tmp_path: Path) -> ContentCache:
    return ContentCache(tmp_path / "cache", 16 * 10_000)


def files(cache: ContentCache) -> list[Path]:
    return sorted(path for path in cache.folder.rglob("*") if path.is_file())


def test_what_was_put_in_comes_out(cache: ContentCache) -> None:
    assert cache.get(key(1)) is None
    for content in (b"", b"a", bytes(4000)):
        cache.put(key(1), content)
        assert cache.get(key(1)) == content
    assert cache.get(key(2)) is None
    assert len(files(cache)) == 1


def test_every_damaged_byte_is_a_miss_that_heals(cache: ContentCache) -> None:
    cache.put(key(1), b"content")
    [path] = files(cache)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert cache.get(key(1)) is None
        assert not path.exists()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert cache.get(key(1)) is None
    cache.put(key(1), b"content")
    assert cache.get(key(1)) == b"content"


def test_an_entry_of_another_key_is_a_miss(cache: ContentCache) -> None:
    cache.put(key(1), b"one")
    [path] = files(cache)
    path.rename(path.with_name(key(2)))
    assert cache.get(key(2)) is None


def test_the_least_recently_used_go_first(cache: ContentCache) -> None:
    for number in range(8):
        cache.put(key(number), bytes(1000))
        past = time.time() - 1000 + number
        os.utime(next(cache.folder.rglob(key(number))), (past, past))
    assert cache.get(key(0)) is not None  # Used now: it stays.
    for number in range(8, 11):
        cache.put(key(number), bytes(1000))
    left = {number for number in range(11) if cache.get(key(number)) is not None}
    assert {0, 8, 9, 10} <= left
    assert not {1, 2} & left
    assert cache.size() <= 10_000


def test_the_size_stays_bounded(cache: ContentCache) -> None:
    for number in range(300):
        cache.put(key(number, "0123456789abcdef"[number % 16]), bytes(900))
        assert cache.size() <= cache.limit
    assert cache.size() > cache.limit // 2
    cache.put(key(999), bytes(40_001))  # More than a quarter of the whole is not kept.
    assert cache.get(key(999)) is None


def test_the_size_stays_bounded_with_large_entries(cache: ContentCache) -> None:
    for number in range(96):
        shard = "0123456789abcdef"[number % 16]
        size = (900, 5001, 2000, 39_000, 4000)[number % 5]
        cache.put(key(number, shard), bytes(size))
        assert cache.get(key(number, shard)) == bytes(size)
        assert cache.size() <= cache.limit
    assert cache.size() > cache.limit // 2


def test_large_entries_go_when_they_were_not_used_for_longest(cache: ContentCache) -> None:
    for number in range(4):
        cache.put(key(number), bytes(30_000))
        past = time.time() - 1000 + number
        os.utime(next(cache.folder.rglob(key(number))), (past, past))
    assert cache.get(key(0)) is not None  # Used now: it stays.
    for number in range(4, 9):  # Small ones in one shard, and what is large counts there, too.
        cache.put(key(number), bytes(1000))
    left = {number for number in range(9) if cache.get(key(number)) is not None}
    assert {0, 4, 5, 6, 7, 8} <= left
    assert 1 not in left


def test_a_large_entry_makes_room_in_all_shards(cache: ContentCache) -> None:
    for number in range(160):
        cache.put(key(number, "0123456789abcdef"[number % 16]), bytes(900))
    assert cache.size() > 150_000
    cache.put(key(999), bytes(40_000))
    assert cache.get(key(999)) == bytes(40_000)
    assert cache.size() <= cache.limit


@pytest.mark.parametrize("size", [5000, 5001])
def test_large_entries_heal_and_are_forgotten_likewise(cache: ContentCache, size: int) -> None:
    cache.put(key(1), bytes(size))
    [path] = files(cache)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert cache.get(key(1)) is None
    assert files(cache) == []
    cache.put(key(1), bytes(size))
    cache.remove(key(1))
    assert files(cache) == []


def test_leftovers_of_killed_builds_go(cache: ContentCache) -> None:
    cache.put(key(1), b"x")
    old, fresh = (files(cache)[0].with_name(f".{name}.tmp") for name in ("old", "fresh"))
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    cache.put(key(2), b"x")
    assert (old.exists(), fresh.exists()) == (False, True)


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = ContentCache(tmp_path / "file" / "cache")
    cache.put(key(1), b"x")
    assert cache.get(key(1)) is None
    assert cache.size() == 0


def test_what_is_forgotten_is_gone(cache: ContentCache) -> None:
    cache.put(key(1), b"x")
    for _ in range(2):
        cache.remove(key(1))
        assert cache.get(key(1)) is None
    assert files(cache) == []


@pytest.mark.parametrize("size", [0, 1, 5000, 5001, 39_999, 40_000])
def test_the_largest_entry(cache: ContentCache, size: int) -> None:
    """A quarter of the whole."""
    cache.put(key(1), bytes(size))
    assert cache.get(key(1)) == bytes(size)


def test_a_bound_beyond_all_memory(tmp_path: Path) -> None:
    """Reading reserves what an entry has, not what it might have."""
    cache = ContentCache(tmp_path, 1 << 62)
    cache.put(key(1), b"x")
    assert cache.get(key(1)) == b"x"


def test_without_memory_everything_is_a_miss(
    cache: ContentCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> bytes:
        raise MemoryError

    cache.put(key(1), b"x")
    with monkeypatch.context() as patch:
        patch.setattr(content_cache, "read_file", fail)
        assert cache.get(key(1)) is None
        patch.setattr(content_cache, "sha256", fail)
        cache.put(key(2), b"y")
    assert (cache.get(key(1)), cache.get(key(2))) == (b"x", None)


WRITER = """
import sys
from pathlib import Path
from fotabuild.cache import content_cache
from fotabuild.cache.content_cache import ContentCache
cache = ContentCache(Path(sys.argv[1]), 16 * 5000)
wrong = hits = 0
for turn in range(300):
    number = (turn * 7 + int(sys.argv[2])) % 12
    found = cache.get("0" + f"{number:063x}")
    content = bytes([number]) * 700
    hits += found is not None
    wrong += found not in (None, content)
    cache.put("0" + f"{number:063x}", content)
print(wrong, hits)
"""


def test_four_processes_at_once(tmp_path: Path) -> None:
    """They write, read and evict the same entries."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path, str(number)],
            env=os.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    results = [writer.communicate(timeout=120)[0].split() for writer in writers]
    assert [wrong for wrong, _ in results] == ["0"] * 4
    assert sum(int(hits) for _, hits in results) > 0
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("environ", "folder", "megabytes"),
    [
        ({"FOTABUILD_CACHE_DIR": "off"}, None, 0),
        ({"FOTABUILD_CACHE_DIR": "/c", "FOTABUILD_CACHE_MB": "0"}, None, 0),
        ({"FOTABUILD_CACHE_DIR": "/c", "FOTABUILD_CACHE_MB": "7"}, "/c", 7),
        ({"FOTABUILD_CACHE_DIR": "/c", "FOTABUILD_CACHE_MB": "much"}, "/c", DEFAULT_MB),
        ({"FOTABUILD_CACHE_DIR": "/c", "FOTABUILD_CACHE_MB": "9" * 12}, "/c", 10**12 - 1),
        ({"FOTABUILD_CACHE_DIR": "/c", "FOTABUILD_CACHE_MB": "9" * 13}, "/c", DEFAULT_MB),
        ({"FOTABUILD_CACHE_DIR": "/c", "FOTABUILD_CACHE_MB": "9" * 5000}, "/c", DEFAULT_MB),
        ({"XDG_CACHE_HOME": "/x"}, "/x/fotabuild", DEFAULT_MB),
    ],
)
def test_where_the_cache_is(environ: dict[str, str], folder: str | None, megabytes: int) -> None:
    cache = default_cache(environ)
    if folder is None:
        assert cache is None
        return
    assert cache == ContentCache(Path(folder), megabytes << 20)
