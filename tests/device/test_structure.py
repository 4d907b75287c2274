"""Manifests that are not even well-formed: what the device would say of each."""

from __future__ import annotations

import pytest

from fotabuild.device.manifest_acceptance import accept_manifest

from .scenes import DEVICE, NEW, delta, encrypted, raw

RAW = raw().data
PATCH = delta().data
# Offsets in the raw manifest of the worked example, which has the same fields and sizes.
VERSION, VENDOR_TAG, FORMAT = RAW.index(b"\x0a\x01\x03"), 6, RAW.index(b"\x0a\x01\x01")


def replaced(data: bytes, offset: int, content: bytes) -> bytes:
    return data[:offset] + content + data[offset + len(content) :]


def resized(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace an element by one of another size; the two lengths around it are corrected."""
    assert data.count(old) == 1
    inner = data.index(b"\x0a\x01\x03") + 3
    assert data[1] & data[inner + 1] & 0x80
    grown = len(new) - len(old)
    head = _length(data, 0, grown) + b"\x0a\x01\x03"
    return head + _length(data, inner, grown) + data[_start(data, inner) :].replace(old, new)


def _start(data: bytes, offset: int) -> int:
    return offset + 2 + (data[offset + 1] & 0x7F)


def _length(data: bytes, offset: int, grown: int) -> bytes:
    size = data[offset + 1] & 0x7F
    value = int.from_bytes(data[offset + 2 : offset + 2 + size], "big") + grown
    encoded = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return data[offset : offset + 1] + bytes([0x80 | len(encoded)]) + encoded


def element(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content


DIGEST = element(4, raw().manifest.payload_digest)
VENDOR = element(4, raw().manifest.identity.vendor_id.bytes)
CLASS = element(4, raw().manifest.identity.class_id.bytes)
SIZE = b"\x02\x03" + (delta().manifest.installed_size or 0).to_bytes(3, "big")
INSTALLED = element(4, delta().manifest.installed_digest or b"")
PRECURSOR = element(4, delta().manifest.precursor_digest or b"")


def with_metadata(*elements: bytes) -> bytes:
    """The patch's manifest with these elements in its metadata."""
    return resized(
        PATCH, element(0x30, SIZE + INSTALLED + PRECURSOR), element(0x30, b"".join(elements))
    )


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", -22),
        (RAW[:-1], -22),
        (b"\x31" + RAW[1:], -22),
        (RAW + b"\0", -22),
        # A v1 manifest begins with a SEQUENCE in place of the version.
        (replaced(RAW, VERSION, b"\x30"), -22),
        (replaced(RAW, VERSION + 2, b"\x01"), -28),
        (replaced(RAW, VERSION + 2, b"\x04"), -28),
        (resized(RAW, VENDOR, VENDOR[:1] + b"\x0f" + VENDOR[3:]), -30),
        (resized(RAW, CLASS, CLASS[:1] + b"\x11" + CLASS[2:] + b"x"), -31),
        (resized(RAW, DIGEST, element(4, DIGEST[2:] + b"x")), -43),
        (replaced(RAW, FORMAT + 2, b"\x02"), -25),
        # Encrypted delta, 0x0105, is reserved.
        (resized(RAW, RAW[FORMAT : FORMAT + 3], b"\x0a\x02\x01\x05"), -25),
        (with_metadata(SIZE, element(4, INSTALLED[2:] + b"x"), PRECURSOR), -43),
        (with_metadata(SIZE, INSTALLED, element(4, PRECURSOR[2:-1])), -43),
        (with_metadata(SIZE, INSTALLED, PRECURSOR, PRECURSOR), -22),
        (with_metadata(SIZE, INSTALLED), -22),
        (with_metadata(INSTALLED, PRECURSOR), -22),
        (resized(RAW, b"\x0a\x01\x01\x04\x00", b"\x0a\x01\x01\x04\x01x"), -22),
        # Patch and package without payload-metadata.
        (replaced(RAW, FORMAT + 2, b"\x05"), -22),
        (replaced(RAW, FORMAT + 2, b"\x06"), -22),
    ],
)
def test_status_of_malformed_manifests(data: bytes, status: int) -> None:
    (result,) = accept_manifest(data, DEVICE, NEW).results
    assert (result.name, result.device_status) == ("manifest-structure", status)
    assert not accept_manifest(data, DEVICE, NEW).accepted


def test_device_halts_at_a_signature_of_another_size() -> None:
    signature = RAW[-66:]
    assert signature[:2] == b"\x04\x40"
    shorter = b"\x30" + _length(RAW, 0, -1)[1:] + RAW[3:-66] + b"\x04\x3f" + RAW[-63:]
    (result,) = accept_manifest(shorter, DEVICE).results
    assert (result.name, result.device_status) == ("manifest-structure", None)
    assert "signature" in result.detail


def test_key_element_of_another_size_is_refused() -> None:
    data = encrypted().data
    for damaged in (data[:-1], data + b"\0", data[:-18] + b"\x81\x11" + data[-16:]):
        assert [r.name for r in accept_manifest(damaged, DEVICE).failures] == ["manifest-structure"]
