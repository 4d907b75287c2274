"""Bodies of requests that are not held in memory: they know their length and are read once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from fotabuild.errors import FileError

Progress = Callable[[int], None]
_PIECE = 64 * 1024


class FileSlice:
    """A part of a file.

    Args:
        path: the file.
        offset: where the part begins, in bytes.
        size: its length in bytes.
        progress: hears of the bytes handed out so far.
    """

    def __init__(
        self, path: Path, offset: int, size: int, progress: Progress | None = None
    ) -> None:
        self._path = path
        self._offset = offset
        self._size = size
        self._progress = progress
        self._done = 0
        self._file: IO[bytes] | None = None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(_PIECE):
            yield piece

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most ``size``.

        Raises:
            FileError: the file cannot be read, or has become shorter.
        """
        wanted = self._size - self._done
        if size >= 0:
            wanted = min(size, wanted)
        if not wanted:
            return b""
        try:
            if self._file is None:
                self._file = open(self._path, "rb")  # noqa: SIM115 - close() closes it.
                self._file.seek(self._offset)
            piece = self._file.read(wanted)
        except OSError as error:
            raise FileError(f"cannot read the payload: {error.strerror}", file=self._path) from None
        if not piece:
            raise FileError("this payload became shorter while it was sent", file=self._path)
        self._done += len(piece)
        if self._progress is not None:
            self._progress(self._done)
        return piece

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


class Multipart:
    """A ``multipart/form-data`` body of text fields and one file at the end, of known length.

    Args:
        fields: names and values of the text parts.
        file_name: what the service gets to see as the file's name.
        content: the file.
    """

    def __init__(
        self, fields: Sequence[tuple[str, str]], file_name: str, content: FileSlice | bytes
    ) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields
        )
        head += (
            f"--{boundary}\r\nContent-Disposition: form-data; "
            f'name="datafile"; filename="{file_name}"\r\n\r\n'
        )
        tail = f"\r\n--{boundary}--\r\n"
        self._parts: list[FileSlice | bytes] = [head.encode(), content, tail.encode()]
        self._size = sum(len(part) for part in self._parts)
        self._rest = b""
        self._exit = ExitStack()
        if isinstance(content, FileSlice):
            self._exit.callback(content.close)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(_PIECE):
            yield piece

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most ``size``; fewer do not mean the end, none do."""
        if size < 0:
            size = self._size
        while not self._rest and self._parts:
            part = self._parts[0]
            if isinstance(part, FileSlice):
                if piece := part.read(size):
                    return piece
            else:
                self._rest = part
            self._parts.pop(0)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def close(self) -> None:
        """Close the file."""
        self._exit.close()
