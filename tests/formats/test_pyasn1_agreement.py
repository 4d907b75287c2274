"""pyasn1's own decoder, which our strict reader does not use, finds the same values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyasn1.codec.der.decoder import decode as pyasn1_decode

from fotabuild.formats.combined_package import PackageImage, encode_descriptor
from fotabuild.formats.manifest_v3 import ManifestV3, decode_signed

from .golden import MANIFESTS, golden_name


@pytest.mark.parametrize("path", MANIFESTS, ids=golden_name)
def test_manifest(path: Path) -> None:
    element, rest = pyasn1_decode(path.read_bytes())
    signed = decode_signed(path.read_bytes())
    assert rest == b""
    assert _leaves(element) == [3, *_our_leaves(signed.manifest), signed.signature]


def test_descriptor_that_we_write() -> None:
    images = [PackageImage("app", b"v1", b"x" * 300), PackageImage("b", "\u00e4".encode(), b"")]
    element, rest = pyasn1_decode(encode_descriptor(images))
    assert rest == b""
    assert _leaves(element) == [2, "app", b"v1", 2, 300, "b", b"\xc3\xa4", 2, 0]


def _leaves(element: Any) -> list[object]:
    """The primitive values of a decoded element in their order."""
    kind = type(element).__name__
    if kind in ("Sequence", "SequenceOf"):
        items = element.values() if kind == "Sequence" else element
        return [leaf for item in items for leaf in _leaves(item)]
    if kind == "UTF8String":
        return [str(element)]
    return [bytes(element) if kind == "OctetString" else int(element)]


def _our_leaves(m: ManifestV3) -> list[object]:
    leaves: list[object] = [m.identity.vendor_id.bytes, m.identity.class_id.bytes]
    leaves += [m.update_priority, m.component_name, m.payload_version, m.payload_digest]
    leaves += [m.payload_size, m.payload_uri, m.payload_format.number, m.installed_signature]
    optional = (m.installed_size, m.installed_digest, m.precursor_digest, m.vendor_data)
    return leaves + [value for value in optional if value is not None]
