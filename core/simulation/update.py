"""One update of one device, from the manifest to the installed image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fotabuild.errors import FileError, FotabuildError
from fotabuild.simulation.announcement import Announcement, accept, name_of_payload
from fotabuild.simulation.candidate import make_candidate
from fotabuild.simulation.download import Downloader
from fotabuild.simulation.events import SUCCESS, FailedUpdateError, Failure, Progress
from fotabuild.simulation.folder import DeviceFolder
from fotabuild.simulation.server import Offer
from fotabuild.simulation.settings import DeviceSettings, DeviceState, PendingReport


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an update ended.

    Attributes:
        campaign: the campaign it belonged to.
        event: the event code that is reported.
        version_before: what was installed.
        version: what is installed now.
        payload: what was downloaded, in words; empty when nothing was.
        problem: why it failed; empty when it did not.
    """

    campaign: str
    event: str
    version_before: str
    version: str
    payload: str = ""
    problem: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the update is installed."""
        return self.event == SUCCESS


@dataclass(frozen=True)
class Updater:
    """Does the updates of one device.

    Attributes:
        folder: the device.
        settings: what it is.
        downloader: downloads payloads.
        server_url: the server that offers updates.
        progress: is told how far it is.
    """

    folder: DeviceFolder
    settings: DeviceSettings
    downloader: Downloader
    server_url: str
    progress: Callable[[Progress], None]

    def update(self, offer: Offer) -> Outcome:
        """Do what a device does with a manifest. The result is in the state, to be reported.

        Raises:
            FileError: not even the result can be written.
        """
        state = self.folder.state()
        payload = ""
        try:
            self.progress(Progress.PROCESSING_MANIFEST)
            wanted = accept(
                offer.manifest, self.settings, state, self.folder.certificate(), self.server_url
            )
            payload = name_of_payload(wanted)
            self._install(wanted, offer.campaign, state)
        except FailedUpdateError as error:
            return self._failed(offer.campaign, state, error.failure, error.problem, payload)
        except FileError as error:
            return self._failed(offer.campaign, state, Failure.WRITE, str(error), payload)
        except FotabuildError as error:
            return self._failed(
                offer.campaign, state, Failure.MANIFEST_REFUSED, str(error), payload
            )
        return Outcome(
            campaign=offer.campaign,
            event=SUCCESS,
            version_before=state.version,
            version=wanted.version,
            payload=payload,
        )

    def _install(self, wanted: Announcement, campaign: str, state: DeviceState) -> None:
        path = self.folder.download(wanted.payload_digest)
        self.folder.drop_downloads(keep=path)
        self.progress(Progress.DOWNLOADING)
        self.downloader.fetch(wanted, path)
        self.progress(Progress.DOWNLOADED)
        self.progress(Progress.UPDATING)
        make_candidate(
            wanted,
            path,
            self.folder.image(state.digest),
            self.settings.profile,
            self.folder.candidate,
        )
        self.folder.install(
            wanted.version,
            wanted.image_digest.hex(),
            wanted.image_size,
            PendingReport(campaign=campaign, event=SUCCESS),
        )
        self.folder.drop_downloads()

    def _failed(
        self, campaign: str, state: DeviceState, failure: Failure, problem: str, payload: str
    ) -> Outcome:
        self.folder.candidate.unlink(missing_ok=True)
        # What was downloaded is of use to another try only while the connection is to blame.
        if not Failure.DOWNLOAD <= failure <= Failure.DOWNLOAD_LOST:
            self.folder.drop_downloads()
        pending = PendingReport(campaign=campaign, event=failure.event)
        self.folder.remember(
            DeviceState(
                version=state.version, digest=state.digest, size=state.size, pending=pending
            )
        )
        return Outcome(
            campaign=campaign,
            event=failure.event,
            version_before=state.version,
            version=state.version,
            payload=payload,
            problem=problem,
        )
