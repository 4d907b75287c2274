"""The access key of a service: where it comes from, and how it stays out of sight."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from fotabuild.errors import FileError, NoAccessKeyError
from fotabuild.files.reading import read_file, read_pipe

#: The variable that is looked at when no setting names another place.
VARIABLE = "FOTABUILD_ACCESS_KEY"
_LIMIT = 4096
_PLACES = "say where it is with publish.access-key: env:NAME, file:PATH or fd:NUMBER"
_LOCAL = "the key of 'fotabuild serve' is in the file access-key of its data folder"
_SHAPE = "a key is 8 or more printable characters without spaces; copy it once more"
_HIDDEN = "***"


class AccessKey:
    """A secret. Its text shows up in no ``repr``, no error and no log.

    Args:
        secret: the key.
        source: where it came from, for people: ``env:NAME``, ``file:PATH`` or ``fd:N``.
    """

    __slots__ = ("_secret", "source")

    def __init__(self, secret: str, source: str) -> None:
        self._secret = secret
        self.source = source

    def __repr__(self) -> str:
        return f"AccessKey({self.source})"

    def __reduce__(self) -> str:
        raise TypeError("an access key is not stored")

    def header(self) -> str:
        """Return the value of the ``Authorization`` header."""
        return f"Bearer {self._secret}"

    def hide(self, text: str) -> str:
        """Return ``text`` without the key, should a service have repeated it."""
        return text.replace(self._secret, _HIDDEN)

    def hide_bytes(self, data: bytes) -> bytes:
        """Return ``data`` without the key, also where JSON text has it with escapes."""
        data = data.replace(self._secret.encode(), _HIDDEN.encode())
        if b"\\" not in data:
            return data
        spelled = "".join(
            rf"(?:(?i:\\u{ord(letter):04x})|\\?{re.escape(letter)})" for letter in self._secret
        )
        return re.sub(spelled.encode(), _HIDDEN.encode(), data)


def read_access_key(source: str | None, environ: Mapping[str, str] = os.environ) -> AccessKey:
    """Read the key.

    Args:
        source: ``env:NAME``, ``file:PATH`` or ``fd:N``; None for the usual variable.
        environ: the environment.

    Raises:
        NoAccessKeyError: there is none, or it cannot be one.
        FileError: the file cannot be read.
    """
    source = source or f"env:{VARIABLE}"
    scheme, _, place = source.partition(":")
    if scheme == "env":
        text = environ.get(place, "")
    elif scheme == "file":
        text = _decode(_read_file(Path(place)), source)
    elif scheme == "fd" and place.isascii() and place.isdigit():
        text = _decode(_read_descriptor(int(place)), source)
    else:
        raise NoAccessKeyError("this is no place of an access key", remedy=_PLACES)
    return parse_access_key(text, source)


def parse_access_key(text: str, source: str) -> AccessKey:
    """Return the key that a text is.

    Args:
        text: what was read, with spaces around it perhaps.
        source: where it came from, for people.

    Raises:
        NoAccessKeyError: it is none.
    """
    text = text.strip()
    if not text:
        raise NoAccessKeyError(f"there is no access key in {source}", remedy=_how_to_give(source))
    if len(text) > _LIMIT or re.fullmatch(r"[!-~]{8,}", text) is None:
        raise NoAccessKeyError(f"what {source} holds is no access key", remedy=_SHAPE)
    return AccessKey(text, source)


def _how_to_give(source: str) -> str:
    """Return what to do where there is no key, whoever has to do it and at whatever hour."""
    scheme, _, place = source.partition(":")
    how = f"write the key into {place if scheme == 'file' else source}"
    if scheme == "env":
        how = f"set {place} to the key where this command runs (in CI: from this job's secrets)"
    return f"{how}, or {_PLACES}; {_LOCAL}"


def _read_file(path: Path) -> bytes:
    try:
        return read_file(path, _LIMIT, "access key")
    except FileError as error:
        error.remedy = error.remedy or f"publish.access-key says that it is there; {_LOCAL}"
        raise


def _decode(data: bytes, source: str) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise NoAccessKeyError(f"what {source} holds is no access key", remedy=_SHAPE) from None


def _read_descriptor(number: int) -> bytes:
    try:
        # Its first line: whoever wrote that may keep the pipe open.
        return read_pipe(number, _LIMIT + 1, line=True)
    except OSError as error:
        raise NoAccessKeyError(
            f"cannot read fd:{number}: {error.strerror or error}",
            remedy=f"open it for this command, such as 'fotabuild upload ... {number}<FILE'",
        ) from None
