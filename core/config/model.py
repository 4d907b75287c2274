"""The model of ``fotabuild.yaml``. The JSON schema and the reference page are made from it."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec
from msgspec import Meta

from fotabuild.delta.effort import Effort
from fotabuild.device.profile import (
    DeviceFeature,
    DeviceLimits,
    DeviceProfile,
    ProfileName,
    UpdateClient,
)
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.formats.suit.names import Profile
from fotabuild.signing.cose_algorithm import CoseAlgorithm


class ManifestFormat(enum.Enum):
    """Manifest formats that a build can emit."""

    V3 = "v3"
    V1 = "v1"
    SUIT = "suit"


class PathKind(enum.Enum):
    """Mark on fields that hold paths: relative ones are resolved against their source's folder."""

    FILE = "file"
    KEY_URI = "key-uri"
    PROGRAM = "program"
    KEY_PLACE = "key-place"


Text = Annotated[str, Meta(min_length=1)]
FilePath = Annotated[str, Meta(min_length=1, extra={"path": PathKind.FILE})]
KeyUri = Annotated[str, Meta(min_length=1, extra={"path": PathKind.KEY_URI})]
ProgramName = Annotated[str, Meta(min_length=1, extra={"path": PathKind.PROGRAM})]
SecretSource = Annotated[str, Meta(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|fd:[0-9]{1,4}|prompt)$")]
# Where a secret is, never the secret itself.
KeyPlace = Annotated[
    str,
    Meta(
        pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|fd:[0-9]{1,4})$",
        extra={"path": PathKind.KEY_PLACE},
    ),
]
ServiceUrl = Annotated[str, Meta(pattern=r"^https?://[^\s]+$")]
Uuid = Annotated[str, Meta(pattern=r"^\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?$")]
Seconds = Annotated[int, Meta(ge=1, le=86400)]
Offset = Annotated[int, Meta(ge=0, le=1 << 28)]
SequenceNumber = Annotated[int, Meta(ge=0, le=2**63 - 1)]
#: Texts that stand for bytes, as in the JSON of suit-tool.
ComponentId = Annotated[tuple[str, ...], Meta(min_length=1, max_length=64)]
Address = Annotated[int, Meta(ge=0, le=2**32 - 1)]
VersionText = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){2}$")]


