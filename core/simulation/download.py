"""Downloading a payload in pieces, going on where the connection was cut or the power lost.

The part that is there is named by the digest that the whole must have, so a later start of the
device goes on with it, too, whatever the server says about its files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from fotabuild.errors import FileError
from fotabuild.simulation.announcement import Announcement
from fotabuild.simulation.events import FailedUpdateError, Failure
from fotabuild.simulation.folder import sha256_of
from fotabuild.simulation.network import (
    explain,
    lower_headers,
    pause_before_retry,
    worth_another_try,
)

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_CHUNK = 16 * 1024
#: Tries in a row that bring nothing, after which a download has failed.
TRIES = 6
_CONTENT_RANGE = re.compile(r"bytes (\d{1,12})-\d{1,12}/(\d{1,12}|\*)")


class _CutError(Exception):
    """The rest has to be asked for again.

    Args:
        failure: what to report when the last try ends like this.
        problem: why.
        headers: of the answer, if there was one.
    """

    def __init__(
        self, failure: Failure, problem: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(problem)
        self.failure = failure
        self.headers = headers or {}


@dataclass(frozen=True)
class Downloader:
    """Downloads payloads.

    Attributes:
        pool: the connections.
        sleep: waits for some seconds.
    """

    pool: PoolManager
    sleep: Callable[[float], None]

    def fetch(self, wanted: Announcement, path: Path) -> int:
        """Download a payload to ``path``; what is there already is kept.

        Returns:
            How many requests it took.

        Raises:
            FailedUpdateError: the server has no such payload, is away, or has another one.
        """
        resumed = path.exists()
        requests = self._complete(wanted, path)
        if sha256_of(path) != wanted.payload_digest.hex() and resumed:
            # The part from before may be of another file, or damaged: once from the start.
            path.unlink()
            requests += self._complete(wanted, path)
        if (found := sha256_of(path)) != wanted.payload_digest.hex():
            path.unlink()
            raise FailedUpdateError(
                Failure.PAYLOAD_DIGEST,
                f"payload-digest: {found}, announced is {wanted.payload_digest.hex()}",
            )
        return requests

    def _complete(self, wanted: Announcement, path: Path) -> int:
        requests = failed = 0
        etag: str | None = None
        while (have := _size(path)) < wanted.payload_size:
            try:
                requests += 1
                etag = self._request(wanted, path, have, etag)
                if _size(path) < wanted.payload_size:
                    raise _CutError(Failure.DOWNLOAD_LOST, "the payload ends early")
            except _CutError as cut:
                failed = 0 if _size(path) > have else failed + 1
                if failed == TRIES:
                    raise FailedUpdateError(cut.failure, f"download: {cut}") from None
                self.sleep(pause_before_retry(cut.headers, failed))
        if have > wanted.payload_size:
            path.unlink()
            return requests + self._complete(wanted, path)
        return requests

    def _request(self, wanted: Announcement, path: Path, have: int, etag: str | None) -> str | None:
        """Ask once for what is missing and append it; return the file's tag."""
        from urllib3.exceptions import HTTPError

        headers = {"User-Agent": "fotabuild-device", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if etag is not None:
                headers["If-Range"] = etag
        try:
            response = self.pool.request(
                "GET", wanted.url, headers=headers, redirect=False, preload_content=False
            )
            try:
                _append(response, wanted, path, have)
                response.release_conn()
            finally:
                response.close()
        except (HTTPError, OSError) as error:
            raise _CutError(*explain(error)) from None
        tag = lower_headers(response).get("etag")
        # A weak tag does not promise the same bytes.
        return tag if tag and tag.startswith('"') else None


def _append(response: BaseHTTPResponse, wanted: Announcement, path: Path, have: int) -> None:
    start = _start(response, wanted, have)
    left = wanted.payload_size - start
    mode = "r+b" if path.exists() else "wb"
    with _open(path, mode) as stream:
        stream.truncate(start)
        stream.seek(start)
        for piece in response.stream(_CHUNK, decode_content=False):
            left -= len(piece)
            if left < 0:
                raise FailedUpdateError(
                    Failure.PAYLOAD_DIGEST,
                    f"payload-length: more than {wanted.payload_size} bytes, which are announced",
                )
            _write(stream, piece, path)


def _start(response: BaseHTTPResponse, wanted: Announcement, have: int) -> int:
    """Return at which byte of the payload an answer begins."""
    headers = lower_headers(response)
    if response.status == 206:
        match = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        if match is None or int(match[1]) != have:
            raise _CutError(Failure.DOWNLOAD, "the server sent another range than asked for")
        total = match[2]
    elif response.status == 200:
        have, total = 0, headers.get("content-length", "*")
    elif worth_another_try(response.status):
        raise _CutError(Failure.DOWNLOAD, f"the server answered {response.status}", headers)
    elif response.status == 416:
        total = headers.get("content-range", "").removeprefix("bytes */")
    else:
        raise FailedUpdateError(
            Failure.DOWNLOAD, f"download: the server answered {response.status} for {wanted.url}"
        )
    if total != "*" and total != str(wanted.payload_size):
        raise FailedUpdateError(
            Failure.PAYLOAD_DIGEST,
            f"payload-length: {total[:20]} bytes, announced are {wanted.payload_size}",
        )
    if response.status == 416:
        raise _CutError(Failure.DOWNLOAD, "the server cannot send this range")
    return have


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _open(path: Path, mode: str) -> BinaryIO:
    try:
        return cast(BinaryIO, open(path, mode))
    except OSError as error:
        raise _write_failure(error, path) from None


def _write(stream: BinaryIO, piece: bytes, path: Path) -> None:
    try:
        stream.write(piece)
    except OSError as error:
        raise _write_failure(error, path) from None


def _write_failure(error: OSError, path: Path) -> FileError:
    return FileError(f"cannot write: {error.strerror or error}", file=path)
