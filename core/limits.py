"""Bounds on everything that fotabuild reads, in one place.

They protect the build machine. What the *device* accepts is in
:class:`fotabuild.device.profile.DeviceLimits`.
"""

from __future__ import annotations

from typing import NamedTuple


class ReadLimits(NamedTuple):
    """Largest inputs that are accepted; sizes in bytes.

    Attributes:
        image: a firmware image or an ELF file.
        package: a combined package.
        patch: a delta patch stream.
        patch_block: block size that a patch may announce.
        manifest: a signed manifest. Devices receive its length as 16 bits.
        config: a YAML or JSON text.
        yaml_depth: nesting of a YAML document.
        yaml_nodes: number of values in a YAML document.
        key: a private key or certificate file.
        secret: a passphrase or PIN.
        signature: a signature in a file.
        vendor_data: a custom vendor data file.
        elf_segments: loadable segments of an ELF file.
        elf_sections: sections of an ELF file whose symbols are read.
        elf_symbols: its symbols.
        elf_gap: largest hole between two segments that is filled up.
        package_members: members of a combined package, its descriptor included.
        package_descriptor: the descriptor of a combined package.
        suit_envelope: a SUIT envelope with the payloads inside it.
        suit_description: the JSON description of a SUIT manifest.
        suit_components: entries of that description; components that one command is about.
        suit_locations: component ids of a SUIT manifest.
        suit_location_size: bytes of one component id.
        suit_signatures: signatures of a SUIT envelope.
        cbor_depth: nesting of CBOR, embedded CBOR included.
        cbor_items: items of a CBOR file.
        cbor_text: all texts of a CBOR file together.
        release_record: what a store says about one release.
        release_index: the index of a store.
        releases: releases in a store, and lines of a CSV file about them.
        matrix_pairs: pairs of images in one matrix.
        release_files: files in a folder of artifacts.
        provenance: a signed statement on the origin of artifacts.
        parts: parts of a firmware that are listed for its bill of materials.
    """

    image: int = 256 * 1024 * 1024
    package: int = 512 * 1024 * 1024
    patch: int = 256 * 1024 * 1024
    patch_block: int = 16 * 1024 * 1024
    manifest: int = 65535
    config: int = 1024 * 1024
    yaml_depth: int = 16
    yaml_nodes: int = 20_000
    key: int = 64 * 1024
    secret: int = 1024
    signature: int = 1024
    vendor_data: int = 64 * 1024
    elf_segments: int = 1024
    elf_sections: int = 20_000
    elf_symbols: int = 500_000
    elf_gap: int = 16 * 1024 * 1024
    package_members: int = 256
    package_descriptor: int = 1024 * 1024
    suit_envelope: int = 64 * 1024 * 1024
    suit_description: int = 1024 * 1024
    suit_components: int = 256
    suit_locations: int = 1024
    suit_location_size: int = 1024
    suit_signatures: int = 16
    cbor_depth: int = 40
    cbor_items: int = 50_000
    cbor_text: int = 4 * 1024 * 1024
    release_record: int = 64 * 1024
    release_index: int = 64 * 1024 * 1024
    releases: int = 100_000
    matrix_pairs: int = 100_000
    release_files: int = 20_000
    provenance: int = 16 * 1024 * 1024
    parts: int = 10_000


READ_LIMITS = ReadLimits()
