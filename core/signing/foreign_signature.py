"""Signatures made outside: by an external tool, or on a machine without a network."""

from __future__ import annotations

from fotabuild.errors import SignatureError, VerificationError
from fotabuild.signing.der_signature import der_to_raw
from fotabuild.signing.signer import SIGNATURE_SIZE


def raw_from_der(signature: bytes) -> bytes:
    """Return the raw form of a DER signature; it is not verified here.

    Raises:
        SignatureError: not a P-256 signature in strict DER.
    """
    try:
        return der_to_raw(signature)
    except VerificationError as error:
        hint = ""
        if len(signature) == SIGNATURE_SIZE:
            hint = " (64 bytes: perhaps raw r and s)"
        raise SignatureError(
            f"{error.problem}{hint}",
            remedy="an ECDSA-Sig-Value in DER is needed, as openssl writes it",
        ) from None


def raw_from_any(signature: bytes) -> bytes:
    """Return the raw form of a signature in either encoding; it is not verified here.

    64 bytes are a raw signature: DER of that size would need numbers that are 4 bytes short both,
    which chance does not bring; verification tells in any case.
    """
    return signature if len(signature) == SIGNATURE_SIZE else raw_from_der(signature)
