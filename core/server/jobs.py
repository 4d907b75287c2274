"""Upload jobs: large images in chunks (device-management-api, section 1.4)."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from typing import Any

from fotabuild.server.blobs import BlobStore, Staged
from fotabuild.server.clock import to_text
from fotabuild.server.filters import text_fields, time_fields
from fotabuild.server.identifiers import new_id
from fotabuild.server.images import EncryptedForm, add_image, encrypt, stamps
from fotabuild.server.lists import find, require_room
from fotabuild.server.refusal import Refusal
from fotabuild.server.service import Service

FIELDS = {
    **text_fields("id", "name", "description", "status"),
    **time_fields("created_at", "updated_at"),
}
_KIND = "upload job"


def add_job(
    connection: sqlite3.Connection, service: Service, name: str, description: str, encrypted: bool
) -> sqlite3.Row:
    """Begin a job.

    Raises:
        Refusal: 409, the name is used; 403, too many jobs.
    """
    require_room(connection, "jobs", service.limits.jobs, "upload jobs")
    if connection.execute("SELECT 1 FROM jobs WHERE name = ?", (name,)).fetchone():
        raise Refusal(409, "there is an upload job with this name", fields=[("name", "used")])
    identifier, now = new_id(), service.clock.now()
    connection.execute(
        "INSERT INTO jobs VALUES (?, ?, ?, ?, 'in_progress', NULL, ?, ?)",
        (identifier, name, description, encrypted, now, now),
    )
    return find(connection, "jobs", identifier, _KIND)


def change_job(
    connection: sqlite3.Connection, service: Service, job_id: str, changes: dict[str, str]
) -> sqlite3.Row:
    """Change name and description.

    Raises:
        Refusal: 404; or 409, the name is used.
    """
    find(connection, "jobs", job_id, _KIND)
    for column in ("name", "description"):
        if column in changes:
            try:
                sql = f"UPDATE jobs SET {column} = ?, updated_at = ? WHERE id = ?"  # noqa: S608
                connection.execute(sql, (changes[column], service.clock.now(), job_id))
            except sqlite3.IntegrityError:
                raise Refusal(409, "there is an upload job with this name") from None
    return find(connection, "jobs", job_id, _KIND)


def require_open(connection: sqlite3.Connection, service: Service, job_id: str) -> None:
    """Check that a job takes a chunk.

    Raises:
        Refusal: 404; 400, it is complete or has failed; 413, too many chunks.
    """
    job = find(connection, "jobs", job_id, _KIND)
    if job["status"] != "in_progress":
        raise Refusal(400, f"the status of this upload job is {job['status']}")
    if len(chunks_of(connection, job_id)) >= service.limits.chunks:
        raise Refusal(413, f"an upload job has up to {service.limits.chunks} chunks")


def add_chunk(
    connection: sqlite3.Connection, service: Service, job_id: str, staged: Staged, md5: bytes
) -> dict[str, Any]:
    """Append a chunk.

    Raises:
        Refusal: as :func:`require_open`; 413, the whole is too large.
    """
    require_open(connection, service, job_id)
    chunks = chunks_of(connection, job_id)
    if sum(chunk["length"] for chunk in chunks) + staged.size > service.limits.job:
        raise Refusal(413, f"the image is larger than the limit of {service.limits.job} bytes")
    number, now = len(chunks) + 1, service.clock.now()
    if staged.size:
        service.blobs.adopt(staged)
    text = base64.b64encode(md5).decode()
    connection.execute(
        "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?)",
        (job_id, number, staged.size, text, staged.checksum, now),
    )
    row = connection.execute(
        "SELECT * FROM chunks WHERE job_id = ? AND number = ?", (job_id, number)
    ).fetchone()
    return chunk_view(row)


def chunks_of(connection: sqlite3.Connection, job_id: str) -> list[sqlite3.Row]:
    """Return the chunks of a job in their order."""
    sql = "SELECT * FROM chunks WHERE job_id = ? ORDER BY number"
    return connection.execute(sql, (job_id,)).fetchall()


async def finish_job(service: Service, job_id: str, last: Staged, md5: bytes) -> dict[str, Any]:
    """Make the image of a job: the empty chunk has arrived.

    The image is there when this returns; a client that looks only once finds it.

    Raises:
        Refusal: as :func:`add_chunk` and as :func:`add_image`.
    """
    job, chunks = await service.database.read(
        lambda c: (find(c, "jobs", job_id, _KIND), chunks_of(c, job_id))
    )
    problem = _problem(chunks, service.limits.chunk_min)
    if problem is not None:

        def fail(connection: sqlite3.Connection) -> dict[str, Any]:
            view = add_chunk(connection, service, job_id, last, md5)
            _end(connection, service, job_id, "failed", None)
            return view

        return await service.database.write(fail)
    pieces = _pieces(service.blobs, [chunk["checksum"] for chunk in chunks])
    encrypted: EncryptedForm | None = None
    with service.blobs.writer() as writer:
        kept: list[bytes] = []
        for piece in pieces:
            writer.collect(piece)
            if job["encrypt"]:
                kept.append(piece)
            await writer.flush()
        plain = await writer.finish()
        if job["encrypt"]:
            encrypted = await encrypt(service, kept, plain.size)
        try:

            def succeed(connection: sqlite3.Connection) -> dict[str, Any]:
                view = add_chunk(connection, service, job_id, last, md5)
                image = add_image(
                    connection,
                    service,
                    name=job["name"],
                    description=job["description"],
                    file_name=job["name"],
                    plain=plain,
                    encrypted=encrypted,
                )
                _end(connection, service, job_id, "success", image["id"])
                return view

            return await service.database.write(succeed)
        finally:
            if encrypted is not None:
                encrypted.staged.path.unlink(missing_ok=True)


def _problem(chunks: list[sqlite3.Row], smallest: int) -> str | None:
    if not chunks:
        return "there are no chunks"
    if any(chunk["length"] < smallest for chunk in chunks[:-1]):
        return "a chunk is too small"
    return None


def _end(
    connection: sqlite3.Connection, service: Service, job_id: str, status: str, image: str | None
) -> None:
    connection.execute(
        "UPDATE jobs SET status = ?, image_id = ?, updated_at = ? WHERE id = ?",
        (status, image, service.clock.now(), job_id),
    )


def _pieces(blobs: BlobStore, checksums: list[str]) -> Iterator[bytes]:
    for checksum in checksums:
        yield from blobs.pieces(checksum)


def delete_job(connection: sqlite3.Connection, service: Service, job_id: str) -> None:
    """Forget a job and its chunks; its image stays.

    Raises:
        Refusal: 404.
    """
    find(connection, "jobs", job_id, _KIND)
    checksums = [chunk["checksum"] for chunk in chunks_of(connection, job_id)]
    connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
    service.release(*checksums)


def job_view(row: sqlite3.Row) -> dict[str, Any]:
    """Return the JSON object of a job."""
    return {
        "object": "upload-job",
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "status": row["status"],
        "complete": row["status"] == "success",
        "firmware_image_id": row["image_id"],
        **stamps(row),
    }


def chunk_view(row: sqlite3.Row) -> dict[str, Any]:
    """Return the JSON object of a chunk."""
    created = to_text(row["created_at"])
    return {
        "object": "upload-info",
        "id": row["number"],
        "upload_job_id": row["job_id"],
        "length": row["length"],
        "hash": row["md5"],
        "etag": created,
        "created_at": created,
        "updated_at": created,
    }
