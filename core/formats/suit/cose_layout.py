"""COSE_Sign1 and COSE_Mac0 as bytes (RFC 9052); keys are the signing room's matter."""

from __future__ import annotations

from fotabuild.formats.suit.cbor_reader import Kind
from fotabuild.formats.suit.cbor_writer import CborKey, CborValue, Tagged, encode
from fotabuild.formats.suit.cursor import Cursor
from fotabuild.formats.suit.model import CoseBlock

SIGN1_TAG = 18
MAC0_TAG = 17
_ALGORITHM, _CRITICAL, _KEY_ID = 1, 2, 4
_OTHER_TAGS = {96: "COSE_Encrypt", 97: "COSE_Mac", 98: "COSE_Sign"}


def protected_header(algorithm: int) -> bytes:
    """Return the protected header that names a COSE algorithm."""
    return encode({_ALGORITHM: algorithm})


def to_be_signed(protected: bytes, content: bytes, *, is_mac: bool) -> bytes:
    """Return the bytes that a signature or authentication code covers.

    Args:
        protected: the protected header.
        content: the encoded digest of the manifest.
        is_mac: whether it is an authentication code.
    """
    return encode(["MAC0" if is_mac else "Signature1", protected, b"", content])


def encode_block(block: CoseBlock) -> bytes:
    """Return the tagged COSE structure."""
    unprotected: dict[CborKey, CborValue] = {}
    if block.key_id is not None:
        unprotected[_KEY_ID] = block.key_id
    return encode(
        Tagged(
            MAC0_TAG if block.is_mac else SIGN1_TAG,
            [block.protected, unprotected, block.payload, block.value],
        )
    )


def decode_block(at: Cursor) -> CoseBlock:
    """Read a tagged COSE structure.

    Raises:
        SuitError: another structure, or a header that we do not understand and must.
    """
    tag = at.item.value if at.item.kind is Kind.TAG else None
    if tag not in (SIGN1_TAG, MAC0_TAG):
        name = _OTHER_TAGS.get(tag, f"tag {tag}") if isinstance(tag, int) else at.item.kind.value
        at.fail(f"expected COSE_Sign1 or COSE_Mac0, found {name}")
    at.name("COSE_Mac0" if tag == MAC0_TAG else "COSE_Sign1")
    parts = at.at(at.item.items[0], "content").elements()
    if len(parts) != 4:
        at.fail(f"4 elements expected, {len(parts)} found")
    protected, unprotected, payload, value = parts
    headers = _headers(protected.embedded())
    if _CRITICAL in headers:
        headers[_CRITICAL].fail("critical headers are not supported")
    if _ALGORITHM not in headers:
        protected.fail("the protected header names no algorithm")
    hints = _headers(unprotected)
    for label in hints.keys() & headers.keys():
        hints[label].fail(f"header {label} is both protected and unprotected")
    if _ALGORITHM in hints:
        hints[_ALGORITHM].fail("the algorithm is not protected")
    key_id = {**hints, **headers}.get(_KEY_ID)
    return CoseBlock(
        is_mac=tag == MAC0_TAG,
        algorithm=headers[_ALGORITHM].integer(),
        protected=protected.byte_string(),
        key_id=None if key_id is None else key_id.byte_string(),
        payload=None if payload.is_null else payload.byte_string(),
        value=value.byte_string(),
        offset=at.item.start,
    )


def _headers(at: Cursor) -> dict[int | str, Cursor]:
    headers: dict[int | str, Cursor] = {}
    for key, value in at.entries():
        label = key.text() if key.item.kind is Kind.TEXT else key.integer()
        if label == _ALGORITHM:
            key.name("alg")
        if label == _KEY_ID:
            key.name("kid")
        headers[label] = value
    return headers
