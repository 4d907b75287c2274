"""Every file operation with which a build changes the disk, counted and interrupted."""

from __future__ import annotations

import enum
import errno
import os
import signal
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn


class Kind(str, enum.Enum):
    """What an operation does."""

    FOLDER = "make folder"
    OPEN = "open for writing"
    WRITE = "write"
    FLUSH = "flush"
    FLUSH_FOLDER = "flush folder"
    RENAME = "rename"
    REMOVE = "remove"
    TIDY = "remove temporary"


class Moment(str, enum.Enum):
    """When, and how, an operation is interrupted."""

    KILL_BEFORE = "killed before"
    KILL_HALFWAY = "killed halfway through"
    KILL_AFTER = "killed after"
    FAIL = "failed"
    FAIL_HALFWAY = "failed halfway through"


#: What failing looks like; failures of other operations do no harm and are not tried.
ERRORS = {
    Kind.FOLDER: errno.EACCES,
    Kind.OPEN: errno.EACCES,
    Kind.WRITE: errno.ENOSPC,
    Kind.FLUSH: errno.EIO,
    Kind.RENAME: errno.EACCES,
    Kind.REMOVE: errno.EACCES,
}


@dataclass(frozen=True)
class Point:
    """A place at which a build is interrupted: the number of the operation, and the moment."""

    number: int
    kind: Kind
    moment: Moment


@dataclass
class Interceptor:
    """Counts operations; interrupts one of them when it is given a point."""

    point: Point | None = None
    kinds: list[Kind] = field(default_factory=list)

    def around(self, kind: Kind, call: Callable[[], Any], half: Callable[[], Any]) -> Any:
        """Do ``call``, or what the point says; ``half`` does a part of it."""
        number = len(self.kinds)
        self.kinds.append(kind)
        if self.point is None or number != self.point.number:
            return call()
        assert kind is self.point.kind, "two runs of a build do different things"
        moment = self.point.moment
        if moment in (Moment.KILL_HALFWAY, Moment.FAIL_HALFWAY):
            half()
        if moment in (Moment.FAIL, Moment.FAIL_HALFWAY):
            raise OSError(ERRORS[kind], os.strerror(ERRORS[kind]))
        if moment is Moment.KILL_AFTER:
            call()
        return _die()

    def install(self) -> None:
        """Put this process's file operations under control, for good."""
        real_open, real_write, real_flush, real_rename = os.open, os.write, os.fsync, os.replace
        real_remove, real_folder = Path.unlink, Path.mkdir

        def opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            def call() -> Any:
                return real_open(path, flags, *rest, **more)

            writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            return int(self.around(Kind.OPEN, call, _nothing) if writing else call())

        def written(descriptor: int, data: Any) -> int:
            return int(
                self.around(
                    Kind.WRITE,
                    lambda: real_write(descriptor, data),
                    lambda: real_write(descriptor, bytes(data)[: len(data) // 2]),
                )
            )

        def flushed(descriptor: int) -> None:
            folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            kind = Kind.FLUSH_FOLDER if folder else Kind.FLUSH
            self.around(kind, lambda: real_flush(descriptor), _nothing)

        def renamed(source: Any, target: Any, **more: Any) -> None:
            self.around(Kind.RENAME, lambda: real_rename(source, target, **more), _nothing)

        def removed(path: Path, missing_ok: bool = False) -> None:
            kind = Kind.TIDY if path.suffix == ".tmp" else Kind.REMOVE
            self.around(kind, lambda: real_remove(path, missing_ok=missing_ok), _nothing)

        def made(path: Path, *rest: Any, **more: Any) -> None:
            self.around(Kind.FOLDER, lambda: real_folder(path, *rest, **more), _nothing)

        patches: list[tuple[Any, str, Any]] = [
            (os, "open", opened),
            (os, "write", written),
            (os, "fsync", flushed),
            (os, "replace", renamed),
            (Path, "unlink", removed),
            (Path, "mkdir", made),
        ]
        for owner, name, replacement in patches:
            setattr(owner, name, replacement)


def kill_points(kinds: list[Kind]) -> list[Point]:
    """Return every point at which a build with these operations can be killed.

    Between two operations nothing changes, so "after" one is "before" the next.
    """
    points = [Point(number, kind, Moment.KILL_BEFORE) for number, kind in enumerate(kinds)]
    points += [Point(number, kind, Moment.KILL_HALFWAY) for number, kind in _writes(kinds)]
    return [*points, Point(len(kinds) - 1, kinds[-1], Moment.KILL_AFTER)]


def failure_points(kinds: list[Kind]) -> list[Point]:
    """Return every point at which the system can refuse an operation."""
    numbered = enumerate(kinds)
    points = [Point(number, kind, Moment.FAIL) for number, kind in numbered if kind in ERRORS]
    return points + [Point(number, kind, Moment.FAIL_HALFWAY) for number, kind in _writes(kinds)]


def _writes(kinds: list[Kind]) -> list[tuple[int, Kind]]:
    return [(number, kind) for number, kind in enumerate(kinds) if kind is Kind.WRITE]


def _nothing() -> None:
    """There is no half of this operation."""


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")
