"""A simulated device on disk.

::

    device.json         what it is                       written once
    update.cert.der     whose updates it accepts         written once
    state.json          which image is installed         replaced by an installation
    image-<digest>.bin  the installed image
    credentials.json    id and token of the server       readable by the owner only
    download-<digest>   a payload on its way
    candidate           an image on its way

The image is on the disk, complete and flushed, before ``state.json`` names it; so a device that
loses power has the old image or the new one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fotabuild.errors import FileError, OutputConflictError, SimulationError
from fotabuild.files.folders import sync_folder
from fotabuild.files.locks import HAS_LOCKS, try_lock
from fotabuild.files.writing import OutputSet, write_file
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.certificate import read_certificate
from fotabuild.simulation.settings import (
    Credentials,
    DeviceSettings,
    DeviceState,
    PendingReport,
    encode,
    read_record,
)

_CHUNK = 1 << 16


@dataclass(frozen=True)
class DeviceFolder:
    """The files of one device."""

    path: Path

    @classmethod
    def create(
        cls, path: Path, settings: DeviceSettings, certificate: bytes, image: bytes, version: str
    ) -> DeviceFolder:
        """Make a device with ``image`` installed.

        Raises:
            OutputConflictError: there is a device already.
            FileError: the files cannot be written.
        """
        folder = cls(path)
        if folder._state.exists() or folder._settings.exists():
            raise OutputConflictError(
                "there is a device already", file=path, remedy="choose another folder"
            )
        digest = hashlib.sha256(image).hexdigest()
        outputs = OutputSet()
        outputs.add(folder.image(digest), image)
        outputs.add(folder._certificate, certificate)
        outputs.add(folder._settings, encode(settings))
        # Last, so that a folder with a state is a whole device.
        state = DeviceState(version=version, digest=digest, size=len(image))
        outputs.add(folder._state, encode(state), only_new=True)
        outputs.commit()
        return folder

    @property
    def _settings(self) -> Path:
        return self.path / "device.json"

    @property
    def _certificate(self) -> Path:
        return self.path / "update.cert.der"

    @property
    def _state(self) -> Path:
        return self.path / "state.json"

    @property
    def _credentials(self) -> Path:
        return self.path / "credentials.json"

    @property
    def candidate(self) -> Path:
        """Where an image is put together before it is installed."""
        return self.path / "candidate"

    def image(self, digest: str) -> Path:
        """Return where the image of this digest is, or would be, installed."""
        return self.path / f"image-{digest}.bin"

    def download(self, digest: bytes) -> Path:
        """Return where the payload of this digest is downloaded to."""
        return self.path / f"download-{digest.hex()}"

    def files(self) -> tuple[Path, ...]:
        """Return the files that a device without a server has."""
        image = self.image(self.state().digest)
        return self._settings, self._certificate, self._state, image

    def settings(self) -> DeviceSettings:
        """Return what the device is."""
        return read_record(self._settings, DeviceSettings, "description of a simulated device")

    def certificate(self) -> bytes:
        """Return the certificate whose updates the device accepts."""
        return read_certificate(self._certificate)

    def state(self) -> DeviceState:
        """Return what is installed."""
        return read_record(self._state, DeviceState, "state of a simulated device")

    def boot(self) -> DeviceState:
        """Check the installed image as a bootloader does, and clear up after a loss of power.

        Raises:
            SimulationError: the installed image is not the one that was installed.
        """
        state = self.state()
        image = self.image(state.digest)
        if sha256_of(image) != state.digest:
            raise SimulationError(
                "the installed image was changed", file=image, remedy="make the device again"
            )
        for left_over in (self.candidate, *self.path.glob("image-*.bin")):
            if left_over != image:
                left_over.unlink(missing_ok=True)
        return state

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from running this device, where the system can.

        Raises:
            SimulationError: one does already.
        """
        with contextlib.ExitStack() as stack:
            if HAS_LOCKS:  # Else the system does not open folders.
                try:
                    descriptor = os.open(self.path, os.O_RDONLY)
                    stack.callback(os.close, descriptor)
                    alone = try_lock(descriptor)
                except OSError as error:
                    raise FileError(f"no device: {error.strerror}", file=self.path) from None
                if not alone:
                    raise SimulationError(
                        "another process runs this device", file=self.path, remedy="end it first"
                    )
            yield

    def install(self, version: str, digest: str, size: int, pending: PendingReport) -> DeviceState:
        """Make the candidate the installed image. It is verified and flushed.

        Raises:
            FileError: the files cannot be written; then the old image stays installed.
        """
        state = DeviceState(version=version, digest=digest, size=size, pending=pending)
        before = self.state()
        try:
            os.replace(self.candidate, self.image(digest))
            sync_folder(self.path)
        except OSError as error:
            raise FileError(
                f"cannot install: {error.strerror or error}", file=self.candidate
            ) from None
        write_file(self._state, encode(state))
        if before.digest != digest:
            self.image(before.digest).unlink(missing_ok=True)
        return state

    def remember(self, state: DeviceState) -> None:
        """Replace the state."""
        write_file(self._state, encode(state))

    def credentials(self, server: str) -> Credentials | None:
        """Return what this server gave, None when the device is new to it."""
        if not self._credentials.exists():
            return None
        found = read_record(self._credentials, Credentials, "credentials of a simulated device")
        return found if found.server == server else None

    def keep_credentials(self, credentials: Credentials) -> None:
        """Remember what the server gave; readable by the owner only."""
        write_file(self._credentials, encode(credentials), private=True)

    def drop_credentials(self) -> None:
        """Forget them: the server does."""
        self._credentials.unlink(missing_ok=True)

    def drop_downloads(self, keep: Path | None = None) -> None:
        """Remove payloads, those that no manifest asks for any more included."""
        for path in self.path.glob("download-*"):
            if path != keep:
                path.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file of any size, in hexadecimal digits."""
    digest = hashlib.sha256()
    for piece in pieces_of(path):
        digest.update(piece)
    return digest.hexdigest()


def pieces_of(path: Path, size: int = _CHUNK) -> Iterator[bytes]:
    """Yield the content of a file in pieces of ``size`` bytes.

    Raises:
        FileError: it cannot be read, or is larger than any image.
    """
    left = READ_LIMITS.package
    try:
        with open(path, "rb") as stream:
            while piece := stream.read(size):
                left -= len(piece)
                if left < 0:
                    raise FileError(
                        f"this file is larger than {READ_LIMITS.package} bytes", file=path
                    )
                yield piece
    except OSError as error:
        raise FileError(f"cannot read: {error.strerror or error}", file=path) from None
