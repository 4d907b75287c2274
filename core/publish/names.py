"""Names of objects on a service, and filters for devices."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence

from fotabuild.errors import UsageError
from fotabuild.formats.identity import Identity

_LONGEST = 128
_LONGEST_FILTER = 4096
_DEVICE_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def unique_name(prefix: str, subject: str) -> str:
    """Return a name that no other object has: lost answers are looked up by it (section 1.6)."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = f"{_tame(prefix)[:40]}-{stamp}-{secrets.token_hex(4)}-{_tame(subject)}"
    return name[:_LONGEST]


def _tame(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z._-]", "_", text) or "update"


def artifacts_of(key: str) -> str:
    """Return under which key the image and the manifest of an update are.

    Several campaigns may bring the same: ``full``, ``full/2`` and so on.
    """
    return key.partition("/")[0]


def device_filter(
    identity: Identity,
    device_ids: Sequence[str] = (),
    checksums: Sequence[str] = (),
    excluded: Sequence[str] = (),
) -> str:
    """Return the filter expression for devices (section 1.7).

    Args:
        identity: their vendor and class.
        device_ids: these devices only.
        checksums: devices with one of these images only.
        excluded: devices with another image than these only.

    Raises:
        UsageError: a device id that cannot be one, or more than a service takes.
    """
    terms = [f"device_class__eq={identity.class_id.hex}", f"vendor_id__eq={identity.vendor_id.hex}"]
    for identifier in device_ids:
        if _DEVICE_ID.fullmatch(identifier) is None:
            raise UsageError(f"{identifier!r} is no device id", remedy="give its 32 digits")
    if device_ids:
        terms.append(_among("id", device_ids))
    if checksums:
        terms.append(_among("firmware_checksum", checksums))
    if excluded:
        terms.append(_among("firmware_checksum", excluded, "neq", "nin"))
    text = "&".join(terms)
    if len(text) > _LONGEST_FILTER:
        raise UsageError(
            f"the device filter has {len(text)} characters, services take {_LONGEST_FILTER}",
            remedy="name fewer devices or releases at once",
        )
    return text


def _among(field: str, values: Sequence[str], one: str = "eq", many: str = "in") -> str:
    return f"{field}__{one if len(values) == 1 else many}={','.join(values)}"
