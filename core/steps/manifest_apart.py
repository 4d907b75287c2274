"""A manifest of a build that is signed apart: where the image is made there is no key.

Three stages, each on a machine of its own if need be: ``prepare`` writes the bytes to be signed,
``sign`` compares them with the artifacts before the key sees them, ``attach`` makes the manifest.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from fotabuild.device.suit_acceptance import verify_envelope
from fotabuild.device.suit_self_check import check_envelope
from fotabuild.errors import ConfigError, SigningError, VerificationError, in_file
from fotabuild.files.reading import read_file
from fotabuild.files.writing import write_file
from fotabuild.formats import manifest_v1, manifest_v3
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.splicing import sign_envelope
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.certificate import require_pair
from fotabuild.signing.der_signature import raw_to_der
from fotabuild.signing.signer import open_signer
from fotabuild.steps.handed_over import refuse_links, require_origin
from fotabuild.steps.manifest import ManifestStep
from fotabuild.steps.manifest_split import Attachment, prepare_manifest, prepare_manifest_v1
from fotabuild.steps.manifest_v1 import ManifestV1Step
from fotabuild.steps.step import Step, StepResult
from fotabuild.steps.suit import SuitStep

AnyManifest: TypeAlias = ManifestStep | ManifestV1Step | SuitStep


class Stage(enum.Enum):
    """What is done on one machine."""

    PREPARE = "prepare"
    SIGN = "sign"
    ATTACH = "attach"


@dataclass(frozen=True)
class ManifestApart:
    """A manifest and the folder for what goes from machine to machine.

    Attributes:
        step: describes the manifest; its key is used by the stage ``sign`` only.
        folder: where its prepared bytes and its signature are.
        maker: the step that makes its payload, if that is one of this build.
    """

    step: AnyManifest
    folder: Path
    maker: Step | None = None

    @property
    def prepared(self) -> Path:
        """The bytes to be signed; of SUIT the envelope without signature."""
        return self.folder / f"{self.step.output.name}.tbs"

    @property
    def signature(self) -> Path:
        """The signature, DER or raw; of SUIT the signed envelope."""
        return self.folder / f"{self.step.output.name}.sig"

    def output(self, stage: Stage) -> Path:
        """Return what a stage writes."""
        return {
            Stage.PREPARE: self.prepared,
            Stage.SIGN: self.signature,
            Stage.ATTACH: self.step.output,
        }[stage]

    def run(self, stage: Stage) -> StepResult:
        """Do one stage.

        Raises:
            VerificationError: a device would refuse the manifest, or the prepared bytes are not
                those of the artifacts.
            SigningError: the key cannot be used, or the signature is not one of it.
            FotabuildError: a file or setting cannot be used.
        """
        self._refuse_impossible()
        if stage is Stage.PREPARE:
            return self._prepare()
        self.refuse_links()
        return self._sign() if stage is Stage.SIGN else self._attach()

    def check(self) -> None:
        """Compare the prepared bytes with those that the artifacts call for.

        Raises:
            VerificationError: they differ.
            FotabuildError: a file or setting cannot be used.
        """
        self._refuse_impossible()
        self._checked()

    def refuse_links(self) -> None:
        """Refuse links among what was handed over: this would read or replace any file.

        Raises:
            VerificationError: there is one.
        """
        paths = [self.prepared, self.signature, self.step.output]
        if isinstance(self.step, SuitStep):
            read: tuple[Path | None, ...] = self.step.payloads
        else:
            read = (self.step.payload, self.step.sidecar)
        # What the configuration names elsewhere was not handed over.
        update = self.step.output.parent
        refuse_links((*paths, *(path for path in read if path and path.parent == update)))

    def _prepare(self) -> StepResult:
        if isinstance(self.step, SuitStep):
            created = self.step.unsigned()
            write_file(self.prepared, created.data, inputs=self.step.inputs)
            return StepResult(f"{len(created.data)} bytes to sign", created.warnings)
        if isinstance(self.step, ManifestV1Step):
            made = prepare_manifest_v1(replace(self.step, output=self.prepared))
        else:
            made = prepare_manifest(replace(self.step, output=self.prepared), None)
        return StepResult(f"{len(made.data)} bytes, SHA-256 {made.digest.hex()}", made.warnings)

    def _sign(self) -> StepResult:
        if isinstance(self.step, SuitStep):
            data = self._checked()
            signed = sign_envelope(data, self.step.open_key(), self.step.key_id.encode() or None)
        else:
            signed = raw_to_der(_sign_with_key(self.step, self._checked()))
        write_file(self.signature, signed, inputs=(self.prepared, *self.step.inputs))
        return StepResult(f"{len(signed)} bytes")

    def _attach(self) -> StepResult:
        if isinstance(self.step, SuitStep):
            return self._attach_suit(self.step)
        self._checked()
        if isinstance(self.step, ManifestV1Step):
            certificate, public_key = self.step.read_certificate()
            device = self.step.device(public_key, certificate)
        else:
            device = self.step.device(self.step.certificate_key())
        data, warnings = Attachment(
            prepared=self.prepared,
            signature=self.signature,
            device=device,
            payload=self.step.payload,
            output=self.step.output,
            installed=None if self.step.precursor is None else self.step.precursor.image,
        ).run()
        return StepResult(f"{len(data)} bytes", warnings)

    def _attach_suit(self, step: SuitStep) -> StepResult:
        prepared = self._checked()
        data = read_file(self.signature, READ_LIMITS.suit_envelope, "signed SUIT envelope")
        trusted = step.trusted_key()
        with in_file(self.signature):
            envelope = verify_envelope(data, [trusted])
            check_envelope(step.description(), data).require()
            if envelope.digest_bytes != decode_envelope(prepared).digest_bytes:
                raise VerificationError(f"this is not {self.prepared.name}, signed")
        write_file(step.output, data, inputs=(self.prepared, self.signature, *step.inputs))
        return StepResult(f"{len(data)} bytes")

    def _checked(self) -> bytes:
        """Return the prepared bytes, if they are those that the artifacts call for."""
        if isinstance(self.step, SuitStep):
            expected = self.step.unsigned().data
        else:
            expected = _bytes_to_sign(self.step, self.maker)
        if read_file(self.prepared, READ_LIMITS.suit_envelope, "prepared manifest") != expected:
            raise VerificationError(
                "these are not the bytes to be signed for the artifacts that are here",
                file=self.prepared,
                remedy="an artifact, the configuration or these bytes were changed: prepare again",
            )
        return expected

    def _refuse_impossible(self) -> None:
        """Refuse in every stage what another stage could not do."""
        if isinstance(self.step, SuitStep):
            self.step.trusted_key()
        elif isinstance(self.step, ManifestStep) and self.step.sign_image:
            raise SigningError(
                "the manifests of this project hold a signature of the image, which comes first",
                field="sign-image",
                remedy="sign the image, then 'fotabuild manifest prepare --image-signature'",
            )


def _bytes_to_sign(step: ManifestStep | ManifestV1Step, maker: Step | None) -> bytes:
    payload = step.read_payload()
    if isinstance(step, ManifestV1Step):
        manifest_of_v1 = step.unsigned(payload)
        require_origin(maker, payload, manifest_of_v1)
        return manifest_v1.encode_resource(manifest_of_v1)
    manifest = step.unsigned(payload)
    require_origin(maker, payload, manifest)
    return manifest_v3.encode_manifest(manifest)


def _sign_with_key(step: ManifestStep | ManifestV1Step, data: bytes) -> bytes:
    """Return the raw signature of the update key, which must be that of the certificate."""
    if isinstance(step, ManifestV1Step):
        public_key: bytes | None = step.read_certificate()[1]
    else:
        public_key = step.certificate_key()
    if public_key is None:
        raise ConfigError(
            "the update certificate is needed", field="credentials.certificate", remedy="give it"
        )
    signer = open_signer(step.key, step.access, public_key)
    require_pair(public_key, signer.public_key(), step.certificate)
    return signer.sign(data)
