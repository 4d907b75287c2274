"""What a report says. Its JSON has these fields in kebab case; the page shows the same."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from fotabuild.device.report import Verdict

#: 2: ``schema`` is a word, and ``downloads`` stand in place of one payload and its URL.
SCHEMA_VERSION = 2


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """Base of all parts."""


class Check(_Part, frozen=True):
    """One result, as of :class:`fotabuild.device.report.CheckResult`."""

    name: str
    verdict: str
    detail: str
    remedy: str = ""

    @property
    def failed(self) -> bool:
        """Whether it is one of those that make a folder wrong."""
        return self.verdict == Verdict.FAILED.value


class FileEntry(_Part, frozen=True):
    """A file: its name in the folder, what it is, size in bytes, SHA-256, and its checks."""

    name: str
    kind: str
    size: int
    sha256: str
    accepted: bool
    checks: tuple[Check, ...]


class Schema(enum.Enum):
    """Kinds of manifests."""

    V3 = "v3"
    V1 = "v1"
    SUIT = "suit"


class Download(_Part, frozen=True):
    """One payload: from where it is downloaded, and its file in the folder, None without one."""

    url: str
    file: str | None


class Update(_Part, frozen=True):
    """What one manifest brings to a device.

    Attributes:
        manifest: file name of the manifest.
        schema: what kind of manifest it is.
        manifest_size: its size in bytes.
        version: the version after the update; of a SUIT manifest without one its sequence number.
        since: the version that it starts from; the beginning of a digest where that is all we
            know, None for an update of anything.
        downloads: what it downloads; nothing where the manifest carries it.
        payload_format: what the payload is.
        payload_size: bytes to download, those of files that are not here only if the manifest says
            how many.
        image_size: bytes of the image after the update; 0 where nobody knows.
        saving: per cent of the image that need not be transferred; None unless a patch.
        memory: bytes of memory that the device needs besides its network buffer; None unless a
            patch.
        seconds: how long payload and manifest take on the link, without what protocols add.
        signature: verdict on the manifest's signature.
        image_signed: whether the image carries a signature too.
        accepted: whether a device would take it.
    """

    manifest: str
    schema: Schema
    manifest_size: int
    version: str
    since: str | None
    downloads: tuple[Download, ...]
    payload_format: str
    payload_size: int
    image_size: int
    saving: float | None
    memory: int | None
    seconds: float
    signature: str
    image_signed: bool
    accepted: bool

    @property
    def patch(self) -> str | None:
        """File name of the patch, where it is one and here."""
        return None if self.saving is None else self.downloads[0].file

    @property
    def size_known(self) -> bool:
        """Whether ``payload_size`` is all of it: SUIT manifests may leave sizes to files."""
        return self.schema is not Schema.SUIT or all(item.file for item in self.downloads)


class Room(enum.Enum):
    """What is left below a limit: enough, little, as much as was meant, less than nothing."""

    ENOUGH = "enough"
    LITTLE = "little"
    BY_DESIGN = "by-design"
    EXCEEDED = "exceeded"


class Headroom(_Part, frozen=True):
    """How near a limit of the device is.

    Attributes:
        limit: its name, as in the configuration.
        used: the largest value.
        bound: the largest one that devices take.
        where: what has the largest value.
        room: what that means: deltas are made for all of the memory that a profile allots to them,
            and nobody has to act on that.
    """

    limit: str
    used: int
    bound: int
    where: str
    room: Room

    @property
    def share(self) -> float:
        """Per cent of the bound that is used."""
        return 100 * self.used / self.bound if self.bound else (100.0 if self.used else 0.0)


class Signing(_Part, frozen=True):
    """Who signed: digests of the certificate and of the public key, and the algorithm."""

    certificate_sha256: str
    key_id: str
    algorithm: str


class Change(_Part, frozen=True):
    """What an update changes: cost in bytes of the patch by section and by symbol.

    Attributes:
        since: the version that it starts from.
        patch: file name of the patch.
        values: the costs, as the room of explanations gives them.
        pictures: headings and SVG, for the page alone.
        legend: meanings and colours of the pictures.
    """

    since: str
    patch: str
    values: dict[str, Any]
    pictures: tuple[tuple[str, str], ...] = ()
    legend: tuple[tuple[str, str], ...] = ()


class Report(_Part, frozen=True):
    """Everything.

    Attributes:
        title: what the report is about.
        vendor_id: id of the vendor, None without a configuration.
        class_id: id of the device class.
        component: the component.
        link_speed: bits per second of the link that ``seconds`` are for.
        signing: the key.
        updates: what devices can be brought to, by manifest.
        headroom: the nearest limits first, those that are met by design last.
        changes: by release; empty without ELF files.
        files: by name.
        folder: checks of the folder as a whole.
        accepted: whether no check failed.
    """

    title: str
    vendor_id: str | None
    class_id: str | None
    component: str | None
    link_speed: int
    signing: Signing
    updates: tuple[Update, ...]
    headroom: tuple[Headroom, ...]
    changes: tuple[Change, ...]
    files: tuple[FileEntry, ...]
    folder: tuple[Check, ...]
    accepted: bool

    def encode(self) -> bytes:
        """Return the JSON; pictures are for the page."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        for change in values["changes"]:
            del change["pictures"], change["legend"]
        text = msgspec.json.encode({"schema_version": SCHEMA_VERSION, **values})
        return msgspec.json.format(text, indent=1) + b"\n"
