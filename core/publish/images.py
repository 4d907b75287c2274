"""Bring a payload to a service: in one request or by an upload job, encrypted there or not."""

from __future__ import annotations

from collections.abc import Callable

from fotabuild.errors import PublishError, ServiceError, UploadError
from fotabuild.publish.events import Note, Sending
from fotabuild.publish.jobs import (
    DamagedError,
    Pieces,
    check_image,
    chunked,
    complete_job,
    fill_job,
)
from fotabuild.publish.journal_state import Entry
from fotabuild.publish.records import Records
from fotabuild.publish.updates import Stored, Update
from fotabuild.publish.values import Image, Kind


class Images:
    """The images of a run.

    Args:
        records: what the run has made.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._service = records.service
        self._journal = records.journal
        self._report = records.report
        self._pacing = records.service.caller.pacing
        self._clock = records.service.caller.clock

    def bring(self, update: Update) -> Stored:
        """Send the payload of an update, unless it is there, and return how it is stored.

        Raises:
            PublishError: there is nothing to send.
            UploadError: what is stored is not what was sent.
            ServiceError: the service refused, cannot encrypt, or is not finished in time.
        """
        image = self._image(update)
        check_image(image, update.digest, update.size)
        if update.encrypt:
            image = self._encrypted(image)
        if not image.datafile:
            raise ServiceError(
                "the service does not say where devices download the image", field="datafile"
            )
        digest = image.encrypted_datafile_checksum if update.encrypt else None
        try:
            encrypted = None if digest is None else bytes.fromhex(digest)
        except ValueError:
            raise ServiceError("this is no SHA-256", field="encrypted_datafile_checksum") from None
        return Stored(
            image.datafile, image.short_datafile, encrypted, image.encrypted_datafile_size
        )

    def _image(self, update: Update) -> Image:
        entry = self._records.known(Kind.IMAGE, update.key)
        if entry is not None and entry.id is not None:
            return self._service.image(entry.id)
        if not update.size:
            raise PublishError("this payload is empty", file=update.payload)
        if chunked(self._pacing, update.size):
            return self._by_job(update)
        entry = entry or self._records.intend(Kind.IMAGE, update)
        with self._records.unmade(entry):
            image = self._service.upload_image(
                entry.name,
                update.payload,
                update.size,
                encrypt=update.encrypt,
                progress=lambda done: self._report(Sending(update.key, done, update.size)),
            )
        self._records.made(entry, image.id)
        return image

    def _by_job(self, update: Update) -> Image:
        for _ in range(self._pacing.jobs):
            job = self._records.known(Kind.JOB, update.key)
            resumed = job is not None
            if job is None:
                job = self._records.intend(Kind.JOB, update)
            if job.id is None:
                with self._records.unmade(job):
                    made = self._service.create_job(job.name, encrypt=update.encrypt)
                self._records.made(job, made.id)
            try:
                image = self._through(update, job, resumed=resumed)
            except DamagedError:
                self._report(Note("the upload job holds something else: begun again", True))
                self._service.delete(Kind.JOB, job.id or "")
                self._journal.gone(job)
                continue
            try:
                self._service.delete(Kind.JOB, job.id or "")
                self._journal.gone(job)
            except ServiceError as error:  # The image is there; the clean-up comes back to it.
                self._report(Note(f"the upload job stays for now: {error}", True))
            return image
        raise UploadError(
            f"the upload was damaged on its way {self._pacing.jobs} times",
            remedy="something between here and the service repeats or drops data",
        )

    def _through(self, update: Update, job: Entry, *, resumed: bool) -> Image:
        assert job.id is not None
        found = self._service.job(job.id) if resumed else None
        if found is None or not (found.complete or found.completed):
            fill_job(
                self._service,
                job.id,
                Pieces(update.payload, update.size, self._pacing.chunk),
                resumed=resumed,
                progress=lambda done: self._report(Sending(update.key, done, update.size)),
            )
        # The service names the image like the job.
        entry = self._journal.find(Kind.IMAGE, update.key)
        if entry is None:
            entry = self._journal.intend(Kind.IMAGE, update.key, job.name)
        image = complete_job(self._service, job.id, self._wait_for)
        self._records.made(entry, image.id)
        return image

    def _encrypted(self, image: Image) -> Image:
        """Wait for digest and size of the encrypted payload (section 1.5)."""
        if not image.datafile_encryption:
            raise ServiceError(
                "this service did not encrypt the payload", remedy="leave the encryption away"
            )

        def look() -> Image | None:
            found = self._service.image(image.id)
            return found if _has_encrypted(found) else None

        return image if _has_encrypted(image) else self._wait_for(look)

    def _wait_for(self, look: Callable[[], Image | None]) -> Image:
        end = self._clock.now() + self._pacing.job
        pause = 1.0
        while True:
            found = look()
            if found is not None:
                return found
            if self._clock.now() >= end:
                raise ServiceError(
                    f"the service did not finish the image within {self._pacing.job:.0f} seconds"
                )
            self._clock.sleep(pause)
            pause = min(pause + 1, 5)


def _has_encrypted(image: Image) -> bool:
    return bool(image.encrypted_datafile_checksum and image.encrypted_datafile_size)
