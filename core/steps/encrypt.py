"""An encrypted payload with its key and its manifest.

Not a step of a plan: the key is random, so two runs never make the same bytes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from fotabuild.device.manifest_acceptance import accept_manifest
from fotabuild.errors import FileError, OutputConflictError, in_file
from fotabuild.files.reading import read_file
from fotabuild.files.writing import OutputSet
from fotabuild.formats.encrypted_payload import KEY_SIZE, encode_key, encrypt_payload
from fotabuild.limits import READ_LIMITS
from fotabuild.steps.manifest import ManifestStep


@dataclass(frozen=True)
class EncryptedFile:
    """A payload, encrypted with a key of its own."""

    plain: bytes
    data: bytes
    key: bytes

    @classmethod
    def make(cls, payload: Path) -> EncryptedFile:
        """Read and encrypt a payload.

        Raises:
            FileError: it cannot be read, or is empty.
        """
        plain = read_file(payload, READ_LIMITS.package, "payload")
        if not plain:
            raise FileError("the payload is empty", file=payload)
        # Nonces are fixed by the format, so a key serves one payload only.
        key = secrets.token_bytes(KEY_SIZE)
        return cls(plain, encrypt_payload(plain, key), key)


@dataclass(frozen=True, kw_only=True)
class EncryptionOutputs:
    """Where the results go.

    Attributes:
        encrypted: what devices download.
        key: the key, readable by its owner only.
        key_as_element: write the element that is put behind the manifest instead of 16 bytes.
        replace_key: whether a key file that is there may be overwritten.
    """

    encrypted: Path
    key: Path
    key_as_element: bool
    replace_key: bool


def write_encrypted(
    file: EncryptedFile, step: ManifestStep, outputs: EncryptionOutputs
) -> tuple[str, ...]:
    """Sign the manifest, decrypt as a device does, and write all three files; return warnings.

    Args:
        file: the encrypted payload.
        step: its manifest.
        outputs: where the other two files go.

    Raises:
        OutputConflictError: a key is there already.
        VerificationError: a device would refuse the update.
    """
    key = outputs.key
    if not outputs.replace_key and key.exists():
        raise OutputConflictError(
            "there is a key already, and without it its payload cannot be read",
            file=key,
            remedy="choose another name, or say --replace-key",
        )
    manifest, public_key = step.sign(file.plain)
    delivered = manifest + encode_key(file.key)
    report = accept_manifest(delivered, step.device(public_key), file.data)
    with in_file(step.output):
        report.require()
    written = OutputSet(step.inputs)
    # The key first: where another run took its name meanwhile, nothing else is touched.
    written.add(
        key,
        encode_key(file.key) if outputs.key_as_element else file.key,
        private=True,
        only_new=not outputs.replace_key,
    )
    written.add(outputs.encrypted, file.data)
    written.add(step.output, manifest)
    written.commit()
    return (*step.profile.warnings, *report.warning_texts)
