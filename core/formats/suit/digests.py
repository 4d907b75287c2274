"""Digests of manifests and severed elements: made, and compared."""

from __future__ import annotations

import hashlib

from fotabuild.errors import FormatError, VerificationError
from fotabuild.formats.suit.model import Digest, Envelope
from fotabuild.formats.suit.names import DigestAlgorithm, Element


def compute_digest(algorithm: DigestAlgorithm, data: bytes | memoryview) -> Digest:
    """Return the digest of ``data``."""
    if algorithm is DigestAlgorithm.SHAKE128:
        return Digest(algorithm, hashlib.shake_128(data).digest(algorithm.size))
    if algorithm is DigestAlgorithm.SHAKE256:
        return Digest(algorithm, hashlib.shake_256(data).digest(algorithm.size))
    return Digest(algorithm, hashlib.new(algorithm.value, data).digest())


def check_manifest_digest(envelope: Envelope) -> None:
    """Compare the digest that the envelope states with its manifest.

    Raises:
        VerificationError: they differ.
    """
    found = compute_digest(envelope.digest.algorithm, envelope.manifest_bytes)
    if found != envelope.digest:
        raise VerificationError(
            f"its digest is {found.value.hex()}, the envelope states {envelope.digest.value.hex()}",
            field="manifest",
            offset=envelope.offsets.get("manifest"),
            remedy="make the envelope again",
        )


def check_severed_digests(envelope: Envelope) -> None:
    """Compare every severed element that is present with its digest in the manifest.

    Raises:
        VerificationError: one differs.
    """
    for element, data in envelope.severed_bytes.items():
        stated = envelope.manifest.elements[element]
        if not isinstance(stated, Digest) or compute_digest(stated.algorithm, data) != stated:
            raise VerificationError(
                "this severed element is not the one that the manifest states",
                field=element.value,
                offset=envelope.offsets.get(element.value),
                remedy="make the envelope again",
            )


def dependency_digest(data: bytes) -> Digest | None:
    """Return the digest of the manifest in an envelope that is intact, or None for other bytes."""
    from fotabuild.formats.suit.decoder import decode_envelope

    try:
        envelope = decode_envelope(data)
        check_manifest_digest(envelope)
    except (FormatError, VerificationError):
        return None
    return envelope.digest


def removed_elements(envelope: Envelope) -> tuple[Element, ...]:
    """Return the elements of which only the digest is left."""
    return tuple(e for e in envelope.manifest.elements if isinstance(envelope.element(e), Digest))
