"""From bytes to an envelope, strictly: what is unknown, double, in disorder or too much is refused.

Digests and signatures are not compared here; see :mod:`digests` and the device room.
"""

from __future__ import annotations

from fotabuild.errors import SuitError
from fotabuild.formats.suit import model
from fotabuild.formats.suit.cbor_reader import Kind, Reader
from fotabuild.formats.suit.cose_layout import decode_block
from fotabuild.formats.suit.cursor import Cursor, Notes
from fotabuild.formats.suit.manifest_decoder import ManifestDecoder
from fotabuild.formats.suit.names import Element, Profile
from fotabuild.formats.suit.tables import TABLES, Table
from fotabuild.limits import READ_LIMITS

AUTHENTICATION, MANIFEST = 2, 3
_DELEGATION = 1


def decode_envelope(
    data: bytes, profile: Profile | None = None, *, limit: int = READ_LIMITS.suit_envelope
) -> model.Envelope:
    """Read an envelope.

    Args:
        data: the whole file.
        profile: its wire format; None recognises it.
        limit: most bytes that are read.

    Raises:
        CborError: no deterministic CBOR, with the byte offset.
        SuitError: no SUIT envelope of this profile, with path and byte offset.
    """
    return decode_at(open_envelope(data, limit=limit), profile)


def decode_at(at: Cursor, profile: Profile | None = None) -> model.Envelope:
    """Read the envelope at the cursor of :func:`open_envelope`; raises as decode_envelope."""
    found = detect_profile(at)
    if profile is not None and found is not profile:
        at.fail(f"this is an envelope of the profile {found.value}, not {profile.value}")
    return _envelope(at, TABLES[found])


def open_envelope(
    data: bytes, notes: Notes | None = None, limit: int = READ_LIMITS.suit_envelope
) -> Cursor:
    """Return a cursor at the one item of the file.

    Raises:
        CborError: no deterministic CBOR.
        SuitError: the file is larger than ``limit``.
    """
    if len(data) > limit:
        raise SuitError(f"an envelope of {len(data)} bytes; at most {limit} are read")
    reader = Reader(data)
    return Cursor(reader, notes or Notes(), reader.read_all(), "")


def envelope_map(at: Cursor) -> Cursor:
    """Return a cursor at the map of the envelope, within its tag if there is one."""
    return at.at(at.item.items[0], "envelope") if at.item.kind is Kind.TAG else at


def detect_profile(at: Cursor) -> Profile:
    """Tell the profiles apart by the numbers of their digest algorithms.

    Raises:
        SuitError: there is no digest of the manifest where both profiles have it.
    """
    algorithm = None
    for key, value in envelope_map(at).entries():
        if key.item.kind is Kind.UNSIGNED and key.item.value == AUTHENTICATION:
            parts = at.at(value.item, "authentication").embedded().elements()
            digest = parts[0].embedded().elements() if parts else []
            algorithm = digest[0] if digest else None
    if algorithm is None:
        at.fail("no digest of the manifest (key 2): this is no SUIT envelope")
    return Profile.CURRENT if algorithm.integer() < 0 else Profile.DRAFT_09


def _envelope(at: Cursor, table: Table) -> model.Envelope:
    if at.item.kind is Kind.TAG and at.item.value != table.envelope_tag:
        at.fail(f"tag {at.item.value!r} is not that of an envelope ({table.envelope_tag})")
    decoder = ManifestDecoder(table)
    numbers = {table.elements[element]: element for element in table.severable}
    found: dict[str, Cursor] = {}
    severed: dict[Element, Cursor] = {}
    integrated: dict[str, bytes] = {}
    for key, value in envelope_map(at).entries():
        if key.item.kind is Kind.TEXT and table.named_payloads:
            key.name("integrated payload")
            integrated[key.text()] = at.at(value.item, "payload").byte_string()
            continue
        number = key.integer()
        if number in numbers:
            element = numbers[number]
            key.name(table.spell(element))
            severed[element] = at.at(value.item, f"severed {element.value}")
        elif number in (AUTHENTICATION, MANIFEST):
            name = "authentication" if number == AUTHENTICATION else "manifest"
            key.name("authentication-wrapper" if number == AUTHENTICATION else name)
            found[name] = at.at(value.item, name)
        elif number == _DELEGATION:
            key.fail("delegation (key 1) is reserved and not supported")
        else:
            key.fail(f"unknown element {number} of the envelope")
    if "manifest" not in found:
        at.fail("the envelope holds no manifest (key 3)")
    digest_at, blocks = _authentication(found["authentication"], table)
    manifest = decoder.manifest(found["manifest"].embedded())
    for element, cursor in severed.items():
        if not isinstance(manifest.elements.get(element), model.Digest):
            cursor.fail("the manifest holds no digest of this severed element")
    offsets = {name: cursor.item.start for name, cursor in found.items()}
    return model.Envelope(
        profile=table.profile,
        tagged=at.item.kind is Kind.TAG,
        digest=decoder.digest(digest_at.embedded()),
        digest_bytes=digest_at.byte_string(),
        blocks=blocks,
        manifest=manifest,
        manifest_bytes=found["manifest"].raw(),
        severed={e: decoder.element(e, cursor) for e, cursor in severed.items()},
        severed_bytes={e: cursor.raw() for e, cursor in severed.items()},
        integrated=integrated,
        offsets=offsets | {e.value: cursor.item.start for e, cursor in severed.items()},
    )


def _authentication(at: Cursor, table: Table) -> tuple[Cursor, tuple[model.CoseBlock, ...]]:
    digest, *rest = at.embedded().elements()
    digest.name("digest")
    if len(rest) > READ_LIMITS.suit_signatures:
        at.fail(f"{len(rest)} signatures; at most {READ_LIMITS.suit_signatures} are read")
    blocks = []
    for each in rest:
        inner = each.embedded()
        block = decode_block(inner)
        if block.payload is not None and not table.payload_attached:
            inner.fail("the payload of a signature is attached; it must be null")
        blocks.append(block)
    return digest, tuple(blocks)
