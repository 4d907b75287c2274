"""What the pages show, read from the database."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fotabuild.server.campaign_devices import count_devices
from fotabuild.server.clock import SECOND
from fotabuild.server.events import Summary, describe
from fotabuild.server.images import stored_checksum
from fotabuild.server.manifest_facts import ManifestFacts, read_manifest
from fotabuild.server.manifests import image_of, warnings_of
from fotabuild.server.payload_names import file_path
from fotabuild.server.service import Service

#: Rows of a page; more are left out, and the page says so.
ROWS = 200
#: Devices that a campaign's page lists, those that need a look first.
DEVICE_ROWS = 500


@dataclass(frozen=True)
class Bar:
    """One colour of a progress bar, in percent of its width."""

    kind: str
    start: float
    width: float


@dataclass(frozen=True)
class CampaignLine:
    """A campaign with its numbers."""

    row: sqlite3.Row
    counts: Mapping[Summary, int]
    running: bool

    @property
    def total(self) -> int:
        """Devices in it."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Devices that are done, well or not."""
        return self.total - self.counts[Summary.INFO]

    @property
    def bars(self) -> Sequence[Bar]:
        """What a progress bar shows, from left to right."""
        bars, start = [], 0.0
        for kind in (Summary.SUCCESS, Summary.SKIPPED, Summary.FAIL):
            width = 100 * self.counts[kind] / self.total if self.total else 0.0
            bars.append(Bar(kind.value, round(start, 3), round(width, 3)))
            start += width
        return bars

    def count(self, name: str) -> int:
        """Return one of the numbers."""
        return self.counts[Summary(name)]


@dataclass(frozen=True)
class ManifestLine:
    """A manifest with what it says."""

    row: sqlite3.Row
    facts: ManifestFacts
    path: str
    warnings: Sequence[str]
    image: sqlite3.Row | None


@dataclass(frozen=True)
class ImageLine:
    """An image with where it is."""

    row: sqlite3.Row
    path: str
    size: int
    checksum: str
    downloads: int


@dataclass(frozen=True)
class DeviceResult:
    """A device in a campaign."""

    row: sqlite3.Row
    description: str
    version: str


def campaigns(connection: sqlite3.Connection, rows: int = ROWS) -> list[CampaignLine]:
    """Return the newest campaigns."""
    found = connection.execute("SELECT * FROM campaigns ORDER BY id DESC LIMIT ?", (rows,))
    return [campaign_line(connection, row) for row in found.fetchall()]


def campaign_line(connection: sqlite3.Connection, row: sqlite3.Row) -> CampaignLine:
    """Return a campaign with its numbers."""
    running = row["phase"] in ("timed", "awaiting_approval", "starting", "active", "stopping")
    return CampaignLine(row, count_devices(connection, row["id"]), running)


def results(connection: sqlite3.Connection, campaign_id: str) -> list[DeviceResult]:
    """Return the devices of a campaign: failures, then those that wait, then the rest."""
    rows = connection.execute(
        "SELECT d.*, v.firmware_version FROM campaign_devices d LEFT JOIN devices v"
        " ON v.id = d.device_id WHERE d.campaign_id = ? ORDER BY CASE d.summary"
        " WHEN 'fail' THEN 0 WHEN 'info' THEN 1 WHEN 'skipped' THEN 2 ELSE 3 END, d.endpoint_name"
        " LIMIT ?",
        (campaign_id, DEVICE_ROWS),
    )
    return [
        DeviceResult(row, describe(row["event"]), row["firmware_version"] or "") for row in rows
    ]


def images(connection: sqlite3.Connection, service: Service) -> list[ImageLine]:
    """Return the newest images."""
    rows = connection.execute("SELECT * FROM images ORDER BY id DESC LIMIT ?", (ROWS,))
    return [image_line(service, row) for row in rows]


def image_line(service: Service, row: sqlite3.Row) -> ImageLine:
    """Return an image with where it is."""
    size = row["size"] if row["encrypted_size"] is None else row["encrypted_size"]
    path = file_path(row["token"], row["file_name"])
    return ImageLine(row, path, size, stored_checksum(row), service.downloads[row["token"]])


def manifests(connection: sqlite3.Connection, service: Service) -> list[ManifestLine]:
    """Return the newest manifests."""
    rows = connection.execute("SELECT * FROM manifests ORDER BY id DESC LIMIT ?", (ROWS,))
    return [manifest_line(connection, service, row) for row in rows.fetchall()]


def manifest_line(
    connection: sqlite3.Connection, service: Service, row: sqlite3.Row
) -> ManifestLine:
    """Return a manifest with what it says."""
    facts = read_manifest(row["data"])
    path = file_path(row["token"], row["file_name"])
    warnings = warnings_of(connection, service, facts)
    return ManifestLine(row, facts, path, warnings, image_of(connection, facts))


def devices(connection: sqlite3.Connection) -> list[sqlite3.Row]:
    """Return the devices by name."""
    return connection.execute(
        "SELECT * FROM devices ORDER BY endpoint_name LIMIT ?", (ROWS,)
    ).fetchall()


def totals(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many there are of each kind."""
    names = ("images", "manifests", "campaigns", "devices")
    return {
        name: connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0]  # noqa: S608
        for name in names
    }


def show_time(microseconds: int | None) -> str:
    """Return a time for people, in UTC."""
    if microseconds is None:
        return ""
    moment = datetime.datetime.fromtimestamp(microseconds // SECOND, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def show_size(size: int) -> str:
    """Return a number of bytes for people."""
    if size < 10_000:
        return f"{size} B"
    if size < 10_000_000:
        return f"{size / 1024:.1f} KiB"
    return f"{size / 1024 / 1024:.1f} MiB"
