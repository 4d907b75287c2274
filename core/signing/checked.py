"""Every signature of every backend goes through here, and is verified before anyone uses it.

A faulty token, a signing tool with another key or a bit that flipped while signing then end in an
error of the build, instead of an update that devices in the field refuse.
"""

from __future__ import annotations

from collections.abc import Callable

from fotabuild.errors import SignatureError, VerificationError
from fotabuild.signing.signer import Signer
from fotabuild.signing.verify import load_public_key, verify, verify_digest


class CheckedSigner:
    """A signer whose signatures are those of its public key.

    Args:
        signer: the backend.

    Raises:
        SigningError: its public key is not on P-256.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._public_key = signer.public_key()
        load_public_key(self._public_key)

    def public_key(self) -> bytes:
        """Return the public key, 65 bytes, an uncompressed point."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Return the verified raw signature over ``data``."""
        return self._checked(verify, data, self._signer.sign(data))

    def sign_digest(self, digest: bytes, data: bytes | None = None) -> bytes:
        """Return the verified raw signature over a SHA-256."""
        return self._checked(verify_digest, digest, self._signer.sign_digest(digest, data))

    def _checked(
        self, check: Callable[[bytes, bytes, bytes], None], signed: bytes, signature: bytes
    ) -> bytes:
        try:
            check(self._public_key, signed, signature)
        except VerificationError:
            raise SignatureError(
                "what the signer returned is not a signature of the update key over this data",
                remedy="its key must be that of the update certificate",
            ) from None
        return signature
