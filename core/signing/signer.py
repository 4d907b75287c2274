"""The one way to sign: a :class:`Signer`, opened by a URI."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from fotabuild.errors import SigningError

SIGNATURE_SIZE = 64


class Signer(Protocol):
    """A P-256 key that signs; the key itself never leaves it."""

    def public_key(self) -> bytes:
        """Return the public key, 65 bytes, an uncompressed point."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the raw 64-byte r and s of ECDSA-SHA256 over ``data``."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the raw 64-byte r and s of ECDSA over a SHA-256 that was computed before."""
        ...


def open_signer(uri: str) -> Signer:
    """Open the signer that ``uri`` names.

    Args:
        uri: a path or ``file:`` URI of a PEM private key.

    Raises:
        SigningError: unknown scheme, or the key cannot be used.
        FileError: the key file cannot be read.
    """
    path = key_file(uri)
    if path is None:
        raise SigningError(
            f"no signer for keys of the kind {uri.split(':', 1)[0] + ':'!r}",
            remedy="give the path of a PEM file",
        )
    from fotabuild.signing.pem import PemSigner

    return PemSigner.open(path)


def key_file(uri: str) -> Path | None:
    """Return the file that a key URI names, or None when the key does not live in a file."""
    scheme, separator, rest = uri.partition(":")
    if separator and scheme == "file":
        return Path(rest[2:] if rest.startswith("///") else rest)
    # One letter before the colon is a drive, not a scheme.
    if separator and len(scheme) > 1 and scheme.replace("+", "").replace("-", "").isalnum():
        return None
    return Path(uri)
