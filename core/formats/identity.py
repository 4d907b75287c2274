"""Vendor and class ids: UUIDs given as such or derived from names (manifest-v3, section 4)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from fotabuild.errors import FormatError

# 32 hexadecimal digits, plain or with the usual dashes, optionally as a URN or in braces.
_UUID_PATTERN = re.compile(
    r"(?:urn:uuid:)?(\{)?[0-9a-f]{8}(-?)[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}(?(1)\})",
    re.IGNORECASE,
)
_DOMAIN_PATTERN = re.compile(r"\w[\w-]*(\.\w[\w-]*)+")


@dataclass(frozen=True)
class Identity:
    """What a device is: its vendor id and its device class id."""

    vendor_id: uuid.UUID
    class_id: uuid.UUID


def parse_uuid(text: str) -> uuid.UUID:
    """Read a UUID, dashed or not, in braces or as a URN.

    Raises:
        FormatError: any other text.
    """
    if _UUID_PATTERN.fullmatch(text) is None:
        raise FormatError(
            f"{text[:60]!r} is not a UUID", remedy="write 32 hexadecimal digits, dashes allowed"
        )
    return uuid.UUID(text)


def vendor_id_from_domain(domain: str) -> uuid.UUID:
    """Return the vendor id of a domain name: UUID version 5 in the DNS name space.

    Raises:
        FormatError: the text is no domain name with a dot in it.
    """
    if _DOMAIN_PATTERN.fullmatch(domain) is None:
        raise FormatError(f"{domain[:60]!r} is not a domain name", remedy="write one like acme.com")
    return uuid.uuid5(uuid.NAMESPACE_DNS, domain)


def class_id_from_model_name(vendor_id: uuid.UUID, model_name: str) -> uuid.UUID:
    """Return the class id of a model: UUID version 5 in the name space of its vendor."""
    return uuid.uuid5(vendor_id, model_name)
