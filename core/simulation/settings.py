"""What a simulated device is, and what it has installed: the two small files in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from fotabuild.device.profile import DeviceFeature, DeviceLimits, DeviceProfile, UpdateClient
from fotabuild.errors import FormatError
from fotabuild.files.reading import read_file
from fotabuild.formats.identity import Identity, parse_uuid

_SIZE_LIMIT = 64 * 1024
_Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Version = Annotated[str, Meta(pattern=r"^([0-9]{1,3}(\.[0-9]{1,3}){2}|[0-9]{1,19})$")]
#: Names that a URL, a table and a file name can take.
ENDPOINT_PATTERN = "^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$"


class _Record(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """Base of the records: immutable, unknown names refused."""


class DeviceSettings(_Record, frozen=True):
    """Fixed at the factory.

    Attributes:
        endpoint_name: what the server calls the device.
        vendor_id: 32 hexadecimal digits.
        class_id: 32 hexadecimal digits.
        component: the component that its image is.
        features: what its update client can do.
        limits: what its update client can hold.
        schemas: of the manifests that its update client reads; the older client reads v1 only.
        client: its update client, where it matters.
    """

    endpoint_name: Annotated[str, Meta(pattern=ENDPOINT_PATTERN)]
    vendor_id: _Hex32
    class_id: _Hex32
    component: Annotated[str, Meta(min_length=1, max_length=64)] = "MAIN"
    features: tuple[DeviceFeature, ...] = (DeviceFeature.DELTA,)
    limits: DeviceLimits = DeviceLimits()
    schemas: tuple[Literal[1, 3], ...] = (3,)
    client: UpdateClient | None = None

    @property
    def identity(self) -> Identity:
        """Vendor and class id."""
        return Identity(parse_uuid(self.vendor_id), parse_uuid(self.class_id))

    @property
    def profile(self) -> DeviceProfile:
        """Features and limits."""
        return DeviceProfile(
            features=frozenset(self.features), limits=self.limits, client=self.client
        )


class PendingReport(_Record, frozen=True):
    """A result that the server does not know yet.

    Attributes:
        campaign: the campaign it belongs to.
        event: the event code.
    """

    campaign: str
    event: str


class DeviceState(_Record, frozen=True):
    """What is installed. Replacing the file that holds this is what installs an image.

    Attributes:
        version: version of the installed image: semantic, or the number of a v1 manifest.
        digest: its SHA-256; its file has this name.
        size: its size in bytes.
        pending: the result to report, kept with the installation so that neither is lost.
    """

    version: _Version
    digest: _Digest
    size: Annotated[int, Meta(ge=1)]
    pending: PendingReport | None = None


class Credentials(_Record, frozen=True):
    """What the server gave at registration.

    Attributes:
        server: the server that gave it.
        id: the device's id there.
        token: the secret; never printed.
    """

    server: str
    id: _Hex32
    token: Annotated[str, Meta(pattern="^[!-~]{1,1024}$")]

    def __repr__(self) -> str:
        return f"Credentials(server={self.server!r}, id={self.id!r})"


_Kind = TypeVar("_Kind", bound=_Record)


def encode(record: _Record) -> bytes:
    """Return a record as JSON for a file."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def read_record(path: Path, kind: type[_Kind], what: str) -> _Kind:
    """Read a record.

    Raises:
        FileError: the file cannot be read.
        FormatError: it does not hold such a record.
    """
    data = read_file(path, _SIZE_LIMIT, what)
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise FormatError(
            f"this is no {what}: {error}", file=path, remedy="make the device again"
        ) from None
