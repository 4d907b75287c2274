"""The envelope of a signed statement: DSSE 1.0, with ECDSA on P-256 and SHA-256.

What is signed begins with ``DSSEv1 ``, and a manifest with the DER of a SEQUENCE: no signature of
the one is ever one of the other, though the same key makes both.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from fotabuild.digest import sha256
from fotabuild.errors import ProvenanceError, VerificationError
from fotabuild.signing.der_signature import der_to_raw, raw_to_der
from fotabuild.signing.signer import Signer
from fotabuild.signing.verify import load_public_key, verify

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_MOST_SIGNATURES = 16
_URL_SAFE = str.maketrans("-_", "+/")


class _Signature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str = ""


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: list[_Signature]


def pre_authentication(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Return the bytes that a signature covers (DSSE, "PAE")."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def key_id(public_key: bytes) -> str:
    """Return the name of a key: SHA-256 of its SubjectPublicKeyInfo, hexadecimal.

    Args:
        public_key: 65 bytes, an uncompressed P-256 point.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = load_public_key(public_key)
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hex()


def seal(payload: bytes, signer: Signer) -> bytes:
    """Return the envelope of ``payload``, one line of JSON."""
    signature = raw_to_der(signer.sign(pre_authentication(payload)))
    envelope = _Envelope(
        base64.b64encode(payload).decode(),
        PAYLOAD_TYPE,
        [_Signature(base64.b64encode(signature).decode(), key_id(signer.public_key()))],
    )
    return msgspec.json.encode(envelope) + b"\n"


def unseal(data: bytes, public_key: bytes) -> bytes:
    """Return what an envelope holds, once one of its signatures is verified.

    Key ids are hints that anybody may change, and are not looked at.

    Args:
        data: the envelope.
        public_key: 65 bytes, an uncompressed P-256 point.

    Raises:
        ProvenanceError: no envelope, of another kind, or not signed by this key.
    """
    envelope, payload = _open(data)
    signed = pre_authentication(payload)
    for index, signature in enumerate(envelope.signatures):
        der = _decode(signature.sig, f"signatures[{index}].sig")
        try:
            verify(public_key, signed, der_to_raw(der))
        except VerificationError:
            continue
        return payload
    raise ProvenanceError(
        "no signature of the update key over this statement",
        field="signatures",
        remedy="the statement was changed, or signed with another key",
    )


def unverified(data: bytes) -> bytes:
    """Return what an envelope holds, whoever signed it: for questions to people, and nothing else.

    Raises:
        ProvenanceError: no envelope, or of another kind.
    """
    return _open(data)[1]


def _open(data: bytes) -> tuple[_Envelope, bytes]:
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise ProvenanceError(f"this is not a signed statement: {error}") from None
    if envelope.payload_type != PAYLOAD_TYPE:
        raise ProvenanceError(
            f"{envelope.payload_type[:80]!r} where {PAYLOAD_TYPE!r} is expected",
            field="payloadType",
        )
    if len(envelope.signatures) > _MOST_SIGNATURES:
        raise ProvenanceError(f"more than {_MOST_SIGNATURES} signatures", field="signatures")
    payload = _decode(envelope.payload, "payload")
    return envelope, payload


def _decode(text: str, field: str) -> bytes:
    """Read base64 of either alphabet, as DSSE demands of verifiers."""
    try:
        return base64.b64decode(text.translate(_URL_SAFE), validate=True)
    except (binascii.Error, ValueError):
        raise ProvenanceError("this is not base64", field=field) from None
