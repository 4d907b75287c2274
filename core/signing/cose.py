"""Signers of SUIT manifests: any key as one small value that signs what COSE wants signed.

A :class:`CoseSigner` is an algorithm, the key that verifies, and a function that signs. Keys of the
core's :class:`Signer` protocol (tokens, external tools) come in through :func:`from_signer`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.errors import CoseKeyError, SigningError, VerificationError
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.cose_algorithm import CoseAlgorithm, KeyKind, algorithm_for
from fotabuild.signing.cose_verify import (
    VerificationKey,
    curve_hash,
    from_point,
    from_public_key,
    half_size,
    secret_key,
    secret_of,
)
from fotabuild.signing.key_file import warn_if_open
from fotabuild.signing.signer import Signer, key_file, open_signer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


@dataclass(frozen=True)
class CoseSigner:
    """A key that signs with one COSE algorithm; every signature is verified before it is released.

    Attributes:
        algorithm: what it signs with.
        key: verifies its signatures.
        make: returns the signature of its argument as COSE has it.
    """

    algorithm: CoseAlgorithm
    key: VerificationKey
    make: Callable[[bytes], bytes]

    @property
    def algorithm_number(self) -> int:
        """Number of the COSE algorithm."""
        return self.algorithm.number

    @property
    def is_mac(self) -> bool:
        """Whether it makes an authentication code with a shared secret, and no signature."""
        return self.algorithm.kind is KeyKind.HMAC

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data``.

        Raises:
            SigningError: the key cannot sign, or its signature is wrong.
        """
        signature = self.make(data)
        try:
            self.key.verify(self.algorithm_number, data, signature)
        except VerificationError:
            raise SigningError(
                "what the signer returned is not a signature of its key over this data"
            ) from None
        return signature


def open_cose_signer(
    uri: str,
    *,
    algorithm: CoseAlgorithm | None = None,
    older_ids: bool = False,
    passphrase: Callable[[], bytes] | None = None,
    open_other: Callable[[str], Signer] = open_signer,
) -> CoseSigner:
    """Open the signer that ``uri`` names.

    Args:
        uri: a path or ``file:`` URI of a private key (PEM or DER; or HSS/LMS, whose file advances
            with each signature) or of a 32-byte secret, or whatever ``open_other`` takes, such as a
            ``pkcs11:`` URI.
        algorithm: what to sign with; None takes the usual one for the key.
        older_ids: whether the usual one is that of devices before RFC 9864, as draft-09 needs.
        passphrase: returns the passphrase; asked only when the key is encrypted.
        open_other: opens keys that are in no file, which are on P-256.

    Raises:
        CoseKeyError: the key is of no use, or not for this algorithm.
        HssLmsError: the extra for HSS/LMS is missing, or the key is damaged.
        SigningError, FileError: as ``open_other``; the key file cannot be read.
    """
    path = key_file(uri)
    if path is None:
        return from_signer(open_other(uri), algorithm, older_ids=older_ids)
    data = read_file(path, READ_LIMITS.key, "private key")
    if (secret := secret_of(data)) is not None:
        if algorithm is None:
            raise CoseKeyError(
                "this could be a secret, or a key without its kind",
                file=path,
                remedy="give a private key as PEM or DER; for a secret name the algorithm HMAC-256",
            )
        algorithm_for(KeyKind.HMAC, algorithm)
        warn_if_open(path, "secret")
        return from_secret(secret)
    from fotabuild.signing.hss_lms import HssLmsKey, is_hss_private_key

    if is_hss_private_key(data):
        hss = HssLmsKey.open(path)
        chosen = algorithm_for(KeyKind.HSS_LMS, algorithm)
        warn_if_open(path)
        return CoseSigner(chosen, hss.verification_key, hss.sign)
    key = load_private_key(data, path, passphrase)
    warn_if_open(path)
    return from_private_key(key, algorithm, older_ids=older_ids)


def from_signer(
    signer: Signer, algorithm: CoseAlgorithm | None = None, *, older_ids: bool = False
) -> CoseSigner:
    """Return a COSE signer over a P-256 key of the core: a token, an external tool, a PEM file.

    Raises:
        CoseKeyError: the algorithm is not for P-256.
    """
    chosen = algorithm_for(KeyKind.P256, algorithm, older_ids=older_ids)
    return CoseSigner(chosen, from_point(signer.public_key()), signer.sign)


def from_secret(secret: bytes) -> CoseSigner:
    """Return a signer that makes HMAC-256 authentication codes.

    Raises:
        CoseKeyError: the secret has not 32 bytes.
    """
    key = secret_key(secret)
    return CoseSigner(CoseAlgorithm.HMAC_256, key, lambda data: hmac.digest(secret, data, "sha256"))


def from_private_key(
    key: PrivateKeyTypes, algorithm: CoseAlgorithm | None = None, *, older_ids: bool = False
) -> CoseSigner:
    """Return a COSE signer over a private key in memory. ECDSA is deterministic (RFC 6979).

    Raises:
        CoseKeyError: a key of another kind, or the algorithm is not for it.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if isinstance(key, ec.EllipticCurvePrivateKey):
        verification_key, make = from_public_key(key.public_key()), _elliptic_signer(key)
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        verification_key, make = from_public_key(key.public_key()), key.sign
    else:
        name = type(key).__name__.removesuffix("PrivateKey").lstrip("_")
        raise CoseKeyError(
            f"this is a {name} key", remedy="give a key on P-256, P-384 or P-521, or Ed25519"
        )
    chosen = algorithm_for(verification_key.kind, algorithm, older_ids=older_ids)
    return CoseSigner(chosen, verification_key, make)


def load_private_key(
    data: bytes, path: Path, passphrase: Callable[[], bytes] | None = None
) -> PrivateKeyTypes:
    """Read a private key, PEM or DER, PKCS#8 or SEC1.

    Args:
        data: the whole file.
        path: its name, for messages.
        passphrase: returns the passphrase; asked only when the key is encrypted.

    Raises:
        CoseKeyError: no private key, or the passphrase does not open it. The text never holds key
            bytes.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        load_der_private_key,
        load_pem_private_key,
    )

    load = load_pem_private_key if b"-----BEGIN" in data else load_der_private_key
    try:
        return load(data, password=None)
    except TypeError:
        if passphrase is None:
            raise CoseKeyError(
                "this private key is encrypted",
                file=path,
                remedy="give its passphrase: --passphrase or credentials.passphrase name its "
                "source, env:NAME, fd:NUMBER or prompt",
            ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise CoseKeyError(
            "this is no private key", file=path, remedy="give a PEM or DER private key"
        ) from None
    try:
        return load(data, password=passphrase())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CoseKeyError("the passphrase does not open this private key", file=path) from None


def _elliptic_signer(key: ec.EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    def make(data: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        half = half_size(key.curve)
        r, s = decode_dss_signature(key.sign(data, curve_hash(key.curve)))
        return r.to_bytes(half, "big") + s.to_bytes(half, "big")

    return make
