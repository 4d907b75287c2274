"""``/files/<random>/<name>``: payloads and manifests for whoever knows the random part.

Bytes come from memory where devices ask for the same payload at the same time: pieces are read in
another thread, once, and handed to all of them.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from fotabuild.server.endpoints import Call, route
from fotabuild.server.etags import matches
from fotabuild.server.images import stored_checksum
from fotabuild.server.ranges import ByteRange, UnsatisfiableError, parse_range
from fotabuild.server.refusal import Refusal, not_found

_PIECE = 128 * 1024
_CACHE_PIECES = 512


@dataclass(frozen=True)
class Payload:
    """A file that can be downloaded.

    Attributes:
        token: the random part of its URL.
        name: the rest of it.
        checksum: SHA-256 in hexadecimal.
        size: bytes.
        data: the content if it is short, else None.
    """

    token: str
    name: str
    checksum: str
    size: int
    data: bytes | None


class PieceCache:
    """Pieces of files that were read last; up to 64 MiB.

    A piece that is being read is waited for, not read twice.
    """

    def __init__(self) -> None:
        self._pieces: OrderedDict[tuple[str, int], asyncio.Future[bytes]] = OrderedDict()

    async def get(self, path: Path, number: int) -> bytes:
        """Return a piece of a file; the last one is shorter.

        Raises:
            OSError: the file is gone or cannot be read.
        """
        key = path.name, number
        future = self._pieces.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            # Its own task: the first one to ask may go away, the others still wait.
            future = loop.run_in_executor(None, _read_piece, path, number)
            self._pieces[key] = future
            if len(self._pieces) > _CACHE_PIECES:
                self._pieces.popitem(last=False)
        else:
            self._pieces.move_to_end(key)
        try:
            return future.result() if future.done() else await asyncio.shield(future)
        except OSError:
            self._pieces.pop(key, None)
            raise


def _read_piece(path: Path, number: int) -> bytes:
    with open(path, "rb") as stream:
        stream.seek(number * _PIECE)
        return stream.read(_PIECE)


class FileAnswer(Response):
    """Part of a file, in pieces.

    The client's connection sets the pace: uvicorn has ``send`` wait while its buffer is full.
    """

    def __init__(
        self,
        piece: Callable[[int], Awaitable[bytes]],
        part: ByteRange,
        status_code: int,
        headers: dict[str, str],
    ) -> None:
        super().__init__(None, status_code, headers)
        self._piece, self._part = piece, part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the part."""
        start, end = self._part.start, self._part.end
        # The first piece is read before the answer begins: an error can still be one.
        data = await self._piece(start // _PIECE)
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        while True:
            offset = start % _PIECE
            stop = min(start - offset + _PIECE, end)
            body = data[offset : offset + stop - start]
            await send({"type": "http.response.body", "body": body, "more_body": stop < end})
            start = stop
            if start >= end:
                return
            data = await self._piece(start // _PIECE)


class Files:
    """The routes of downloads."""

    def __init__(self) -> None:
        self._cache = PieceCache()

    async def download(self, call: Call) -> Response:
        """Send a file or a part of it."""
        params, service = call.request.path_params, call.service
        token = params["token"]
        payload = await service.database.read(lambda connection: _payload(connection, token))
        if payload is None or payload.name != params["name"]:
            raise not_found("file")
        etag = f'"{payload.checksum}"'
        headers = {
            "ETag": etag,
            "Accept-Ranges": "bytes",
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f'attachment; filename="{payload.name}"',
            "X-Content-Type-Options": "nosniff",
        }
        asked = call.request.headers
        if matches(asked.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        part, status = ByteRange(0, payload.size), 200
        if "range" in asked and asked.get("if-range", etag) == etag:
            try:
                wanted = parse_range(asked["range"], payload.size)
            except UnsatisfiableError:
                raise Refusal(
                    416,
                    f"the file has {payload.size} bytes",
                    headers={"Content-Range": f"bytes */{payload.size}"},
                ) from None
            if wanted is not None:
                part, status = wanted, 206
                headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{payload.size}"
        headers["Content-Length"] = str(part.end - part.start)
        if call.request.method == "HEAD" or part.end == part.start:
            return Response(status_code=status, headers=headers)
        if part.start == 0:
            service.downloads[payload.token] += 1
        if payload.data is not None:
            return Response(payload.data[part.start : part.end], status, headers)
        path = service.blobs.path(payload.checksum)
        return FileAnswer(lambda number: self._cache.get(path, number), part, status, headers)


def _payload(connection: sqlite3.Connection, token: str) -> Payload | None:
    row = connection.execute("SELECT * FROM images WHERE token = ?", (token,)).fetchone()
    if row is not None:
        size = row["size"] if row["encrypted_size"] is None else row["encrypted_size"]
        return Payload(token, row["file_name"], stored_checksum(row), size, None)
    row = connection.execute("SELECT * FROM manifests WHERE token = ?", (token,)).fetchone()
    if row is not None:
        data = row["data"]
        checksum = hashlib.sha256(data).hexdigest()
        return Payload(token, row["file_name"], checksum, len(data), data)
    return None


def routes() -> list[Route]:
    """Return the routes, with a cache of their own."""
    return [*route("/files/{token}/{name}", {"GET": Files().download}, access=False)][:1]
