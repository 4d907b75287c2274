"""One entry of ``components`` (suit specification, sections 1.2 and 1.6)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from fotabuild.formats.suit.description import Component
from fotabuild.formats.suit.json_node import Node
from fotabuild.formats.suit.model import ComponentId, Digest
from fotabuild.formats.suit.names import ComponentText, Compression, DigestAlgorithm
from fotabuild.formats.suit.node_values import component_id, digest, named, texts, uuid_value

COMPONENT_KEYS = (
    "install-id",
    "install-digest",
    "install-size",
    "file",
    "vendor-id",
    "class-id",
    "uri",
    "bootable",
    "loadable",
    "load-id",
    "load-digest",
    "load-size",
    "compression-info",
    "decompress-on-load",
    "install-on-download",
    "download-id",
    "download-digest",
    "offset",
    "slot",
    "integrate",
    "description",
    *(name.value for name in ComponentText),
)


def read_component(
    node: Node, read_payload: Callable[[str], bytes], language: str, *, allow_unknown: bool
) -> Component:
    """Read one entry and fill in what follows from the rest of it.

    Raises:
        SuitInputError: a key is missing, unknown or wrong, or contradicts another one.
    """
    node.only(COMPONENT_KEYS, allow_unknown=allow_unknown)
    install_id = component_id(node.need("install-id"))
    content = None if (file := node.get("file")) is None else read_payload(file.text())
    install_digest, install_size = _installed(node, content)
    uri = _text(node, "uri")
    loadable = _flag(node, "loadable", default=False)
    staged = not _flag(node, "install-on-download", default=True)
    compression = None
    if (given := node.get("compression-info")) is not None:
        compression = named(given, Compression)
    on_load = _flag(node, "decompress-on-load", default=False) and loadable
    if on_load and compression is None:
        node.need("decompress-on-load").fail("there is no compression-info")
    download_id = _id(node, "download-id")
    if staged and download_id is None:
        node.fail("the key 'download-id' is missing, as install-on-download is false")
    load_id = _id(node, "load-id")
    if loadable and load_id is None:
        node.fail("the key 'load-id' is missing, as loadable is true")
    download_digest = _digest(node, "download-digest")
    if staged and uri is not None and download_digest is None:
        if compression is not None and not on_load:
            node.fail("the key 'download-digest' is missing: the digest of the compressed download")
        download_digest = install_digest
    load_digest = _digest(node, "load-digest")
    load_size = _unsigned(node, "load-size")
    if loadable and not on_load:
        load_digest = load_digest or install_digest
        load_size = install_size if load_size is None else load_size
    if loadable and load_digest is None:
        node.fail("the key 'load-digest' is missing: the digest of the decompressed image")
    integrate = _flag(node, "integrate", default=False)
    if integrate:
        _check_integrated(node, uri, content, compressed=compression is not None and not on_load)
    return Component(
        install_id=install_id,
        install_digest=install_digest,
        install_size=install_size,
        vendor_id=None if (vendor := node.get("vendor-id")) is None else uuid_value(vendor),
        class_id=None if (kind := node.get("class-id")) is None else uuid_value(kind),
        slot=_unsigned(node, "slot"),
        offset=_unsigned(node, "offset"),
        uri=uri,
        bootable=_flag(node, "bootable", default=False),
        compression=compression,
        download_id=download_id,
        download_digest=download_digest,
        staged=staged,
        loadable=loadable,
        load_id=load_id,
        load_digest=load_digest if loadable else None,
        load_size=load_size if loadable else None,
        decompress_on_load=on_load,
        content=content,
        integrate=integrate,
        texts=texts(node, ComponentText, language),
        path=node.path,
    )


def _installed(node: Node, content: bytes | None) -> tuple[Digest, int]:
    """Return digest and size: those of the file, or the given ones; both must agree."""
    given, size = _digest(node, "install-digest"), _unsigned(node, "install-size")
    if content is None:
        for key, value in (("install-digest", given), ("install-size", size)):
            if value is None:
                node.fail(f"the key '{key}' is missing", f"give 'file' or '{key}'")
        assert given is not None
        assert size is not None
        return given, size
    if size is not None and size != len(content):
        node.need("install-size").fail(f"{size}, but the file has {len(content)} bytes")
    algorithm = DigestAlgorithm.SHA256 if given is None else given.algorithm
    computed = Digest(algorithm, hashlib.new(algorithm.value, content).digest())
    if given is not None and given != computed:
        node.need("install-digest").fail(f"the digest of the file is {computed.value.hex()}")
    return computed, len(content)


def _check_integrated(
    node: Node, uri: str | None, content: bytes | None, *, compressed: bool
) -> None:
    key = node.need("integrate")
    if uri is None or not uri.startswith("#") or len(uri) == 1:
        key.fail("an integrated payload needs a uri such as '#name'")
    if content is None or compressed:
        key.fail("an integrated payload needs 'file', as the device shall receive it")


def _flag(node: Node, key: str, *, default: bool) -> bool:
    return default if (value := node.get(key)) is None else value.flag()


def _text(node: Node, key: str) -> str | None:
    return None if (value := node.get(key)) is None else value.text()


def _unsigned(node: Node, key: str) -> int | None:
    return None if (value := node.get(key)) is None else value.unsigned()


def _id(node: Node, key: str) -> ComponentId | None:
    return None if (value := node.get(key)) is None else component_id(value)


def _digest(node: Node, key: str) -> Digest | None:
    return None if (value := node.get(key)) is None else digest(value)
