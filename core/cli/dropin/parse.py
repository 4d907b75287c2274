"""``manifest-tool parse``: verify where a key is given, then print."""

from __future__ import annotations

import argparse

from fotabuild.cli.dropin.dump import dump
from fotabuild.cli.dropin.environment import passphrase_source
from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.program import readable_file
from fotabuild.digest import sha256
from fotabuild.errors import VerificationError, in_file
from fotabuild.files.reading import read_file
from fotabuild.formats import manifest_v1, manifest_v3
from fotabuild.formats.manifest_schema import schema_of
from fotabuild.limits import READ_LIMITS


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add manifest and keys."""
    parser.add_argument("manifest", type=readable_file, help="the manifest")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument(
        "-c", "--certificate", type=readable_file, help="verify with this certificate, DER or PEM"
    )
    keys.add_argument(
        "-p", "--public-key", type=readable_file, help="verify with this key, 65 bytes"
    )
    keys.add_argument(
        "-k", "--private-key", type=readable_file, help="verify with the public part of this key"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, log: Log) -> None:
    """Verify and print."""
    data = read_file(args.manifest, READ_LIMITS.manifest, "manifest", pipes=True)
    key, certificate = _public_key(args)
    signed: manifest_v1.SignedManifestV1 | manifest_v3.SignedManifestV3
    with in_file(args.manifest):
        if schema_of(data) == manifest_v1.MANIFEST_VERSION:
            signed = manifest_v1.decode_signed(data)
            if key is not None:
                _verify_v1(signed, key, certificate, log)
        else:
            signed = manifest_v3.decode_signed(data)
            if key is not None:
                _verify_v3(signed, key, log)
    if key is None:
        log.warning("nothing was verified: no certificate, public key or private key given")
    log.result(dump(signed))


def _public_key(args: argparse.Namespace) -> tuple[bytes | None, bytes | None]:
    """Return the public key and, where it is given, the certificate."""
    from fotabuild.signing.certificate import public_key_of, read_certificate
    from fotabuild.signing.pem import PemSigner
    from fotabuild.signing.verify import load_public_key

    if args.certificate is not None:
        with in_file(args.certificate):
            certificate = read_certificate(args.certificate, pipes=True)
            return public_key_of(certificate), certificate
    if args.public_key is not None:
        key = read_file(args.public_key, READ_LIMITS.key, "public key", pipes=True)
        with in_file(args.public_key):
            load_public_key(key)
        return key, None
    if args.private_key is not None:
        return PemSigner.open(args.private_key, passphrase_source()).public_key(), None
    return None, None


def _verify_v1(
    signed: manifest_v1.SignedManifestV1, key: bytes, certificate: bytes | None, log: Log
) -> None:
    from fotabuild.signing.der_signature import der_to_raw
    from fotabuild.signing.verify import verify

    try:
        verify(key, signed.signed_bytes, der_to_raw(signed.signature))
    except VerificationError as error:
        raise VerificationError(f"Manifest Signature verification failed: {error}") from None
    if signed.digest != sha256(signed.signed_bytes):
        log.warning("the digest in the signature is not that of the resource: old clients refuse")
    if certificate is not None and signed.fingerprint != sha256(certificate):
        log.warning("the fingerprint is not that of this certificate: old clients refuse it")
    log.info("Manifest Signature verified!")


def _verify_v3(signed: manifest_v3.SignedManifestV3, key: bytes, log: Log) -> None:
    from fotabuild.signing.verify import verify, verify_digest

    try:
        verify(key, signed.signed_bytes, signed.signature)
    except VerificationError as error:
        raise VerificationError(f"Manifest Signature verification failed: {error}") from None
    log.info("Manifest Signature verified!")
    manifest = signed.manifest
    if not manifest.installed_signature:
        return
    try:
        verify_digest(key, manifest.image_digest, manifest.installed_signature)
    except VerificationError as error:
        raise VerificationError(f"Image Signature verification failed: {error}") from None
    log.info("Image Signature verified!")
