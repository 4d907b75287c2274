"""The access key of a service: where it comes from, and how it stays out of sight."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from fotabuild.errors import NoAccessKeyError
from fotabuild.files.reading import read_file

#: The variable that is looked at when no setting names another place.
VARIABLE = "FOTABUILD_ACCESS_KEY"
_LIMIT = 4096
_REMEDY = f"put it into the variable {VARIABLE}, or name its place with publish.access-key"
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
        text = _decode(read_file(Path(place), _LIMIT, "access key"), source)
    elif scheme == "fd" and place.isascii() and place.isdigit():
        text = _decode(_read_descriptor(int(place)), source)
    else:
        raise NoAccessKeyError("this is no place of an access key", remedy=_REMEDY)
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
        raise NoAccessKeyError(f"there is no access key in {source}", remedy=_REMEDY)
    if len(text) > _LIMIT or re.fullmatch(r"[!-~]{8,}", text) is None:
        raise NoAccessKeyError(
            f"what {source} holds is no access key",
            remedy="a key is 8 or more printable characters without spaces",
        )
    return AccessKey(text, source)


def _decode(data: bytes, source: str) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise NoAccessKeyError(f"what {source} holds is no access key") from None


def _read_descriptor(number: int) -> bytes:
    data = b""
    try:
        while len(data) <= _LIMIT and (piece := os.read(number, _LIMIT)):
            data += piece
    except OSError as error:
        raise NoAccessKeyError(
            f"cannot read fd:{number}: {error.strerror}", remedy=_REMEDY
        ) from None
    return data
