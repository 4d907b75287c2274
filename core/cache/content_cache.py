"""A folder of entries by key: of bounded size, safe for parallel builds, never trusted blindly.

A cache never fails a build: what cannot be read, or has no room in memory, is a miss; what cannot
be written is not kept.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fotabuild.digest import sha256
from fotabuild.errors import FotabuildError
from fotabuild.files.reading import read_file

FOLDER_VARIABLE = "FOTABUILD_CACHE_DIR"
SIZE_VARIABLE = "FOTABUILD_CACHE_MB"
OFF = "off"
DEFAULT_MB = 2048
# Each shard is bounded on its own, so that a writer looks at a part of the entries only. What would
# fill half of one has a place of its own, and a share of it counts in each shard.
_SHARDS = "0123456789abcdef"
_LARGE = "large"
_LARGEST = 4  # An entry is no more than this part of the whole.
_MAGIC = b"fotabuild cache 1\n"
_DIGEST = 32
_HEAD = len(_MAGIC) + 32 + _DIGEST
_LEFTOVER_SECONDS = 3600
_KEEP = 0.9
_LAYOUT = "v1"
_DIGITS = 12  # Of a number of megabytes: more bytes than any disk has.


@dataclass(frozen=True)
class ContentCache:
    """Entries in a folder.

    An entry is written beside its place and renamed. It begins with its key and the digest of its
    content: a damaged one, or one under another's name, is removed and counts as a miss. The
    least recently used entries go first.

    Attributes:
        folder: where entries are.
        limit: largest sum of all entries in bytes.
    """

    folder: Path
    limit: int = DEFAULT_MB << 20

    def get(self, key: str) -> bytes | None:
        """Return an entry, or None.

        Args:
            key: 64 hexadecimal digits that stand for everything that the entry depends on.
        """
        for path in self._paths(key):
            try:
                data = read_file(path, _HEAD + self._largest, "cache entry")
                content = data[_HEAD:]
            except (FotabuildError, MemoryError):
                continue
            if data[:_HEAD] != _head(key, content):
                self.remove(key)
                return None
            with contextlib.suppress(OSError):
                os.utime(path)
            return content
        return None

    def put(self, key: str, content: bytes) -> None:
        """Keep an entry, unless it is too large or the folder cannot be written."""
        if len(content) > self._largest:
            return
        large = len(content) > self._shard_limit // 2
        path = self._paths(key)[large]
        temporary = path.with_name(f".{key[:16]}.{os.urandom(6).hex()}.tmp")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as stream:
                    stream.writelines((_head(key, content), content))
                # Not flushed: after a crash the digest tells, and the entry is made again.
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
            for shard in _SHARDS if large else key[0]:
                self._evict(shard)
        except (OSError, MemoryError):
            return

    def remove(self, key: str) -> None:
        """Forget an entry, such as one that turned out to be wrong."""
        for path in self._paths(key):
            with contextlib.suppress(OSError):
                path.unlink()

    def size(self) -> int:
        """Return the bytes of all entries."""
        return sum(size for shard in (*_SHARDS, _LARGE) for _, size, _ in self._entries(shard))

    @property
    def _shard_limit(self) -> int:
        return self.limit // len(_SHARDS)

    @property
    def _largest(self) -> int:
        """Bytes of the largest content that is kept."""
        return self.limit // _LARGEST

    def _paths(self, key: str) -> tuple[Path, Path]:
        """Return where an entry is: in its shard, or among the large ones."""
        folder = self.folder / _LAYOUT
        return folder / key[0] / key, folder / _LARGE / key

    def _entries(self, shard: str) -> list[tuple[float, int, str]]:
        """Return date of last use, size and path of the entries of a shard."""
        found = []
        with contextlib.suppress(OSError), os.scandir(self.folder / _LAYOUT / shard) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):  # Another build has just evicted it.
                    status = entry.stat()
                    found.append((status.st_mtime, status.st_size, entry.path))
        return found

    def _evict(self, shard: str) -> None:
        """Remove the entries of a shard that were not used for longest, and leftovers."""
        large = [
            (used, -(-size // len(_SHARDS)), path) for used, size, path in self._entries(_LARGE)
        ]
        entries = sorted(self._entries(shard) + large, reverse=True)
        now = time.time()
        total = 0
        full = sum(size for _, size, _ in entries) > self._shard_limit
        bound = self._shard_limit * _KEEP if full else self._shard_limit
        for used, size, path in entries:
            total += size
            leftover = path.endswith(".tmp")
            if (leftover and now - used > _LEFTOVER_SECONDS) or (not leftover and total > bound):
                total -= size
                with contextlib.suppress(OSError):
                    Path(path).unlink()


def _head(key: str, content: bytes) -> bytes:
    return _MAGIC + bytes.fromhex(key) + sha256(content)


def default_cache(environ: Mapping[str, str] = os.environ) -> ContentCache | None:
    """Return the user's cache, or None if it is switched off or there is no place for it.

    ``FOTABUILD_CACHE_DIR`` names its folder or says ``off``; ``FOTABUILD_CACHE_MB`` bounds it.
    """
    folder = environ.get(FOLDER_VARIABLE, "")
    if folder == OFF:
        return None
    size = environ.get(SIZE_VARIABLE, "")
    valid = size.isascii() and size.isdigit() and len(size) <= _DIGITS
    limit = (int(size) if valid else DEFAULT_MB) << 20
    if not limit:
        return None
    if folder:
        return ContentCache(Path(folder).absolute(), limit)
    base = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    if base:
        return ContentCache(Path(base).absolute() / "fotabuild", limit)
    try:
        return ContentCache(Path.home() / ".cache" / "fotabuild", limit)
    except RuntimeError:  # A build account without a home.
        return None
