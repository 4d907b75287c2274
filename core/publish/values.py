"""What the service tells, as values. Unknown fields are skipped, missing ones are None."""

from __future__ import annotations

import enum
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from fotabuild.errors import AnswerError

#: Goes into paths of requests, so that its alphabet matters.
Id = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{1,64}\Z")]
Text = Annotated[str, Meta(max_length=8192)]
Size = Annotated[int, Meta(ge=0)]


class Kind(enum.Enum):
    """Objects that a run makes on a service, in the order in which they are made."""

    JOB = "upload-job"
    IMAGE = "image"
    MANIFEST = "manifest"
    CAMPAIGN = "campaign"

    @property
    def path(self) -> str:
        """The path of its collection."""
        return _PATHS[self]


_PATHS = {
    Kind.JOB: "/v3/firmware-images/upload-jobs",
    Kind.IMAGE: "/v3/firmware-images",
    Kind.MANIFEST: "/v3/firmware-manifests",
    Kind.CAMPAIGN: "/v3/update-campaigns",
}


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """An object of any kind."""

    id: Id
    name: Text | None = None


class Image(Named, frozen=True):
    """A firmware image (section 1.3)."""

    datafile: Text | None = None
    short_datafile: Text | None = None
    datafile_checksum: Text | None = None
    datafile_size: Size | None = None
    datafile_encryption: bool | None = None
    encrypted_datafile_checksum: Text | None = None
    encrypted_datafile_size: Size | None = None


class Job(Named, frozen=True):
    """An upload job (section 1.4). One edition of the description spells ``completed``."""

    status: Text | None = None
    complete: bool | None = None
    completed: bool | None = None
    firmware_image_id: Text | None = None


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk that a job has received."""

    length: Size
    hash: Text | None = None


class Manifest(Named, frozen=True):
    """A firmware manifest (section 1.6)."""

    datafile_size: Size | None = None


class Campaign(Named, frozen=True):
    """An update campaign (section 1.7)."""

    phase: Text | None = None
    state: Text | None = None
    autostop_reason: Text | None = None
    approval_required: bool | None = None
    when: Text | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How many devices are in one of the four groups."""

    id: Text | None = None
    summary_status: Text | None = None
    count: Size | None = None


class EventType(msgspec.Struct, frozen=True, kw_only=True):
    """What devices reported, and how many of them."""

    id: Text | None = None
    event_type: Text | None = None
    description: Text | None = None
    count: Size | None = None


class DeviceRecord(Named, frozen=True):
    """One device of a campaign (section 1.9)."""

    device_id: Text | None = None
    deployment_state: Text | None = None


class Device(Named, frozen=True):
    """A device of the account."""

    endpoint_name: Text | None = None
    state: Text | None = None
    firmware_checksum: Text | None = None
    updated_at: Text | None = None


_Item = TypeVar("_Item")


class Page(msgspec.Struct, Generic[_Item], frozen=True, kw_only=True):
    """A page of a list."""

    data: tuple[_Item, ...]
    has_more: bool | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One field that did not validate."""

    name: Text | None = None
    message: Text | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an error."""

    message: Text | None = None
    request_id: Text | None = None
    fields: tuple[Problem, ...] | None = None


def decode(data: bytes, kind: type[_Item]) -> _Item:
    """Read JSON.

    Raises:
        AnswerError: no JSON, nested too deeply, or without what is needed.
    """
    try:
        return msgspec.json.decode(data, type=kind, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AnswerError(f"not what the service promises: {error}") from None
    except RecursionError:
        raise AnswerError("not what the service promises: nested too deeply") from None
