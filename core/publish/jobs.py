"""Large images: an upload job, resumed by what the service says it has (sections 1.4 and 2.3)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fotabuild.errors import FileError, ServiceError, UploadError
from fotabuild.publish.bodies import Progress
from fotabuild.publish.calls import transient
from fotabuild.publish.pacing import Pacing
from fotabuild.publish.retry import Tries
from fotabuild.publish.service import Service
from fotabuild.publish.values import Chunk, Image, Job

_NO_LIST = (404, 405)


class DamagedError(Exception):
    """What the job holds is not the beginning of the payload: it has to be begun again."""


@dataclass(frozen=True)
class Pieces:
    """A payload, cut into the chunks of an upload job.

    Attributes:
        payload: the file.
        size: its size in bytes.
        chunk: size of all chunks but the last.
    """

    payload: Path
    size: int
    chunk: int

    @property
    def count(self) -> int:
        """How many there are."""
        return -(-self.size // self.chunk)

    def read(self, index: int) -> bytes:
        """Return a chunk.

        Raises:
            FileError: the file cannot be read, or has another size by now.
        """
        wanted = min(self.chunk, self.size - index * self.chunk)
        try:
            with open(self.payload, "rb") as file:
                file.seek(index * self.chunk)
                data = file.read(wanted)
        except OSError as error:
            raise FileError(
                f"cannot read the payload: {error.strerror}", file=self.payload
            ) from None
        if len(data) != wanted:
            raise FileError("this payload became shorter while it was sent", file=self.payload)
        return data

    def matches(self, index: int, chunk: Chunk) -> bool:
        """Return whether the service has this chunk as it is here."""
        if index >= self.count:
            return False
        data = self.read(index)
        digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        return chunk.length == len(data) and chunk.hash in (None, "", digest)


def fill_job(
    service: Service,
    job: str,
    pieces: Pieces,
    *,
    resumed: bool,
    progress: Progress | None = None,
) -> None:
    """Bring all chunks to a job, in order, each once.

    Args:
        service: the service.
        job: the id of the job.
        pieces: the payload.
        resumed: whether the job may hold chunks already.
        progress: hears of the bytes that have arrived.

    Raises:
        DamagedError: the job holds something else; it is of no use.
        ServiceError: the service does not take a chunk.
    """
    done = _count(service, job, pieces) if resumed else 0
    for index in range(done, pieces.count):
        if progress is not None:
            progress(index * pieces.chunk)
        data = pieces.read(index)
        _send(service, job, data, partial(_arrived, service, job, pieces, index))
    if progress is not None:
        progress(pieces.size)
    _expect_all(service, job, pieces)


def complete_job(
    service: Service, job: str, wait: Callable[[Callable[[], Image | None]], Image]
) -> Image:
    """Close a full job and return its image.

    Args:
        service: the service.
        job: the id of the job.
        wait: calls a function until it returns an image, for as long as that may take.

    Raises:
        DamagedError: the service could not put the image together.
        ServiceError: no answer, or no image in time.
    """
    try:
        _send(service, job, b"", lambda: _is_complete(service.job(job)))
    except ServiceError as error:
        # Delivered twice, the second one is refused: the job is closed already.
        if error.status not in (400, 409):
            raise

    def look() -> Image | None:
        found = service.job(job)
        if _is_complete(found) and found.firmware_image_id:
            return service.image(found.firmware_image_id)
        if (found.status or "").lower() in ("failed", "error", "aborted"):
            raise DamagedError
        return None

    return wait(look)


def _is_complete(job: Job) -> bool:
    return bool(job.complete or job.completed)


def _send(service: Service, job: str, data: bytes, arrived: Callable[[], bool]) -> None:
    """Send a chunk; after a failure look whether it arrived before it is sent again."""
    caller = service.caller
    tries = Tries(caller.pacing, caller.clock, caller.chance)
    failure: ServiceError | None = None
    for _ in tries:
        try:
            return service.send_chunk(job, data)
        except ServiceError as error:
            if not transient(error):
                raise
            failure = error
        tries.wait(failure.retry_after)
        if arrived():
            return None
    assert failure is not None
    raise failure


def _count(service: Service, job: str, pieces: Pieces) -> int:
    """Return how many chunks have arrived.

    Raises:
        DamagedError: they are not the first ones of the payload.
    """
    chunks = [chunk for chunk in service.chunks(job) if chunk.length]
    if not all(pieces.matches(index, chunk) for index, chunk in enumerate(chunks)):
        raise DamagedError
    return len(chunks)


def _arrived(service: Service, job: str, pieces: Pieces, index: int) -> bool:
    try:
        return _count(service, job, pieces) > index
    except ServiceError as error:
        if error.status in _NO_LIST:
            return False
        raise


def _expect_all(service: Service, job: str, pieces: Pieces) -> None:
    """Compare the list of chunks with what was sent: a line may deliver a request twice."""
    caller = service.caller
    end = caller.clock.now() + caller.pacing.late_numbers
    while True:
        try:
            if _count(service, job, pieces) == pieces.count:
                return
        except ServiceError as error:
            if error.status in _NO_LIST:  # The digest of the image will tell.
                return
            raise
        if caller.clock.now() >= end:  # The list may lag, but not for ever.
            raise DamagedError
        caller.clock.sleep(1)


def check_image(image: Image, digest: str, size: int) -> None:
    """Compare what the service stored with what is here.

    Raises:
        UploadError: it differs.
    """
    checksum = (image.datafile_checksum or digest).lower()
    stored = size if image.datafile_size is None else image.datafile_size
    if checksum != digest or stored != size:
        raise UploadError(
            f"the service stored {stored} bytes with SHA-256 {checksum}, sent were {size} bytes "
            f"with {digest}",
            remedy="upload again; if it happens again, something on the way changes data",
        )


def chunked(pacing: Pacing, size: int) -> bool:
    """Return whether a payload of this size needs an upload job."""
    return size >= pacing.one_request
