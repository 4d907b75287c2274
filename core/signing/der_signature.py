"""ECDSA signatures in their two forms: raw r and s, and DER (ECDSA-Sig-Value, RFC 3279)."""

from __future__ import annotations

from pyasn1.type import namedtype, univ

from fotabuild.errors import DerError, VerificationError
from fotabuild.formats import der
from fotabuild.signing.signer import SIGNATURE_SIZE

_HALF = SIGNATURE_SIZE // 2
#: SEQUENCE header, and for each number its header and at most one leading zero.
MAX_DER_SIZE = 2 + 2 * (3 + _HALF)
_SCHEMA = der.sequence(
    namedtype.NamedType("r", univ.Integer()), namedtype.NamedType("s", univ.Integer())
)


def raw_to_der(signature: bytes) -> bytes:
    """Return the DER of a raw P-256 signature; there is exactly one.

    Args:
        signature: 64 bytes, r and s.
    """
    assert len(signature) == SIGNATURE_SIZE
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    return der.encode(_SCHEMA, {"r": r, "s": s})


def der_to_raw(signature: bytes) -> bytes:
    """Return the 64 bytes of a P-256 signature in DER.

    Raises:
        VerificationError: not DER of two positive numbers of at most 256 bits.
    """
    try:
        values = der.decode(signature, _SCHEMA, integer_size=_HALF + 1).values
    except DerError as error:
        raise VerificationError(f"the signature is not DER: {error}") from None
    numbers = (values["r"], values["s"])
    if not all(0 < number < 1 << 8 * _HALF for number in numbers):
        raise VerificationError("the numbers of the signature do not fit P-256")
    return b"".join(number.to_bytes(_HALF, "big") for number in numbers)
