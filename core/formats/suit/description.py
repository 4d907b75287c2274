"""What a manifest shall say, independent of its wire format: the input of the compiler."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from fotabuild.formats.suit.model import ComponentId, Digest
from fotabuild.formats.suit.names import ComponentText, Compression, DigestAlgorithm, ManifestText


@dataclass(frozen=True, kw_only=True)
class Component:
    """One image for one location. Several with one ``install_id`` are alternatives.

    Attributes:
        install_id: where it is installed.
        install_digest: digest of what is installed.
        install_size: size in bytes of what is installed.
        vendor_id: vendor of the devices that take it, or None.
        class_id: class of the devices that take it, or None.
        slot: index of the slot that takes it (``current``), or None.
        offset: address that it is linked to (draft-09), or None.
        uri: where it is downloaded, or None.
        bootable: whether it is started.
        compression: what the download is compressed with, or None.
        download_id: where it is downloaded to before it is installed, or None.
        download_digest: digest of the download; None when nothing needs it.
        staged: whether it is downloaded to ``download_id`` first.
        loadable: whether it is copied to ``load_id`` before it starts.
        load_id: where it is copied to, or None.
        load_digest: digest of the copy; None when nothing needs it.
        load_size: size in bytes of the copy, or None.
        decompress_on_load: whether it is decompressed by that copy and not when it is installed.
        content: what ``file`` holds, or None when only its digest is known.
        integrate: whether the payload lies in the envelope.
        texts: texts about it, by language.
        path: where the description has it, for messages.
    """

    install_id: ComponentId
    install_digest: Digest
    install_size: int
    vendor_id: uuid.UUID | None = None
    class_id: uuid.UUID | None = None
    slot: int | None = None
    offset: int | None = None
    uri: str | None = None
    bootable: bool = False
    compression: Compression | None = None
    download_id: ComponentId | None = None
    download_digest: Digest | None = None
    staged: bool = False
    loadable: bool = False
    load_id: ComponentId | None = None
    load_digest: Digest | None = None
    load_size: int | None = None
    decompress_on_load: bool = False
    content: bytes | None = field(default=None, repr=False)
    integrate: bool = False
    texts: Mapping[str, Mapping[ComponentText, str]] = field(default_factory=dict)
    path: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class NeededManifest:
    """Another manifest that has to be processed with this one.

    Attributes:
        envelope: its signed envelope.
        manifest_digest: digest of its manifest, as its envelope states it.
        install_id: component that holds the envelope; ``current`` needs it.
        uri: where it is downloaded, or None.
        integrate: whether it lies in the envelope of this one.
    """

    envelope: bytes = field(repr=False)
    manifest_digest: Digest
    install_id: ComponentId | None = None
    uri: str | None = None
    integrate: bool = False


@dataclass(frozen=True, kw_only=True)
class Description:
    """The whole input.

    Attributes:
        sequence_number: a device refuses a manifest with a number that is not higher than the last.
        components: the images; at least one.
        severable: whether large elements may be removed from the envelope after signing.
        digest_algorithm: algorithm of the digests of severed elements.
        reference_uri: where the full manifest can be found, or None.
        compression_parameter: private label that says the compression in ``current``, or None.
        dependencies: other manifests that are needed.
        texts: texts about the manifest, by language.
        warnings: what is accepted and may not be what was meant.
    """

    sequence_number: int
    components: tuple[Component, ...]
    severable: bool = False
    digest_algorithm: DigestAlgorithm = DigestAlgorithm.SHA256
    reference_uri: str | None = None
    compression_parameter: int | None = None
    dependencies: tuple[NeededManifest, ...] = ()
    texts: Mapping[str, Mapping[ManifestText, str]] = field(default_factory=dict)
    warnings: tuple[str, ...] = field(default=(), compare=False)

    def groups(self) -> tuple[tuple[Component, ...], ...]:
        """Return the components in groups of alternatives, by the order of their first ones."""
        groups: dict[ComponentId, list[Component]] = {}
        for component in self.components:
            groups.setdefault(component.install_id, []).append(component)
        return tuple(tuple(group) for group in groups.values())

    def locations(self) -> tuple[ComponentId, ...]:
        """Return all component ids in order of appearance: the components list of the manifest."""
        ids = dict.fromkeys(
            component_id
            for component in self.components
            for component_id in (component.install_id, component.download_id, component.load_id)
            if component_id is not None
        )
        return tuple(ids)
