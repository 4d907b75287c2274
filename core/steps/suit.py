"""The step that makes a signed SUIT manifest for the image of a build."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fotabuild.digest import sha256
from fotabuild.errors import ConfigError, HssLmsError, SuitInputError, in_file
from fotabuild.files.reading import read_file
from fotabuild.files.writing import write_file
from fotabuild.formats.suit.names import Profile
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.cose_algorithm import CoseAlgorithm, KeyKind
from fotabuild.signing.signer import PLAIN_ACCESS, KeyAccess, key_file, require_key, tool_file
from fotabuild.steps.payload_manifest import DIGEST_PLACEHOLDER
from fotabuild.steps.step import CheckFile, SigningStep, StepKind, StepResult

# What only running needs is imported there: plans are made often.
if TYPE_CHECKING:
    from fotabuild.device.report import AcceptanceReport
    from fotabuild.formats.suit.description import Description
    from fotabuild.formats.suit.envelope import CreatedEnvelope
    from fotabuild.signing.cose import CoseSigner
    from fotabuild.signing.cose_verify import VerificationKey


@dataclass(frozen=True, kw_only=True)
class SuitStep(SigningStep):
    """Describe and sign images.

    Attributes:
        template: the description, as JSON in the form of ``suit-tool``, without ``file``. In URIs
            the placeholder stands for the SHA-256 of the payload.
        payloads: the file of each component.
        profile: the wire format.
        key: name of the private key.
        output: the envelope.
        access: how the key is reached.
        certificate: the certificate that the key must match, if there is one.
        algorithm: what to sign with; None takes the usual one for the key.
        key_id: hint at the key for the device; empty for none.
    """

    kind = StepKind.SUIT
    template: str
    payloads: tuple[Path, ...]
    profile: Profile
    key: str
    output: Path
    access: KeyAccess = PLAIN_ACCESS
    certificate: Path | None = None
    algorithm: CoseAlgorithm | None = None
    key_id: str = ""

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Payloads, key file, signing tool and certificate."""
        others = (key_file(self.key, self.access), tool_file(self.access), self.certificate)
        return (*self.payloads, *(path for path in others if path is not None))

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The envelope."""
        return (self.output,)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The description, and how it is encoded and signed."""
        return {
            "template": self.template,
            "profile": self.profile.value,
            "algorithm": self.algorithm and self.algorithm.value,
            "key-id": self.key_id,
            # A key in a file is an input; any other is known by its name only.
            "key": self.key if key_file(self.key, self.access) is None else None,
            "signing-tool": self.access.tool and Path(self.access.tool).name,
        }

    def check_inputs(self, check: CheckFile) -> None:
        """Look at the payloads; read the certificate."""
        for path in self.payloads:
            check(path, READ_LIMITS.image, "payload")
        if self.certificate is not None:
            self.trusted_key()
        require_key(self.key, self.access)

    @property
    def signs_with(self) -> Hashable:
        """All that decides which signer there is, and whether it is the right one."""
        if not self.key:
            return None
        return (self.kind, self.key, self.access, self.certificate, self.algorithm, self.profile)

    def check_key(self) -> None:
        """Open what signs and compare it with the certificate."""
        self.open_key()

    def run(self) -> StepResult:
        """Read the payloads, compile, run on virtual devices, sign, verify, write."""
        from fotabuild.device.suit_acceptance import accept_envelope
        from fotabuild.formats.suit.splicing import sign_envelope

        created = self.unsigned()
        signer = self.open_key()
        data = sign_envelope(created.data, signer, self.key_id.encode() or None)
        with in_file(self.output):
            accept_envelope(data, [signer.key]).require()
        write_file(self.output, data, inputs=self.inputs)
        number = json.loads(self.template)["manifest-sequence-number"]
        return StepResult(
            f"{len(data)} bytes, SUIT {self.profile.value}, sequence number {number}",
            created.warnings,
        )

    def unsigned(self) -> CreatedEnvelope:
        """Return the envelope without a signature, run on virtual devices."""
        from fotabuild.formats.suit.envelope import CreatedEnvelope
        from fotabuild.steps.suit_envelope import make_envelope

        description = self.description()
        with in_file(self.output):
            created = make_envelope(description, self.profile)
        return CreatedEnvelope(created.data, tuple(map(_in_settings, created.warnings)))

    def verify(self) -> AcceptanceReport:
        """Check the finished envelope and its payloads, from the files as they are now.

        Raises:
            ConfigError: the project names no certificate, so the device's key is not known.
            FileError: a file cannot be read.
        """
        from fotabuild.device.report import AcceptanceReport
        from fotabuild.device.suit_acceptance import accept_envelope
        from fotabuild.device.suit_self_check import check_envelope

        data = read_file(self.output, READ_LIMITS.suit_envelope, "SUIT envelope")
        signed = accept_envelope(data, [self.trusted_key()])
        done = check_envelope(self.description(), data)
        return AcceptanceReport((*signed.results, *done.results))

    def description(self) -> Description:
        """Return what the manifest shall say, with the payloads as they are now.

        Raises:
            SuitInputError: the settings contradict each other.
            FileError: a payload cannot be read.
        """
        from fotabuild.formats.suit.description_reader import read_description

        contents = [read_file(path, READ_LIMITS.image, "payload") for path in self.payloads]
        values = json.loads(self.template)
        for place, (component, content) in enumerate(
            zip(values["components"], contents, strict=True)
        ):
            component["file"] = str(place)
            if "uri" in component:
                digest = sha256(content).hex()
                component["uri"] = component["uri"].replace(DIGEST_PLACEHOLDER, digest)
        try:
            return read_description(json.dumps(values).encode(), lambda name: contents[int(name)])
        except SuitInputError as error:
            error.field = error.field and _in_settings(error.field)
            raise

    def open_key(self) -> CoseSigner:
        """Return what signs; an HSS/LMS key is refused, which changes with every signature."""
        from fotabuild.signing.cose_access import open_key

        signer = open_key(
            self.key,
            self.access,
            certificate=self.certificate,
            algorithm=self.algorithm,
            older_ids=self.profile is Profile.DRAFT_09,
        )
        if signer.algorithm.kind is KeyKind.HSS_LMS:
            raise HssLmsError(
                "an HSS/LMS key changes with every signature, so that a build would never be up "
                "to date and each one would use up a part of the key",
                file=key_file(self.key, self.access),
                remedy="let builds sign with another key, and add this signature to a release "
                "with 'fotabuild suit sign'",
            )
        return signer

    def trusted_key(self) -> VerificationKey:
        """Return the public key of the certificate."""
        from fotabuild.signing.cose_access import certificate_key

        if self.certificate is None:
            raise ConfigError("needed to verify and missing", field="credentials.certificate")
        return certificate_key(self.certificate)


def _in_settings(text: str) -> str:
    """Return a text about the description in the words of ``fotabuild.yaml``."""

    def section(match: re.Match[str]) -> str:
        number = int(match[1])
        return f"suit.components[{number - 1}]" if number else "suit"

    text = re.sub(r"components\[(\d+)\]", section, text).replace(".install-id", ".component-id")
    return re.sub(r'\{"text": "(.*?)"\}', r"text:\1", text)
