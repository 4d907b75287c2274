"""Texts that stand for bytes in component ids and digests (suit specification, section 1.3)."""

from __future__ import annotations

import base64
import binascii
import enum
import re

_HEX = re.compile("(?:[0-9a-fA-F]{2})*")
_BASE64 = re.compile("(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?")
_FOREIGN_TO_BASE64 = re.compile("[^0-9A-Za-z+/]")
#: Words are letters, in lower case behind the first; hex and base64 of real bytes rarely are.
_WORD = re.compile("[A-Za-z]?[a-z]{3,}")


class Spelling(enum.Enum):
    """How a text was read."""

    HEX = "hex"
    BASE64 = "base64"
    TEXT = "text"


def read_bytes(text: str) -> tuple[bytes, Spelling]:
    """Return the bytes of a text and how it was read: as hex, else base64, else UTF-8."""
    if text and _HEX.fullmatch(text):
        return bytes.fromhex(text), Spelling.HEX
    if text and _BASE64.fullmatch(text):
        return base64.b64decode(text, validate=True), Spelling.BASE64
    return text.encode("utf-8", "surrogatepass"), Spelling.TEXT


def decode_as(text: str, spelling: Spelling) -> bytes:
    """Return the bytes of a text whose spelling is known.

    Raises:
        ValueError: the text is not spelled so.
    """
    if spelling is Spelling.HEX:
        if not _HEX.fullmatch(text):
            raise ValueError("not hexadecimal")
        return bytes.fromhex(text)
    if spelling is Spelling.BASE64:
        if not _BASE64.fullmatch(text):
            raise ValueError("not base64")
        return base64.b64decode(text, validate=True)
    return text.encode()


def doubt(text: str) -> str | None:
    """Return why the bytes of a text may not be what its author meant, or None."""
    data, spelling = read_bytes(text)
    if spelling is not Spelling.TEXT and _WORD.fullmatch(text):
        return (
            f"the word {text!r} is read as {spelling.value}, giving {data.hex()}; "
            f'write {{"text": "{text}"}} to get its letters'
        )
    if spelling is Spelling.TEXT:
        # suit-tool 0.0.2 drops foreign characters and decodes the rest.
        rest = _FOREIGN_TO_BASE64.sub("", text)
        try:
            older = base64.b64decode(text) if rest and text.isascii() else None
        except (binascii.Error, ValueError):
            older = None
        if older:
            return (
                f"{text!r} is read as text; suit-tool 0.0.2 reads it as base64, "
                f"giving {older.hex()}"
            )
    return None
