"""Signing with a private key in a PEM file."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from fotabuild.errors import SecretError, SigningError
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.key_file import warn_if_open
from fotabuild.signing.secret import forget_secret, read_secret

_HALF = 32


class PemSigner:
    """A P-256 private key held in memory. Signatures are deterministic (RFC 6979)."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def open(cls, path: Path, passphrase: str | None = None) -> PemSigner:
        """Read a PEM key, SEC1 or PKCS#8.

        Args:
            path: the file, or a pipe, which can be read once.
            passphrase: source of the passphrase; asked only when the key is encrypted.

        Raises:
            SigningError: not a key, encrypted without a passphrase that opens it, or not on P-256.
                The text never holds key bytes.
            FileError: the file cannot be read.
        """
        # A pipe: keys need not be in files, such as those of a password store.
        pem = read_file(path, READ_LIMITS.key, "private key", pipes=True)

        def fail(problem: str, remedy: str) -> SigningError:
            return SigningError(problem, file=path, remedy=remedy)

        try:
            key = load_pem_private_key(pem, password=None)
        except TypeError:
            if passphrase is None:
                raise fail(
                    "this private key is encrypted",
                    "set credentials.passphrase to env:NAME, fd:NUMBER or prompt, or give an "
                    "unencrypted key",
                ) from None
            key = _decrypt(pem, path, passphrase)
        except (ValueError, UnsupportedAlgorithm):
            raise fail("this is not a PEM private key", "give the key's PEM file") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            kind = type(key).__name__.removesuffix("PrivateKey").lstrip("_")
            raise fail(f"this is a {kind} key", "devices accept ECDSA keys on P-256 only")
        if not isinstance(key.curve, ec.SECP256R1):
            raise fail(f"this key is on {key.curve.name}", "devices accept P-256 only")
        warn_if_open(path)
        return cls(key)

    @classmethod
    def generate(cls) -> PemSigner:
        """Make a new random key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    def to_pem(self, passphrase: bytes | None = None) -> bytes:
        """Return the PEM, to be stored in a private file: SEC1, or encrypted PKCS#8."""
        if passphrase is not None:
            return self._key.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
            )
        return self._key.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )

    def public_key(self) -> bytes:
        """Return the public key, 65 bytes, an uncompressed point."""
        return self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def sign(self, data: bytes) -> bytes:
        """Return the raw 64-byte r and s of ECDSA-SHA256 over ``data``."""
        return self._sign(data, hashes.SHA256())

    def sign_digest(self, digest: bytes, data: bytes | None = None) -> bytes:  # noqa: ARG002
        """Return the raw 64-byte r and s of ECDSA over a SHA-256 that was computed before."""
        return self._sign(digest, Prehashed(hashes.SHA256()))

    def _sign(self, data: bytes, algorithm: hashes.SHA256 | Prehashed) -> bytes:
        signature = self._key.sign(data, ec.ECDSA(algorithm, deterministic_signing=True))
        r, s = decode_dss_signature(signature)
        return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def is_encrypted(pem: bytes) -> bool:
    """Return whether a PEM private key needs a passphrase."""
    try:
        load_pem_private_key(pem, password=None)
    except TypeError:
        return True
    return False


def _decrypt(pem: bytes, path: Path, passphrase: str) -> PrivateKeyTypes:
    secret = read_secret(passphrase, f"passphrase of {path.name}")
    try:
        return load_pem_private_key(pem, password=secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        forget_secret(passphrase)
        raise SecretError("the passphrase does not open this private key", file=path) from None
