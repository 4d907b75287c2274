"""Firmware images (device-management-api, sections 1.3 and 1.5)."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fotabuild.server.blobs import Staged
from fotabuild.server.clock import to_text
from fotabuild.server.filters import text_fields, time_fields
from fotabuild.server.identifiers import new_id
from fotabuild.server.lists import find, require_room
from fotabuild.server.payload_names import file_path, new_file_token, safe_name
from fotabuild.server.refusal import Refusal
from fotabuild.server.service import Service

FIELDS = {
    **text_fields("id", "name", "description"),
    **text_fields("datafile_checksum"),
    **time_fields("created_at", "updated_at"),
}
#: The table with the name that the API has for its column.
TABLE = "(SELECT *, checksum AS datafile_checksum FROM images)"


@dataclass(frozen=True)
class EncryptedForm:
    """What devices download instead of the image.

    Attributes:
        staged: the encrypted file.
        key: the AES-128 key, used for this image only.
    """

    staged: Staged
    key: bytes


async def encrypt(service: Service, pieces: Iterable[bytes], size: int) -> EncryptedForm:
    """Encrypt an image under a new key (section 1.5). The caller removes what is not adopted.

    Raises:
        Refusal: larger than what this server encrypts.
    """
    from fotabuild.formats.encrypted_payload import KEY_SIZE, encrypt_payload

    if size > service.limits.encrypted:
        raise Refusal(413, f"this server encrypts up to {service.limits.encrypted} bytes")
    key = secrets.token_bytes(KEY_SIZE)

    def run() -> Staged:
        data = encrypt_payload(b"".join(pieces), key)
        writer = service.blobs.writer()
        try:
            writer.collect(data)
            return writer.finish_now()
        except BaseException:
            writer.__exit__(None, None, None)
            raise

    return EncryptedForm(await asyncio.to_thread(run), key)


def add_image(
    connection: sqlite3.Connection,
    service: Service,
    *,
    name: str,
    description: str,
    file_name: str,
    plain: Staged,
    encrypted: EncryptedForm | None,
) -> sqlite3.Row:
    """Keep an image.

    Raises:
        Refusal: 403, this server holds as many as it may.
    """
    require_room(connection, "images", service.limits.images, "images")
    service.blobs.adopt(plain if encrypted is None else encrypted.staged)
    identifier, now = new_id(), service.clock.now()
    connection.execute(
        "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            identifier,
            name,
            description,
            new_file_token(),
            safe_name(file_name),
            plain.checksum,
            plain.size,
            encrypted and encrypted.staged.checksum,
            encrypted and encrypted.staged.size,
            encrypted and encrypted.key,
            now,
            now,
        ),
    )
    return find(connection, "images", identifier, "firmware image")


def delete_image(connection: sqlite3.Connection, service: Service, identifier: str) -> None:
    """Forget an image.

    Raises:
        Refusal: 404; or 409, a running campaign uses it and the server keeps those.
    """
    row = find(connection, "images", identifier, "firmware image")
    if service.settings.keep_used and _is_delivered(connection, row):
        raise Refusal(409, "a running campaign uses this image")
    connection.execute("DELETE FROM images WHERE id = ?", (identifier,))
    service.release(stored_checksum(row))


def stored_checksum(row: sqlite3.Row) -> str:
    """Return the checksum of the file that devices download."""
    checksum: str = row["encrypted_checksum"] or row["checksum"]
    return checksum


def _is_delivered(connection: sqlite3.Connection, image: sqlite3.Row) -> bool:
    rows = connection.execute(
        "SELECT m.data FROM manifests m JOIN campaigns c ON c.root_manifest_id = m.id"
        " WHERE c.phase IN ('starting', 'active')"
    )
    digest = bytes.fromhex(stored_checksum(image))
    return any(digest in row["data"] for row in rows)


def image_view(service: Service, row: sqlite3.Row) -> dict[str, Any]:
    """Return the JSON object of an image."""
    path = file_path(row["token"], row["file_name"])
    view: dict[str, Any] = {
        "object": "firmware-image",
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "datafile": service.url(path),
        "short_datafile": path,
        "datafile_checksum": row["checksum"],
        "datafile_size": row["size"],
        "datafile_encryption": row["encrypted_checksum"] is not None,
        **stamps(row),
    }
    if row["encrypted_checksum"] is not None:
        view["encrypted_datafile_checksum"] = row["encrypted_checksum"]
        view["encrypted_datafile_size"] = row["encrypted_size"]
    return view


def stamps(row: sqlite3.Row) -> dict[str, Any]:
    """Return the times that every object carries, and the tag that changes with it."""
    updated = to_text(row["updated_at"])
    return {"etag": updated, "created_at": to_text(row["created_at"]), "updated_at": updated}