class _Section(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """Base of all sections: immutable, names in kebab case, unknown keys refused."""


class Vendor(_Section, frozen=True):
    """Who makes the device; give exactly one of domain and vendor-id."""

    domain: Annotated[
        Text | None, Meta(description="Vendor's domain; the vendor id is derived from it.")
    ] = None
    vendor_id: Annotated[Uuid | None, Meta(description="Vendor id, a UUID.")] = None
    custom_data_path: Annotated[
        FilePath | None, Meta(description="File that is carried in manifests as vendor data.")
    ] = None


class DeviceClass(_Section, frozen=True):
    """What the device is; give exactly one of model-name and class-id."""

    model_name: Annotated[
        Text | None, Meta(description="Model; the class id is derived from it and the vendor.")
    ] = None
    class_id: Annotated[Uuid | None, Meta(description="Device class id, a UUID.")] = None
    features: Annotated[
        tuple[DeviceFeature, ...], Meta(description="What the device's update client can do.")
    ] = (DeviceFeature.DELTA,)
    client: Annotated[
        UpdateClient | None,
        Meta(description="Update client of the device; v1 manifests are checked for it."),
    ] = None
    profile: Annotated[
        ProfileName,
        Meta(
            description="`none` enforces neither features nor limits, for people who know their "
            "devices; everything else is checked."
        ),
    ] = ProfileName.DEFAULT
    limits: DeviceLimits = DeviceLimits()

    def to_profile(self) -> DeviceProfile:
        """Return what is checked against."""
        return DeviceProfile(
            features=frozenset(self.features),
            limits=self.limits,
            client=self.client,
            enforced=self.profile is ProfileName.DEFAULT,
        )


class Credentials(_Section, frozen=True):
    """Whose updates the device accepts."""

    key: Annotated[
        KeyUri | None,
        Meta(
            description="Private key that signs manifests: a PEM file, a `pkcs11:` or `awskms:` "
            "URI, or with a signing tool what that tool calls it."
        ),
    ] = None
    certificate: Annotated[
        FilePath | None, Meta(description="Update certificate of that key, DER or PEM.")
    ] = None
    passphrase: Annotated[
        SecretSource | None,
        Meta(
            description="Where passphrase or PIN of the key come from: `env:NAME`, `fd:NUMBER` or "
            "`prompt`. Never the secret itself."
        ),
    ] = None
    signing_tool: Annotated[
        ProgramName | None, Meta(description="External program that signs in place of a key here.")
    ] = None
    signing_tool_seconds: Annotated[
        int, Meta(ge=1, le=3600, description="How long that program may run.")
    ] = 60
    show_signing_tool: Annotated[
        bool, Meta(description="Show what that program prints; it may print secrets.")
    ] = False


class Encrypted(_Section, frozen=True):
    """Digest and size of the payload after the service encrypted it."""

    digest: Annotated[
        str, Meta(pattern=r"^[0-9a-fA-F]{64}$", description="SHA-256, 64 hexadecimal digits.")
    ]
    size: Annotated[int, Meta(ge=1, description="Size in bytes.")]


class Payload(_Section, frozen=True):
    """Where devices download from; the other keys are for `fotabuild manifest create` only."""

    url: Annotated[
        Text | None,
        Meta(
            description="URL of the payload; {file}, {version}, {from}, {component} and {digest} "
            "are filled in."
        ),
    ] = None
    file_path: Annotated[FilePath | None, Meta(description="The payload file.")] = None
    format: Annotated[PayloadFormat | None, Meta(description="What the payload file is.")] = None
    encrypted: Annotated[
        Encrypted | None, Meta(description="The encrypted form of the payload.")
    ] = None


class Delta(_Section, frozen=True):
    """How delta patches are made."""

    block_size: Annotated[
        int,
        Meta(
            ge=64,
            le=1 << 24,
            description="Bound on frames in bytes; a device needs two such buffers.",
        ),
    ] = 512
    threshold: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="A patch of this share of the new image, in per cent, is not worth it.",
        ),
    ] = 60
    effort: Annotated[
        Effort, Meta(description="How hard to look for a smaller patch; more takes more time.")
    ] = Effort.BALANCED
    time_limit: Annotated[
        Seconds | None,
        Meta(
            description="Seconds for each patch, then the smallest so far is taken. The patch "
            "then depends on the machine's speed.",
        ),
    ] = None


class PackagedImage(_Section, frozen=True):
    """One image of the combined package; without file-name it is the built image."""

    sub_comp_name: Annotated[Text, Meta(description="The sub-component that it is for.")]
    vendor_data: Annotated[Text, Meta(description="Handed to the sub-component's installer.")]
    file_name: Annotated[
        FilePath | None, Meta(description="The image; the one just built when absent.")
    ] = None


class Package(_Section, frozen=True):
    """The combined package of several images."""

    images: Annotated[tuple[PackagedImage, ...], Meta(min_length=2, max_length=255)]
    component: Annotated[
        Text | None, Meta(description="Component that the package updates, if not `component`.")
    ] = None


class Layout(_Section, frozen=True):
    """Flash layout of a device with a bootloader; a build then makes a factory image too."""

    bootloader: Annotated[FilePath, Meta(description="Bootloader, a flat binary, at offset 0.")]
    application_offset: Annotated[
        Offset, Meta(description="Where the application begins, in bytes.")
    ]
    header: Annotated[
        FilePath | None, Meta(description="Firmware header to put before the application.")
    ] = None
    header_offset: Annotated[
        Offset | None, Meta(description="Where the header begins, in bytes.")
    ] = None
    flash_start: Annotated[
        Address | None,
        Meta(description="Address of offset 0; the ELF file must then be linked accordingly."),
    ] = None
    fill: Annotated[int, Meta(ge=0, le=255, description="Byte between the parts.")] = 0xFF


