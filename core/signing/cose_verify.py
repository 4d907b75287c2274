"""Keys that verify COSE signatures and authentication codes. They raise, and never return False."""

from __future__ import annotations

import hmac
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fotabuild.errors import CoseKeyError, VerificationError
from fotabuild.signing.cose_algorithm import KeyKind, algorithm_by_number

# Imported where they are used: describing a build verifies nothing, and this is slow.
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

SECRET_SIZE = 32
_REMEDY = "give a public key or certificate as PEM or DER, an HSS public key, or a 32-byte secret"


@dataclass(frozen=True)
class VerificationKey:
    """A public key, or the secret of an authentication code.

    Attributes:
        kind: what it is.
        public_bytes: SPKI DER of a public key, the serialised HSS key, or empty for a secret.
        check: raises ValueError when the signature is not of this key over the data.
    """

    kind: KeyKind
    public_bytes: bytes
    check: Callable[[bytes, bytes], None]

    def fits(self, algorithm_number: int) -> bool:
        """Return whether signatures of this COSE algorithm can be of this key."""
        algorithm = algorithm_by_number(algorithm_number)
        return algorithm is not None and algorithm.kind is self.kind

    def verify(self, algorithm_number: int, data: bytes, signature: bytes) -> None:
        """Check a signature.

        Args:
            algorithm_number: the COSE algorithm that the signature claims.
            data: the bytes that it covers.
            signature: the signature as COSE has it.

        Raises:
            VerificationError: the algorithm is not for this key, or the signature is not of it.
        """
        if not self.fits(algorithm_number):
            algorithm = algorithm_by_number(algorithm_number)
            name = f"COSE algorithm {algorithm_number}" if algorithm is None else algorithm.value
            raise VerificationError(f"{name} is not for a key of the kind {self.kind.value}")
        try:
            self.check(data, signature)
        except ValueError:
            raise VerificationError("the signature is not of this key over this data") from None


def load_verification_key(data: bytes) -> VerificationKey:
    """Read a public key or certificate (PEM or DER), or a serialised HSS public key.

    Args:
        data: the whole file. What could be a secret is refused: a public key that is taken for one
            lets everybody make authentication codes.

    Raises:
        CoseKeyError: anything else, or a key of a kind that SUIT does not use.
        HssLmsError: the extra for HSS/LMS is missing.
    """
    if secret_of(data) is not None:
        raise CoseKeyError(
            "this could be a secret, or a key without its kind",
            remedy="give a public key as PEM or DER; a secret has an option of its own, --secret",
        )
    if _is_hss(data):
        from fotabuild.signing.hss_lms import hss_verification_key

        return hss_verification_key(data)
    return from_public_key(_load_public(data))


def load_secret(data: bytes) -> VerificationKey:
    """Read the secret of HMAC-256: 32 bytes, or 64 hexadecimal digits.

    Raises:
        CoseKeyError: anything else.
    """
    secret = secret_of(data)
    if secret is None:
        raise CoseKeyError(f"a secret has {SECRET_SIZE} bytes, or twice as many hexadecimal digits")
    return secret_key(secret)


def secret_key(secret: bytes) -> VerificationKey:
    """Return the key of HMAC-256 authentication codes.

    Raises:
        CoseKeyError: the secret has not 32 bytes.
    """
    if len(secret) != SECRET_SIZE:
        raise CoseKeyError(f"the secret of HMAC-256 has {SECRET_SIZE} bytes, not {len(secret)}")

    def check(data: bytes, code: bytes) -> None:
        if not hmac.compare_digest(hmac.digest(secret, data, "sha256"), code):
            raise ValueError

    return VerificationKey(KeyKind.HMAC, b"", check)


def from_point(point: bytes) -> VerificationKey:
    """Return the key of an uncompressed P-256 point, as a :class:`Signer` gives it."""
    from fotabuild.signing.verify import load_public_key

    return from_public_key(load_public_key(point))


def from_public_key(key: PublicKeyTypes) -> VerificationKey:
    """Return the verification key of a public key.

    Raises:
        CoseKeyError: it is of a kind that SUIT does not use.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if isinstance(key, ec.EllipticCurvePublicKey):
        kind = curve_kind(key.curve)
        check = _elliptic_check(key)
    elif isinstance(key, ed25519.Ed25519PublicKey):
        kind, verify = KeyKind.ED25519, key.verify

        def check(data: bytes, signature: bytes) -> None:
            try:
                verify(signature, data)
            except InvalidSignature:
                raise ValueError from None
    else:
        name = type(key).__name__.removesuffix("PublicKey").lstrip("_")
        raise CoseKeyError(f"this is a {name} key", remedy=_REMEDY)
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return VerificationKey(kind, spki, check)


def curve_kind(curve: ec.EllipticCurve) -> KeyKind:
    """Return the kind of keys on a curve.

    Raises:
        CoseKeyError: SUIT does not use this curve.
    """
    kinds = {"secp256r1": KeyKind.P256, "secp384r1": KeyKind.P384, "secp521r1": KeyKind.P521}
    if curve.name not in kinds:
        raise CoseKeyError(f"this key is on {curve.name}", remedy="use P-256, P-384 or P-521")
    return kinds[curve.name]


def half_size(curve: ec.EllipticCurve) -> int:
    """Return the length of r and of s in bytes."""
    return (curve.key_size + 7) // 8


def curve_hash(curve: ec.EllipticCurve) -> ec.ECDSA:
    """Return the signature scheme of a curve: ECDSA with the hash of its size, deterministic."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    algorithms: dict[KeyKind, hashes.HashAlgorithm] = {
        KeyKind.P256: hashes.SHA256(),
        KeyKind.P384: hashes.SHA384(),
        KeyKind.P521: hashes.SHA512(),
    }
    return ec.ECDSA(algorithms[curve_kind(curve)], deterministic_signing=True)


def _elliptic_check(key: ec.EllipticCurvePublicKey) -> Callable[[bytes, bytes], None]:
    def check(data: bytes, signature: bytes) -> None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        half = half_size(key.curve)
        if len(signature) != 2 * half:
            raise ValueError
        r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        try:
            key.verify(encode_dss_signature(r, s), data, curve_hash(key.curve))
        except InvalidSignature:
            raise ValueError from None

    return check


def secret_of(data: bytes) -> bytes | None:
    """Return the secret in a file, 32 bytes or 64 hexadecimal digits, or None."""
    if len(data) == SECRET_SIZE:
        return data
    text = data.strip()
    digits = set(string.hexdigits.encode())
    if len(text) == 2 * SECRET_SIZE and digits.issuperset(text):
        return bytes.fromhex(text.decode())
    return None


def _is_hss(data: bytes) -> bool:
    """Return whether this is a serialised HSS key: 1 to 8 levels, then a type of LMS keys."""
    return len(data) > 8 and data[:3] == bytes(3) and 1 <= data[3] <= 8 and data[4:7] == bytes(3)


def _load_public(data: bytes) -> PublicKeyTypes:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        load_der_public_key,
        load_pem_public_key,
    )

    for load in (
        load_pem_public_key,
        load_der_public_key,
        lambda encoded: x509.load_pem_x509_certificate(encoded).public_key(),
        lambda encoded: x509.load_der_x509_certificate(encoded).public_key(),
    ):
        try:
            key: PublicKeyTypes = load(data)
        except (ValueError, UnsupportedAlgorithm):
            continue
        return key
    raise CoseKeyError("this is no public key", remedy=_REMEDY)
