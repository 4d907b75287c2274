"""Changes to an envelope that leave every other byte as it is: signatures and severed elements."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from fotabuild.errors import SuitError, UsageError
from fotabuild.formats.suit import model
from fotabuild.formats.suit.cbor_writer import encode
from fotabuild.formats.suit.cose_layout import encode_block, protected_header, to_be_signed
from fotabuild.formats.suit.decoder import (
    AUTHENTICATION,
    decode_envelope,
    envelope_map,
    open_envelope,
)
from fotabuild.formats.suit.digests import check_manifest_digest, check_severed_digests
from fotabuild.formats.suit.names import Element
from fotabuild.formats.suit.tables import TABLES
from fotabuild.limits import READ_LIMITS

_MAP = 5 << 5
_ELEMENT_NAMES = {
    "fetch": Element.PAYLOAD_FETCH,
    "deres": Element.DEPENDENCY_RESOLUTION,
}


class BlockSigner(Protocol):
    """What signs an envelope; :class:`fotabuild.signing.cose.CoseSigner` is one."""

    @property
    def algorithm_number(self) -> int:
        """Number of the COSE algorithm."""
        ...

    @property
    def is_mac(self) -> bool:
        """Whether it makes an authentication code with a shared secret, and no signature."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the signature as COSE has it: ECDSA as r and s."""
        ...


def sign_envelope(data: bytes, signer: BlockSigner, key_id: bytes | None = None) -> bytes:
    """Return the envelope with one more signature.

    Args:
        data: the envelope; its digests are checked first.
        signer: makes the signature.
        key_id: hint at the key for the device, or None.

    Raises:
        CborError, SuitError: ``data`` is no envelope.
        VerificationError: a digest does not fit.
        SigningError: the key cannot be used.
    """
    envelope = decode_envelope(data)
    check_manifest_digest(envelope)
    check_severed_digests(envelope)
    if len(envelope.blocks) >= READ_LIMITS.suit_signatures:
        # Before the key is used: some have a signature less afterwards.
        raise SuitError(
            f"there are {len(envelope.blocks)} signatures already, and no more are read",
            remedy="sign an envelope with fewer of them",
        )
    protected = protected_header(signer.algorithm_number)
    signed = to_be_signed(protected, envelope.digest_bytes, is_mac=signer.is_mac)
    block = model.CoseBlock(
        is_mac=signer.is_mac,
        algorithm=signer.algorithm_number,
        protected=protected,
        key_id=key_id,
        payload=envelope.digest_bytes if TABLES[envelope.profile].payload_attached else None,
        value=signer.sign(signed),
    )
    return add_block(data, block)


def add_block(data: bytes, block: model.CoseBlock) -> bytes:
    """Return the envelope with one more block in its authentication list.

    Raises:
        CborError, SuitError: ``data`` is no envelope.
    """
    at = open_envelope(data)
    view = at.reader.data
    found = [value for key, value in envelope_map(at).entries() if key.item.value == AUTHENTICATION]
    if not found:
        at.fail("the envelope has no authentication list (key 2)")
    place = found[0].item
    entries = [each.byte_string() for each in found[0].embedded().elements()]
    blocks = encode(encode([*entries, encode_block(block)]))
    return b"".join((view[: place.start], blocks, view[place.end :]))


def sever(data: bytes, elements: Collection[Element] | None = None) -> bytes:
    """Return the envelope without severed elements; signatures remain valid.

    Args:
        data: the envelope.
        elements: which ones; None removes all that are severed.

    Raises:
        CborError, SuitError: ``data`` is no envelope, or an element is not severed in it.
        VerificationError: the digest that stays behind is not that of the element.
    """
    envelope = decode_envelope(data)
    check_severed_digests(envelope)
    for element in elements or ():
        if element not in envelope.severed:
            raise SuitError(
                "this element is not severed in the envelope, so that it cannot be removed",
                field=element.value,
                remedy="only what lies beside the manifest can: make it with severable",
            )
    chosen = set(envelope.severed if elements is None else elements)
    numbers = {TABLES[envelope.profile].elements[element] for element in chosen}
    at = open_envelope(data)
    mapping = envelope_map(at)
    kept = [entry for entry in mapping.entries() if entry[0].item.value not in numbers]
    head = at.reader.data[: mapping.item.start], _map_head(len(kept))
    return b"".join((*head, *(part.raw() for entry in kept for part in entry)))


def element_by_name(name: str) -> Element:
    """Return the element of a long name, or of one of the short names of suit-tool.

    Raises:
        UsageError: there is none of this name.
    """
    if name in _ELEMENT_NAMES:
        return _ELEMENT_NAMES[name]
    try:
        return Element(name)
    except ValueError:
        names = ", ".join([*(element.value for element in Element), *_ELEMENT_NAMES])
        raise UsageError(f"unknown element {name[:40]!r}", remedy=f"write one of {names}") from None


def _map_head(count: int) -> bytes:
    """Return the head of a map of ``count`` entries: that of a list but for the type."""
    head = encode([None] * count)[: -count or None]
    return bytes([head[0] & 0x1F | _MAP, *head[1:]])
