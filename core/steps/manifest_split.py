"""Signing on another machine: the bytes to be signed go out, a signature comes back.

Both halves check as much as they can. A wrong field is found before somebody walks to the safe, and
a signature that does not fit never becomes a manifest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from fotabuild.device.manifest_acceptance import Device, accept_manifest
from fotabuild.device.manifest_v1_acceptance import accept_manifest_v1
from fotabuild.digest import sha256
from fotabuild.errors import SignatureError, SigningError, VerificationError, in_file
from fotabuild.files.reading import read_file
from fotabuild.files.writing import write_file
from fotabuild.formats import manifest_v1
from fotabuild.formats.manifest_schema import schema_of_signed_part
from fotabuild.formats.manifest_v3 import (
    SIGNATURE_SIZE,
    ManifestV3,
    decode_signed,
    encode_manifest,
    encode_signed,
    join_signature,
)
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.der_signature import MAX_DER_SIZE, raw_to_der
from fotabuild.signing.foreign_signature import raw_from_any
from fotabuild.signing.verify import verify, verify_digest
from fotabuild.steps.manifest import ManifestStep
from fotabuild.steps.manifest_v1 import ManifestV1Step


@dataclass(frozen=True)
class Prepared:
    """What is to be signed, and what is worth knowing about it."""

    data: bytes
    warnings: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        """The SHA-256 that an ECDSA over the bytes covers."""
        return sha256(self.data)


def prepare_manifest(step: ManifestStep, image_signature: Path | None) -> Prepared:
    """Write the bytes to be signed of the manifest that ``step`` describes, to its output.

    Args:
        step: the manifest; its key is not used, its certificate is needed.
        image_signature: signature of the image after the update, made elsewhere, if images of this
            project are signed.

    Raises:
        VerificationError: a device would refuse the manifest, whoever signs it.
        SignatureError: the image's signature is not one of the certificate's key.
        SigningError: the image's signature is missing; the message names what to sign.
    """
    public_key = step.certificate_key()
    if public_key is None:
        raise SigningError(
            "the update certificate is needed", field="credentials.certificate", remedy="give it"
        )
    payload = read_file(step.payload, READ_LIMITS.package, "payload")
    manifest = step.unsigned(payload)
    if step.sign_image:
        manifest = _with_image_signature(manifest, public_key, image_signature)
    # No device has signatures of zeros to offer: that check has no key here and is left out.
    draft = encode_signed(manifest, bytes(SIGNATURE_SIZE))
    report = accept_manifest(draft, step.device(None), step.downloaded(payload))
    with in_file(step.output):
        report.require()
    data = encode_manifest(manifest)
    write_file(step.output, data, inputs=step.inputs)
    return Prepared(data, (*step.profile.warnings, *report.warning_texts))


def prepare_manifest_v1(step: ManifestV1Step) -> Prepared:
    """Write the bytes to be signed of a v1 manifest; otherwise as :func:`prepare_manifest`."""
    payload = read_file(step.payload, READ_LIMITS.package, "payload")
    manifest = step.unsigned(payload)
    data = manifest_v1.encode_resource(manifest)
    certificate, _ = step.read_certificate()
    # As large as a manifest with any signature can become.
    draft = manifest_v1.encode_signed(manifest, bytes(MAX_DER_SIZE), sha256(certificate))
    report = accept_manifest_v1(draft, step.device(None, certificate), payload)
    with in_file(step.output):
        report.require()
    write_file(step.output, data, inputs=step.inputs)
    return Prepared(data, (*step.profile.warnings, *report.warning_texts))


def _with_image_signature(manifest: ManifestV3, public_key: bytes, file: Path | None) -> ManifestV3:
    if file is None:
        raise SigningError(
            f"the image is to be signed first; its SHA-256 is {manifest.image_digest.hex()}",
            field="sign-image",
            remedy="sign the image, and give the signature with --image-signature",
        )
    signature = read_signature(file)
    with in_file(file):
        try:
            verify_digest(public_key, manifest.image_digest, signature)
        except VerificationError:
            raise _foreign("the image") from None
    return replace(manifest, installed_signature=signature)


def read_signature(file: Path) -> bytes:
    """Return the raw form of a signature in a file, DER or raw.

    Raises:
        SignatureError: it is neither.
        FileError: the file cannot be read.
    """
    data = read_file(file, READ_LIMITS.signature, "signature")
    with in_file(file):
        return raw_from_any(data)


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A signature and the bytes that it was made for.

    Attributes:
        prepared: the bytes that one of the functions above wrote; they tell the schema.
        signature: file with the signature, DER or raw.
        device: what the manifest is checked against, with its certificate and public key.
        payload: what the device downloads; None checks nothing of it.
        output: the manifest.
        installed: the file of the device's image; like all that is read, it is not overwritten.
    """

    prepared: Path
    signature: Path
    device: Device
    payload: Path | None
    output: Path
    installed: Path | None = None

    def run(self) -> tuple[bytes, tuple[str, ...]]:
        """Verify, check as the device, write; return the manifest and warnings.

        Raises:
            SignatureError: the signature is not one of the certificate's key over these bytes.
            FormatError: these bytes are no manifest.
            VerificationError: a device would refuse the manifest.
        """
        data = read_file(self.prepared, READ_LIMITS.manifest, "prepared manifest")
        signature = read_signature(self.signature)
        is_v1 = schema_of_signed_part(data) == 1
        with in_file(self.prepared):
            manifest = self._join_v1(data, signature) if is_v1 else _join(data, signature)
        with in_file(self.signature):
            try:
                verify(self.device.public_key or b"", data, signature)
            except VerificationError:
                raise _foreign(f"the bytes in {self.prepared.name}") from None
        payload = None
        if self.payload is not None:
            payload = read_file(self.payload, READ_LIMITS.package, "payload")
        accept = accept_manifest_v1 if is_v1 else accept_manifest
        report = accept(manifest, self.device, payload)
        with in_file(self.output):
            report.require()
        write_file(self.output, manifest, inputs=self._inputs)
        return manifest, (*self.device.profile.warnings, *report.warning_texts)

    @property
    def _inputs(self) -> tuple[Path, ...]:
        files = (self.prepared, self.signature, self.payload, self.installed)
        return tuple(file for file in files if file is not None)

    def _join_v1(self, data: bytes, signature: bytes) -> bytes:
        fingerprint = sha256(self.device.certificate or b"")
        manifest = manifest_v1.decode_resource(data)
        return manifest_v1.encode_signed(manifest, raw_to_der(signature), fingerprint)


def _join(data: bytes, signature: bytes) -> bytes:
    manifest = join_signature(data, signature)
    decode_signed(manifest)
    return manifest


def _foreign(what: str) -> SignatureError:
    return SignatureError(
        f"this is not a signature of the certificate's key over {what}",
        remedy="sign SHA-256 of exactly these bytes, once, with that key",
    )
