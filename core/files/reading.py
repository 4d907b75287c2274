"""Reading whole files and pipes, with limits of size and time."""

from __future__ import annotations

import contextlib
import os
import select
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from fotabuild.errors import FileError

_CHUNK = 1 << 20
#: How long a pipe may take to be written and closed, where pipes are read at all.
PIPE_SECONDS = 60.0


def read_file(path: Path, limit: int, what: str, *, pipes: bool = False) -> bytes:
    """Read a whole regular file of at most ``limit`` bytes.

    Args:
        path: the file.
        limit: largest accepted size in bytes; nothing is read from a larger file.
        what: what the file is to the reader, for the message ("private key").
        pipes: also read a pipe or terminal, such as ``/dev/stdin`` or the ``<(...)`` of shells,
            for at most :data:`PIPE_SECONDS`. What is in a pipe can be read once.

    Raises:
        FileError: missing, unreadable, not a regular file, or too large.
    """
    with _told(path, what), open(path, "rb", opener=_open_at_once) as stream:
        info = os.fstat(stream.fileno())
        if pipes and is_pipe(info.st_mode) and hasattr(select, "poll"):
            data = read_pipe(stream.fileno(), limit + 1)
            if not data:
                raise FileError(
                    f"this {what} is an empty pipe: what was in it can be read once", file=path
                )
        else:
            _check(info, path, limit, what)
            # As many bytes as there are, and one: asking for the limit would reserve it.
            data = stream.read(info.st_size + 1)
            while info.st_size < len(data) <= limit and (more := stream.read(_CHUNK)):
                data += more  # It grew, or it is one of those whose size nobody knows.
    if len(data) > limit:
        raise FileError(f"this {what} grew beyond the limit of {limit} bytes", file=path)
    return data


def check_file(path: Path, limit: int, what: str, *, pipes: bool = False) -> None:
    """Refuse what :func:`read_file` would refuse, as far as it shows without reading a byte.

    Args:
        path: the file; a pipe is not even opened, as its writer would notice.
        limit: as for :func:`read_file`, like the others.
        what: what the file is to the reader.
        pipes: whether it may be a pipe.

    Raises:
        FileError: as :func:`read_file`.
    """
    with _told(path, what):
        if is_pipe(path.stat().st_mode):
            if not pipes:
                raise FileError(f"this {what} is not a regular file", file=path)
            return
        with open(path, "rb", opener=_open_at_once) as stream:
            _check(os.fstat(stream.fileno()), path, limit, what)


@contextlib.contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    """Tell why the system refuses a file."""
    try:
        yield
    except OSError as error:
        raise FileError(f"cannot read the {what}: {error.strerror or error}", file=path) from None
    except ValueError:
        raise FileError(f"cannot read the {what}: no file has such a name", file=path) from None


def _check(info: os.stat_result, path: Path, limit: int, what: str) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise FileError(f"this {what} is not a regular file", file=path)
    if info.st_size > limit:
        raise FileError(f"this {what} has {info.st_size} bytes, the limit is {limit}", file=path)


def is_pipe(mode: int) -> bool:
    """Return whether a file of this mode is one that ``read_file`` reads as a pipe."""
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def read_pipe(descriptor: int, size: int, *, line: bool = False) -> bytes:
    """Read until the writers are done, or ``size`` bytes are there.

    Args:
        descriptor: the pipe, or any other open file.
        size: most bytes to read.
        line: stop at the end of the first line, too; the writer may keep the pipe open. What comes
            with that end, and after it, may be among the bytes.

    Raises:
        TimeoutError: nothing came, or not all of it, for :data:`PIPE_SECONDS`.
        OSError: it cannot be read.
    """
    end = time.monotonic() + PIPE_SECONDS
    poll = None
    if hasattr(select, "poll"):  # Windows has none.
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
    data = bytearray()
    while len(data) < size and not (line and b"\n" in data):
        # A pipe that nobody has opened for writing yet is not at its end.
        if poll is not None and not poll.poll(max(0, end - time.monotonic()) * 1000):
            raise TimeoutError(f"nothing came through this pipe for {PIPE_SECONDS:g} seconds")
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(descriptor, size - len(data))
            if not chunk:
                break
            data += chunk
    return bytes(data)


def _open_at_once(path: str, flags: int) -> int:
    """Open a file; a pipe without a writer must not make us wait for one."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
