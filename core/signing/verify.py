"""Verification of raw P-256 signatures. It raises; it never returns False."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fotabuild.errors import SigningError, VerificationError
from fotabuild.signing.signer import SIGNATURE_SIZE

# Imported where they are used: reading a build description verifies nothing, and this is slow.
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

PUBLIC_KEY_SIZE = 65


def verify(public_key: bytes, data: bytes, signature: bytes) -> None:
    """Check ECDSA-SHA256 over ``data``.

    Args:
        public_key: 65 bytes, an uncompressed P-256 point.
        data: the signed bytes.
        signature: 64 bytes, raw r and s.

    Raises:
        VerificationError: the signature is not of this key over this data.
        SigningError: the public key is no point of P-256.
    """
    _verify(public_key, data, signature, is_digest=False)


def verify_digest(public_key: bytes, digest: bytes, signature: bytes) -> None:
    """Check ECDSA over a SHA-256 that was computed before; otherwise as :func:`verify`."""
    _verify(public_key, digest, signature, is_digest=True)


def _verify(public_key: bytes, data: bytes, signature: bytes, *, is_digest: bool) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

    key = load_public_key(public_key)
    problem = VerificationError("the signature is not of this key over this data")
    if len(signature) != SIGNATURE_SIZE:
        raise VerificationError(f"a signature has {SIGNATURE_SIZE} bytes, not {len(signature)}")
    half = SIGNATURE_SIZE // 2
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    algorithm = Prehashed(hashes.SHA256()) if is_digest else hashes.SHA256()
    try:
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(algorithm))
    except (InvalidSignature, ValueError):
        raise problem from None


def load_public_key(public_key: bytes) -> ec.EllipticCurvePublicKey:
    """Read an uncompressed point.

    Raises:
        SigningError: another length or form, or a point that is not on P-256.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        if len(public_key) != PUBLIC_KEY_SIZE or public_key[0] != 4:
            raise ValueError
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    except ValueError:
        raise SigningError(
            "this is not a P-256 public key", remedy="give the 65 bytes of an uncompressed point"
        ) from None
