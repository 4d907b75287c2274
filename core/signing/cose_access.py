"""From what a project says of its key to a signer of SUIT manifests."""

from __future__ import annotations

from pathlib import Path

from fotabuild.errors import CoseKeyError, KeyMismatchError, in_file
from fotabuild.signing.cose import CoseSigner, from_signer, open_cose_signer
from fotabuild.signing.cose_algorithm import CoseAlgorithm
from fotabuild.signing.cose_verify import VerificationKey, load_verification_key
from fotabuild.signing.secret import forget_secret, read_secret
from fotabuild.signing.signer import PLAIN_ACCESS, KeyAccess, Signer, key_file, open_signer


def open_key(
    key: str,
    access: KeyAccess = PLAIN_ACCESS,
    *,
    certificate: Path | None = None,
    algorithm: CoseAlgorithm | None = None,
    older_ids: bool = False,
) -> CoseSigner:
    """Open any key of the core for SUIT manifests.

    Args:
        key: its name: a file, a ``pkcs11:`` or ``awskms:`` URI, what a signing tool calls it.
        access: how it is reached.
        certificate: the update certificate that it must match, if there is one.
        algorithm: what to sign with; None takes the usual one for the key.
        older_ids: whether the usual one is that of draft-09.

    Raises:
        SigningError: the key cannot be used, or is not that of the certificate.
        FileError: a file cannot be read.
    """
    trusted = None if certificate is None else certificate_key(certificate)

    def open_other(uri: str) -> Signer:
        from fotabuild.signing.certificate import public_key_of, read_certificate

        if certificate is None:
            return open_signer(uri, access)
        with in_file(certificate):
            return open_signer(uri, access, public_key_of(read_certificate(certificate)))

    if key_file(key, access) is None:
        # A signing tool may call its key like a file.
        signer = from_signer(open_other(key), algorithm, older_ids=older_ids)
    else:
        signer = _open_file(key, access.passphrase, algorithm, older_ids=older_ids)
    if trusted is not None:
        _check_pair(signer, trusted, certificate)
    return signer


def certificate_key(certificate: Path) -> VerificationKey:
    """Return the key of a certificate; it may be of any kind that SUIT uses.

    Raises:
        SigningError: no certificate, or of a key that is of no use.
        FileError: the file cannot be read.
    """
    from fotabuild.signing.certificate import read_certificate

    data = read_certificate(certificate)
    with in_file(certificate):
        return load_verification_key(data)


def _open_file(
    key: str, passphrase: str | None, algorithm: CoseAlgorithm | None, *, older_ids: bool
) -> CoseSigner:
    path = key_file(key)
    asked = False

    def ask() -> bytes:
        nonlocal asked
        asked = True
        return read_secret(passphrase or "", f"passphrase of {Path(key).name}")

    try:
        with in_file(path or key):
            return open_cose_signer(
                key,
                algorithm=algorithm,
                older_ids=older_ids,
                passphrase=None if passphrase is None else ask,
            )
    except CoseKeyError:
        if asked:
            forget_secret(passphrase)
        raise


def _check_pair(signer: CoseSigner, trusted: VerificationKey, certificate: Path | None) -> None:
    if signer.key.public_bytes != trusted.public_bytes:
        raise KeyMismatchError(
            "this certificate is not of the private key that signs",
            file=certificate,
            remedy="devices with this certificate would refuse every update: give the "
            "certificate's own key",
        )
