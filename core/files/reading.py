"""Reading whole files and pipes, with limits of size and time."""

from __future__ import annotations

import contextlib
import os
import select
import stat
import time
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
    try:
        with open(path, "rb", opener=_open_at_once) as stream:
            info = os.fstat(stream.fileno())
            if pipes and is_pipe(info.st_mode) and hasattr(select, "poll"):
                data = _read_pipe(stream.fileno(), limit + 1)
                if not data:
                    raise FileError(
                        f"this {what} is an empty pipe: what was in it can be read once", file=path
                    )
            elif not stat.S_ISREG(info.st_mode):
                raise FileError(f"this {what} is not a regular file", file=path)
            elif info.st_size > limit:
                raise FileError(
                    f"this {what} has {info.st_size} bytes, the limit is {limit}", file=path
                )
            else:
                # As many bytes as there are, and one: asking for the limit would reserve it.
                data = stream.read(info.st_size + 1)
                while info.st_size < len(data) <= limit and (more := stream.read(_CHUNK)):
                    data += more  # It grew, or it is one of those whose size nobody knows.
    except OSError as error:
        raise FileError(f"cannot read the {what}: {error.strerror or error}", file=path) from None
    except ValueError:
        raise FileError(f"cannot read the {what}: no file has such a name", file=path) from None
    if len(data) > limit:
        raise FileError(f"this {what} grew beyond the limit of {limit} bytes", file=path)
    return data


def is_pipe(mode: int) -> bool:
    """Return whether a file of this mode is one that ``read_file`` reads as a pipe."""
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _read_pipe(descriptor: int, size: int) -> bytes:
    """Read until the writers are done or ``size`` bytes are there; ``descriptor`` does not block.

    Raises:
        TimeoutError: nobody wrote, or a writer keeps the pipe open.
    """
    end = time.monotonic() + PIPE_SECONDS
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    data = bytearray()
    while len(data) < size:
        # A pipe that nobody has opened for writing yet is not at its end.
        if not poll.poll(max(0, end - time.monotonic()) * 1000):
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
