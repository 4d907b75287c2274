"""How many processors and how much memory this process may use, also inside a container."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_UNKNOWN_MEMORY = 1 << 30


def processors(root: Path = Path("/")) -> int:
    """Return how many processes at once this process is given processors for.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:
        count = os.cpu_count() or 1
    return max(1, min([count, *(math.ceil(quota) for quota in _quotas(root))]))


def free_memory(root: Path = Path("/")) -> int:
    """Return the memory in bytes that is free for this process; a GiB where nobody knows.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    known = [size for group in _groups(root) if (size := _free_in(group)) is not None]
    meminfo = _table(root / "proc/meminfo").get("MemAvailable:")
    if meminfo is not None:
        known.append(meminfo * 1024)
    return max(0, min(known, default=_UNKNOWN_MEMORY))


def _groups(root: Path) -> Iterator[Path]:
    """Yield the control groups that bound this process, of both versions of Linux' cgroups.

    Inside a container the root may be its own group, whatever ``/proc/self/cgroup`` calls it.
    """
    mount = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        controllers, _, name = line.partition(":")[2].partition(":")
        place = PurePosixPath("/", name.lstrip("/"))
        if ".." in place.parts:  # Of a group outside of what can be seen here.
            place = PurePosixPath("/")
        # Version 2 has one tree; in version 1 each controller has its own, or some share one.
        for tree in {controllers, *controllers.split(",")}:
            for group in (place, *place.parents):
                yield mount / tree / str(group).lstrip("/")


def _free_in(group: Path) -> int | None:
    """Return what a group may still use; None if it has no bound."""
    for limit_name, used_name, cached_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, used = (_number(group / name) for name in (limit_name, used_name))
        if limit is not None and used is not None:
            return limit - used + _table(group / "memory.stat").get(cached_name, 0)
    return None


def _quotas(root: Path) -> Iterator[float]:
    """Yield how many processors each group allows."""
    for group in _groups(root):
        words = _read(group / "cpu.max").split()
        if len(words) != 2:
            words = [_read(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
        with contextlib.suppress(ValueError, ZeroDivisionError):
            quota, period = map(int, words)  # "max" and -1 stand for no bound.
            if quota > 0:
                yield quota / period


def _number(path: Path) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isascii() and text.isdigit() else None


def _table(path: Path) -> dict[str, int]:
    """Return the numbers of a file with a name and a number on each line."""
    rows = [line.split() for line in _read(path).splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
