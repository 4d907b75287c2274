"""The operations of Device Management that a publisher needs, as typed calls."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from fotabuild.errors import ServiceError
from fotabuild.publish.bodies import FileSlice, Multipart, Progress
from fotabuild.publish.calls import Caller
from fotabuild.publish.transport import Request
from fotabuild.publish.values import (
    Campaign,
    Chunk,
    Device,
    DeviceRecord,
    EventType,
    Image,
    Job,
    Kind,
    Manifest,
    Named,
    Page,
    Summary,
)

_Made = TypeVar("_Made", bound=Named)
_JSON = {"Content-Type": "application/json"}
_TYPES: dict[Kind, type[Named]] = {
    Kind.JOB: Job,
    Kind.IMAGE: Image,
    Kind.MANIFEST: Manifest,
    Kind.CAMPAIGN: Campaign,
}


@dataclass(frozen=True)
class CampaignRequest:
    """What a campaign is to be (device-management-api, section 1.7)."""

    name: str
    manifest_id: str
    device_filter: str
    description: str = ""
    approval: bool = False
    start_at: str | None = None


class Service:
    """One service.

    Args:
        caller: makes the calls.
        on_doubt: hears of a kind and a name of which there may now be several objects.
    """

    def __init__(
        self, caller: Caller, on_doubt: Callable[[Kind, str], None] = lambda *_: None
    ) -> None:
        self.caller = caller
        self.on_doubt = on_doubt

    def close(self) -> None:
        """Close the connection."""
        self.caller.close()

    def check_key(self) -> None:
        """Ask who we are, before anything is built or sent.

        Raises:
            ServiceError: unreachable, or the key is not accepted. Services that do not know the
                question answer 403 or 404, which says nothing about the key.
        """
        try:
            self.caller.get("/v3/api-keys/me", Named)
        except ServiceError as error:
            unknown = error.status in (400, 403, 404, 405)
            odd = error.status is None and error.code == "FB0903"
            if not (unknown or odd):
                raise

    def find(self, kind: Kind, name: str) -> list[Named]:
        """Return what has a name; names are unique to a run."""
        query = {"filter": f"name__eq={quote(name, safe='')}"}
        found = self.caller.every(kind.path, _TYPES[kind], query)
        # A service that does not know the filter lists everything.
        return [item for item in found if item.name == name]

    def is_listed(self, kind: Kind, identifier: str, name: str) -> bool:
        """Return whether the list has an object; False where the service lists nothing."""
        try:
            return any(item.id == identifier for item in self.find(kind, name))
        except ServiceError as error:
            if error.status in (400, 403, 405):
                return False
            raise

    def is_gone(self, kind: Kind, identifier: str, name: str) -> bool:
        """Return whether an object surely does not exist: a gateway may answer 404 as well.

        Raises:
            ServiceError: nobody can say.
        """
        for number in range(self.caller.pacing.looks):
            if number:
                self.caller.clock.sleep(self.caller.pacing.poll_after_change)
            try:
                self.caller.get(f"{kind.path}/{identifier}", msgspec.Raw)
                return False
            except ServiceError as error:
                if error.status != 404:
                    raise
        return not self.is_listed(kind, identifier, name)

    def delete(self, kind: Kind, identifier: str) -> bool:
        """Delete an object; return False when there was none, as far as the answer goes."""
        return self.caller.delete(f"{kind.path}/{identifier}")

    def upload_image(
        self, name: str, payload: Path, size: int, *, encrypt: bool, progress: Progress | None
    ) -> Image:
        """Send an image in one request (section 1.3)."""
        fields = [("name", name)]
        if encrypt:
            fields.append(("datafile_encryption", "True"))
        request = Request(
            "POST",
            Kind.IMAGE.path,
            body=lambda: Multipart(fields, "payload.bin", FileSlice(payload, 0, size, progress)),
            upload=True,
        )
        return self._create(request, Image, Kind.IMAGE, name)

    def image(self, identifier: str) -> Image:
        """Return an image."""
        return self.caller.get(f"{Kind.IMAGE.path}/{identifier}", Image)

    def create_job(self, name: str, *, encrypt: bool) -> Job:
        """Begin an upload in pieces (section 1.4)."""
        request = _post(Kind.JOB.path, {"name": name, "datafile_encryption": encrypt})
        return self._create(request, Job, Kind.JOB, name)

    def job(self, identifier: str) -> Job:
        """Return an upload job."""
        return self.caller.get(f"{Kind.JOB.path}/{identifier}", Job)

    def chunks(self, identifier: str) -> list[Chunk]:
        """Return the chunks that a job has received, in order."""
        items = self.caller.get(
            f"{Kind.JOB.path}/{identifier}/chunks", Page[Chunk], {"limit": "1000"}
        )
        return list(items.data)

    def send_chunk(self, identifier: str, data: bytes) -> None:
        """Append a chunk; an empty one completes the job. Asks once: chunks have no place."""
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        headers = {
            "Content-Type": "binary/octet-stream",
            "Content-MD5": base64.b64encode(digest).decode(),
        }
        self.caller.once(
            Request(
                "POST",
                f"{Kind.JOB.path}/{identifier}/chunks",
                body=(lambda: data) if data else None,
                headers=headers,
                upload=True,
            )
        )

    def create_manifest(self, name: str, data: bytes) -> Manifest:
        """Send a manifest (section 1.6)."""
        request = Request(
            "POST",
            Kind.MANIFEST.path,
            body=lambda: Multipart([("name", name)], "manifest.der", data),
            upload=True,
        )
        return self._create(request, Manifest, Kind.MANIFEST, name)

    def create_campaign(self, wanted: CampaignRequest) -> Campaign:
        """Make a campaign, in draft."""
        values: dict[str, Any] = {
            "campaign_strategy": "one-shot",
            "description": wanted.description,
            "device_filter": wanted.device_filter,
            "name": wanted.name,
            "root_manifest_id": wanted.manifest_id,
        }
        if wanted.approval:
            values["approval_required"] = True
        if wanted.start_at is not None:
            values["when"] = wanted.start_at
        request = _post(Kind.CAMPAIGN.path, values)
        return self._create(request, Campaign, Kind.CAMPAIGN, wanted.name)

    def campaign(self, identifier: str) -> Campaign:
        """Return a campaign; asks until there is an answer."""
        return self.caller.get(f"{Kind.CAMPAIGN.path}/{identifier}", Campaign)

    def look(self, identifier: str) -> Campaign:
        """Return a campaign; asks once."""
        return self.caller.get_once(f"{Kind.CAMPAIGN.path}/{identifier}", Campaign)

    def order(self, identifier: str, verb: str) -> None:
        """``start`` or ``stop`` a campaign; asks once."""
        self.caller.once(Request("POST", f"{Kind.CAMPAIGN.path}/{identifier}/{verb}"))

    def summaries(self, identifier: str, *, once: bool = False) -> tuple[Summary, ...]:
        """Return how many devices are in which group (section 1.9)."""
        path = f"{Kind.CAMPAIGN.path}/{identifier}/statistics"
        get = self.caller.get_once if once else self.caller.get
        return get(path, Page[Summary]).data

    def events(self, identifier: str, summary: str) -> tuple[EventType, ...]:
        """Return what the devices of a group reported."""
        path = f"{Kind.CAMPAIGN.path}/{identifier}/statistics/{summary}/event_types"
        return self.caller.get(path, Page[EventType]).data

    def device_records(self, identifier: str) -> Iterator[DeviceRecord]:
        """Yield the devices of a campaign."""
        path = f"{Kind.CAMPAIGN.path}/{identifier}/campaign-device-metadata"
        return self.caller.every(path, DeviceRecord)

    def devices(self, device_filter: str) -> Iterator[Device]:
        """Yield the devices of the account that match."""
        return self.caller.every("/v3/devices", Device, {"filter": device_filter})

    def _create(self, request: Request, kind: type[_Made], what: Kind, name: str) -> _Made:
        return self.caller.create(
            request,
            kind,
            find=lambda: [item for item in self.find(what, name) if isinstance(item, kind)],
            on_doubt=lambda: self.on_doubt(what, name),
        )


def _post(path: str, values: dict[str, Any]) -> Request:
    data = json.dumps(values, sort_keys=True).encode()
    return Request("POST", path, body=lambda: data, headers=_JSON)
