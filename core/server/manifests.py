"""Firmware manifests (device-management-api, section 1.6)."""

from __future__ import annotations

import sqlite3
from typing import Any

from fotabuild.errors import FormatError
from fotabuild.server.clock import SECOND, to_text
from fotabuild.server.filters import FieldKind, FilterField, text_fields, time_fields
from fotabuild.server.identifiers import new_id
from fotabuild.server.images import stamps, stored_checksum
from fotabuild.server.lists import find, require_room
from fotabuild.server.manifest_facts import ManifestFacts, read_manifest
from fotabuild.server.payload_names import file_path, new_file_token, safe_name
from fotabuild.server.refusal import Refusal
from fotabuild.server.service import Service

FIELDS = {
    **text_fields("id", "name", "description"),
    "device_class": FilterField(FieldKind.UUID, "device_class"),
    "device_vendor": FilterField(FieldKind.UUID, "device_vendor"),
    **time_fields("created_at", "updated_at"),
}


def check_manifest(data: bytes) -> ManifestFacts:
    """Read an uploaded manifest.

    Raises:
        Refusal: 400, devices would not understand it.
    """
    try:
        return read_manifest(data)
    except FormatError as error:
        raise Refusal(
            400, f"the manifest cannot be read: {error}", fields=[("datafile", str(error))]
        ) from None


def add_manifest(
    connection: sqlite3.Connection,
    service: Service,
    *,
    name: str,
    description: str,
    file_name: str,
    data: bytes,
    facts: ManifestFacts,
) -> sqlite3.Row:
    """Keep a manifest.

    Raises:
        Refusal: 403, this server holds as many as it may.
    """
    require_room(connection, "manifests", service.limits.manifests, "manifests")
    identifier, now = new_id(), service.clock.now()
    connection.execute(
        "INSERT INTO manifests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            identifier,
            name,
            description,
            new_file_token(),
            safe_name(file_name),
            data,
            facts.class_id.hex,
            facts.vendor_id.hex,
            now,
            now,
        ),
    )
    return find(connection, "manifests", identifier, "firmware manifest")


def delete_manifest(connection: sqlite3.Connection, service: Service, identifier: str) -> None:
    """Forget a manifest.

    Raises:
        Refusal: 404; or 409, a running campaign uses it and the server keeps those.
    """
    find(connection, "manifests", identifier, "firmware manifest")
    used = connection.execute(
        "SELECT 1 FROM campaigns WHERE root_manifest_id = ? AND phase IN ('starting', 'active')",
        (identifier,),
    ).fetchone()
    if used and service.settings.keep_used:
        raise Refusal(409, "a running campaign uses this manifest")
    connection.execute("DELETE FROM manifests WHERE id = ?", (identifier,))


def image_of(connection: sqlite3.Connection, facts: ManifestFacts) -> sqlite3.Row | None:
    """Return the image that a manifest speaks of: what devices download has its digest."""
    column = "encrypted_checksum" if facts.payload_format.encrypted else "checksum"
    sql = f"SELECT * FROM images WHERE {column} = ? ORDER BY id DESC LIMIT 1"  # noqa: S608
    row: sqlite3.Row | None = connection.execute(sql, (facts.payload_digest,)).fetchone()
    return row


def warnings_of(
    connection: sqlite3.Connection, service: Service, facts: ManifestFacts
) -> list[str]:
    """Say what is odd about a manifest; the real service cannot know, so it is accepted."""
    image = image_of(connection, facts)
    if image is None:
        return ["no image on this server has the digest that the manifest gives"]
    warnings = []
    size = image["size"] if stored_checksum(image) == image["checksum"] else image["encrypted_size"]
    if size != facts.payload_size:
        warnings.append(f"the manifest says {facts.payload_size} bytes, the image has {size}")
    rows = connection.execute(
        "SELECT token, file_name FROM images WHERE checksum = ? OR encrypted_checksum = ?",
        (facts.payload_digest, facts.payload_digest),
    )
    paths = [file_path(row["token"], row["file_name"]) for row in rows]
    if facts.payload_uri not in [*paths, *map(service.url, paths)]:
        warnings.append("the URL in the manifest is not where this server keeps the image")
    if len(facts.payload_uri.encode()) > 255:
        warnings.append("the URL in the manifest is longer than the 255 bytes that devices take")
    return warnings


def manifest_view(
    connection: sqlite3.Connection, service: Service, row: sqlite3.Row
) -> dict[str, Any]:
    """Return the JSON object of a manifest."""
    facts = read_manifest(row["data"])
    timestamp = None if facts.timestamp is None else to_text(facts.timestamp * SECOND)
    return {
        "object": "firmware-manifest",
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "datafile": service.url(file_path(row["token"], row["file_name"])),
        "datafile_size": len(row["data"]),
        "timestamp": timestamp,
        "device_class": str(facts.class_id),
        "device_vendor": str(facts.vendor_id),
        "manifest_schema_version": str(facts.schema),
        "delivered_payload_url": facts.payload_uri,
        "delivered_payload_digest": facts.payload_digest,
        "delivered_payload_size": facts.payload_size,
        "delivered_payload_type": facts.kind,
        "precursor_payload_digest": facts.precursor_digest,
        "update_priority": facts.priority,
        "key_table_url": None,
        "warnings": warnings_of(connection, service, facts),
        **stamps(row),
    }