class Release(_Section, frozen=True):
    """A release that is still in the field and gets a delta."""

    version: Annotated[VersionText, Meta(description="Its version.")]
    image: Annotated[FilePath, Meta(description="Its image, exactly as installed.")]
    delta: Annotated[
        bool, Meta(description="Whether it gets a delta; false for the full image alone.")
    ] = True
    elf: Annotated[
        FilePath | None,
        Meta(description="Its linked ELF file; symbols help with a smaller delta."),
    ] = None


class SuitText(_Section, frozen=True):
    """Texts for people in SUIT manifests; domain, model and version of the build are filled in."""

    language: Annotated[Text, Meta(description="Their language tag.")] = "en"
    manifest_description: Annotated[Text | None, Meta(description="What the manifest is.")] = None
    update_description: Annotated[Text | None, Meta(description="What the update brings.")] = None
    vendor_name: Annotated[Text | None, Meta(description="Name of the vendor.")] = None
    vendor_domain: Annotated[
        Text | None, Meta(description="Domain of the vendor, if not `vendor.domain`.")
    ] = None
    model_name: Annotated[
        Text | None, Meta(description="Name of the model, if not `device.model-name`.")
    ] = None
    model_info: Annotated[Text | None, Meta(description="More about the model.")] = None
    component_description: Annotated[Text | None, Meta(description="What the image is.")] = None
    component_version: Annotated[
        Text | None, Meta(description="Version of the image, if not that of the build.")
    ] = None
    version_required: Annotated[
        Text | None, Meta(description="Version that the device must have before.")
    ] = None


class SuitComponent(_Section, frozen=True):
    """Another image of SUIT manifests, beside the one of the build."""

    component_id: Annotated[ComponentId, Meta(description="Where it is installed.")]
    file: Annotated[FilePath, Meta(description="The image.")]
    uri: Annotated[
        Text | None,
        Meta(
            description="Where devices download it; the same names are filled in. By default "
            "`payload.url`."
        ),
    ] = None
    download_id: Annotated[
        ComponentId | None,
        Meta(description="Where the download is put before it is installed."),
    ] = None
    load_id: Annotated[
        ComponentId | None, Meta(description="Where it is copied to at every start.")
    ] = None
    bootable: Annotated[bool, Meta(description="Whether it is started.")] = False


class Suit(_Section, frozen=True):
    """SUIT manifests, for the format `suit`. The image of the build is one component."""

    profile: Annotated[
        Profile,
        Meta(description="Wire format: `current`, or `draft-09` as `suit-tool` wrote it."),
    ] = Profile.CURRENT
    sequence_number: Annotated[
        SequenceNumber | None,
        Meta(
            description="Devices take higher numbers only. By default it is made of the version: "
            "1.2.3 gives 1002003."
        ),
    ] = None
    component_id: Annotated[
        ComponentId,
        Meta(description="Where the image is installed; hexadecimal, base64 or else text."),
    ] = ("00",)
    download_id: Annotated[
        ComponentId | None,
        Meta(description="Where the download is put before it is installed."),
    ] = None
    load_id: Annotated[
        ComponentId | None, Meta(description="Where the image is copied to at every start.")
    ] = None
    bootable: Annotated[bool, Meta(description="Whether the image is started.")] = True
    uri: Annotated[
        Text | None,
        Meta(description="Where devices download the image, if not `payload.url`."),
    ] = None
    integrate: Annotated[
        bool, Meta(description="Put the images into the manifest; nothing is downloaded then.")
    ] = False
    severable: Annotated[
        bool, Meta(description="Let what only the installation needs be removed afterwards.")
    ] = False
    reference_uri: Annotated[
        Text | None, Meta(description="Where devices find the whole manifest.")
    ] = None
    algorithm: Annotated[
        CoseAlgorithm | None,
        Meta(description="Signature algorithm, if not the usual one of key and profile."),
    ] = None
    key_id: Annotated[Text | None, Meta(description="Hint for the device at which key signed.")] = (
        None
    )
    text: Annotated[SuitText | None, Meta(description="Texts for people.")] = None
    components: Annotated[
        tuple[SuitComponent, ...], Meta(max_length=255, description="Further images.")
    ] = ()


