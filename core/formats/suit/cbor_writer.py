"""Deterministic CBOR (RFC 8949, section 4.2.1): definite lengths, shortest heads, sorted keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Tagged:
    """A value with a CBOR tag."""

    number: int
    value: CborValue


#: Arrays as map keys are tuples.
CborValue: TypeAlias = (
    int
    | bytes
    | str
    | bool
    | Tagged
    | Sequence["CborValue"]
    | Mapping["CborKey", "CborValue"]
    | None
)
CborKey: TypeAlias = int | str | tuple[bytes, ...]


def encode(value: CborValue) -> bytes:
    """Return the CBOR of ``value``.

    The keys of maps are in the bytewise order of their encodings. That of the ``canonical`` mode of
    cbor2 is another one, where shorter keys come first: RFC 7049 and not RFC 8949.
    """
    import cbor2

    return cbor2.dumps(_prepare(value))


def _prepare(value: CborValue) -> object:
    if isinstance(value, Mapping):
        entries = sorted((encode(key), key, entry) for key, entry in value.items())
        return {key: _prepare(entry) for _, key, entry in entries}
    if isinstance(value, Tagged):
        import cbor2

        return cbor2.CBORTag(value.number, _prepare(value.value))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_prepare(entry) for entry in value]
    return value
