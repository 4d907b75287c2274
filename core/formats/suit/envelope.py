"""From a manifest to an unsigned envelope (suit specification, sections 3, 5.1 and 5.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fotabuild.formats.suit import model
from fotabuild.formats.suit.cbor_writer import CborKey, CborValue, Tagged, encode
from fotabuild.formats.suit.compiler import compile_manifest
from fotabuild.formats.suit.decoder import AUTHENTICATION, MANIFEST
from fotabuild.formats.suit.description import Description
from fotabuild.formats.suit.digests import compute_digest
from fotabuild.formats.suit.encoder import encode_digest, encode_element, encode_manifest
from fotabuild.formats.suit.names import DigestAlgorithm, Element, Profile
from fotabuild.formats.suit.tables import TABLES


def encode_envelope(
    manifest: model.Manifest,
    profile: Profile,
    *,
    severable: bool = False,
    severed_algorithm: DigestAlgorithm = DigestAlgorithm.SHA256,
    integrated: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return an envelope with the digest of the manifest and no signature.

    Args:
        manifest: the manifest, nothing severed.
        profile: the wire format.
        severable: whether elements that are longer than a digest are severed. Texts always are.
        severed_algorithm: algorithm of the digests of severed elements.
        integrated: payloads to put in, by URI.

    Raises:
        SuitProfileError: the profile cannot say something that the manifest says.
    """
    table = TABLES[profile]
    entries: dict[CborKey, CborValue] = {}
    elements: dict[Element, model.ElementValue] = {}
    for element, value in manifest.elements.items():
        elements[element] = value
        if element not in table.severable or not (severable or element is Element.TEXT):
            continue
        content = encode_element(element, value, profile)
        whole = encode(content)
        digest = compute_digest(severed_algorithm, whole)
        if element is Element.TEXT or len(encode_digest(digest, profile)) < len(whole):
            elements[element] = digest
            entries[table.elements[element]] = content
    content = encode_manifest(replace(manifest, elements=elements), profile)
    digest = compute_digest(DigestAlgorithm.SHA256, encode(content))
    entries[AUTHENTICATION] = encode([encode_digest(digest, profile)])
    entries[MANIFEST] = content
    entries.update(integrated or {})
    if table.written_tag is None:
        return encode(entries)
    return encode(Tagged(table.written_tag, entries))


@dataclass(frozen=True)
class CreatedEnvelope:
    """An unsigned envelope.

    Attributes:
        data: the envelope.
        warnings: what is accepted and may not be meant so, or is more than many devices can do.
    """

    data: bytes
    warnings: tuple[str, ...]


def create_envelope(
    description: Description, profile: Profile, *, severable: bool = False
) -> CreatedEnvelope:
    """Compile a description and put it into an unsigned envelope.

    Args:
        description: what the manifest shall say.
        profile: the wire format.
        severable: whether elements are severed even if the description does not say so.

    Raises:
        SuitProfileError: the profile cannot say something; the message says the way out.
        SuitInputError: a dependency of ``current`` without component id.
    """
    compiled = compile_manifest(description, profile)
    data = encode_envelope(
        compiled.manifest,
        profile,
        severable=severable or description.severable,
        severed_algorithm=description.digest_algorithm,
        integrated=compiled.integrated,
    )
    return CreatedEnvelope(data, compiled.warnings)