class DeltaChoice(_Section, frozen=True):
    """Which releases of the store get a delta: those that meet every condition given here.

    The word ``all`` in place of conditions stands for every release.
    """

    last: Annotated[
        Annotated[int, Meta(ge=0, le=100_000)] | None,
        Meta(description="One of so many newest releases."),
    ] = None
    since: Annotated[
        VersionText | None,
        Meta(description="This version or a later one."),
    ] = msgspec.field(default=None, name="from")
    until: Annotated[VersionText | None, Meta(description="This version or an earlier one.")] = (
        msgspec.field(default=None, name="to")
    )
    min_share: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None,
        Meta(description="So many per cent of the devices have it; needs `shares`."),
    ] = None
    shares: Annotated[
        FilePath | None,
        Meta(description="CSV with columns `version` and `share` (per cent) or `devices`."),
    ] = None


class AllReleases(enum.Enum):
    """The choice of every release."""

    ALL = "all"


class ReleaseStore(_Section, frozen=True):
    """The releases in the field, taken from a store; in place of a list of releases."""

    store: Annotated[
        Text, Meta(description="Folder of the store, or its URL as fsspec writes it: `s3://...`.")
    ]
    deltas: Annotated[
        AllReleases | DeltaChoice,
        Meta(description="Which of them get a delta: `all`, or conditions."),
    ] = AllReleases.ALL
    mirror: Annotated[
        FilePath | None,
        Meta(
            description="Folder for the copy of a store at a URL; `.fotabuild/releases` beside "
            "this file if absent. `fotabuild release pull` brings it up to date."
        ),
    ] = None


class Publish(_Section, frozen=True):
    """Where finished artifacts go; give at most one of service and storage."""

    destination: Annotated[
        FilePath | None,
        Meta(description="Folder for artifacts; `update` beside this file if absent."),
    ] = None
    service: Annotated[
        ServiceUrl | None,
        Meta(
            description="Device Management, or a local update server, that `fotabuild upload` runs "
            "campaigns on; `https:`, or `http:` on this machine."
        ),
    ] = None
    access_key: Annotated[
        KeyPlace | None,
        Meta(
            description="Where the service's access key is: `env:NAME`, `file:PATH` or `fd:N`; "
            "the variable `FOTABUILD_ACCESS_KEY` if absent."
        ),
    ] = None
    storage: Annotated[
        KeyUri | None,
        Meta(
            description="Folder or storage URL, such as `s3://bucket/folder`, that `fotabuild "
            "upload` copies the artifacts to."
        ),
    ] = None
    journal: Annotated[
        FilePath | None,
        Meta(
            description="Folder for the journals of unfinished uploads; by default one of the "
            "user's, outside the project."
        ),
    ] = None


class ReportSection(_Section, frozen=True):
    """The report on the artifacts of a build."""

    write: Annotated[bool, Meta(description="Whether every build ends with a report.")] = False
    link_speed: Annotated[
        int,
        Meta(ge=1, le=10**12, description="Bits per second of the devices' link."),
    ] = 100_000


class Project(_Section, frozen=True):
    """fotabuild.yaml: what a firmware project is, declared once."""

    vendor: Vendor
    device: DeviceClass
    component: Annotated[Text, Meta(description="Component that the firmware is.")] = "MAIN"
    priority: Annotated[
        int, Meta(ge=0, description="Update priority, handed to the application on the device.")
    ] = 0
    sign_image: Annotated[
        bool, Meta(description="Also sign the installed image, for bootloaders that ask for it.")
    ] = False
    credentials: Credentials = Credentials()
    payload: Payload = Payload()
    formats: Annotated[
        tuple[ManifestFormat, ...], Meta(min_length=1, description="Manifests to make.")
    ] = (ManifestFormat.V3,)
    delta: Delta = Delta()
    package: Package | None = None
    suit: Suit = Suit()
    layout: Layout | None = None
    releases: Annotated[
        Annotated[tuple[Release, ...], Meta(max_length=1000)] | ReleaseStore,
        Meta(description="Releases in the field: a list, or a store."),
    ] = ()
    publish: Publish = Publish()
    report: ReportSection = ReportSection()
