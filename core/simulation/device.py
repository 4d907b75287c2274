"""The life of a simulated device: register, wait, update, report, again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from fotabuild.errors import SimulationError
from fotabuild.simulation.deadline import exchanges_end
from fotabuild.simulation.download import Downloader
from fotabuild.simulation.events import Progress
from fotabuild.simulation.folder import DeviceFolder
from fotabuild.simulation.network import pause_before_retry
from fotabuild.simulation.server import (
    LONGEST_WAIT,
    Offer,
    ServerAwayError,
    UnknownDeviceError,
    UpdateServer,
)
from fotabuild.simulation.settings import Credentials
from fotabuild.simulation.update import Outcome, Updater

_Result = TypeVar("_Result")
_WAIT = 30
# Between two updates that fail: a server that offers the same manifest again gets time to think.
_PAUSE_AFTER_FAILURE = 5.0
# For an exchange that is under way: a server that registers a device which does not hear of it has
# one that nobody lets go.
_GRACE = 2.0


class _OutOfTimeError(Exception):
    """The time that the device was given is over."""


@dataclass
class SimulatedDevice:
    """One device on one server.

    Attributes:
        folder: its files.
        server: where it asks for updates.
        endpoint_name: instead of the name in its folder.
        enrolment_token: what the server wants to see before it takes a new device.
        tell: is told what happens, for people.
        stop: ends the device's life when it is set.
    """

    folder: DeviceFolder
    server: UpdateServer
    endpoint_name: str | None = None
    enrolment_token: str | None = field(default=None, repr=False)
    tell: Callable[[str], None] = lambda _text: None
    stop: threading.Event = field(default_factory=threading.Event)
    _deadline: float = field(default=float("inf"), init=False)
    _credentials: Credentials | None = field(default=None, init=False)

    def run(self, *, once: bool = False, timeout: float | None = None) -> list[Outcome]:
        """Live until stopped, until the time is over, or until one update is done.

        Args:
            once: end after the first update, successful or not, when it is reported.
            timeout: seconds to live; an exchange that is under way then has two more.

        Raises:
            SimulationError: the server refuses the device, its folder is damaged, or another
                process runs it.
        """
        if timeout is not None:
            self._deadline = time.monotonic() + timeout
        with self.folder.alone(), exchanges_end(self._deadline + _GRACE):
            return self._live(once)

    def leave(self, end: float) -> None:
        """Have the server forget the device, if it knows it.

        Args:
            end: when it must have happened, in the time of ``time.monotonic``.

        Raises:
            ServerAwayError, SimulationError: the server is away, or refuses.
        """
        if self._credentials is not None:
            with exchanges_end(end):
                self.server.leave(self._credentials)

    def _live(self, once: bool) -> list[Outcome]:
        settings = self.folder.settings()
        if self.endpoint_name is not None:
            settings = msgspec.structs.replace(settings, endpoint_name=self.endpoint_name)
        self._settings = settings
        self.folder.boot()
        downloader = Downloader(self.server.pool, self._sleep)
        updater = Updater(self.folder, settings, downloader, self.server.url, self._report_progress)
        outcomes: list[Outcome] = []
        try:
            self._patiently(self._register)
            self._patiently(self._report_result)
            while True:
                offer = self._patiently(self._ask)
                if offer is None:
                    continue
                outcomes.append(self._update(updater, offer))
                self._patiently(self._report_result)
                if once:
                    return outcomes
                if not outcomes[-1].succeeded:
                    self._sleep(_PAUSE_AFTER_FAILURE)
        except _OutOfTimeError:
            return outcomes

    def _update(self, updater: Updater, offer: Offer) -> Outcome:
        self._campaign = offer.campaign
        outcome = updater.update(offer)
        if outcome.succeeded:
            self.folder.boot()
            self._report_progress(Progress.REBOOTING)
            self.tell(f"installed {outcome.version} over {outcome.version_before}")
        else:
            self.tell(f"{outcome.event}: {outcome.problem}")
        return outcome

    def _register(self) -> None:
        known = self._credentials or self.folder.credentials(self.server.url)
        state = self.folder.state()
        try:
            self._credentials = self.server.register(
                self._settings, state, known, self.enrolment_token
            )
        except UnknownDeviceError:
            self._forget()
            self._credentials = self.server.register(
                self._settings, state, None, self.enrolment_token
            )
        if self._credentials != known:
            self.folder.keep_credentials(self._credentials)
        self.tell(f"registered as {self._settings.endpoint_name}, running {state.version}")

    def _forget(self) -> None:
        self._credentials = None
        self.folder.drop_credentials()

    def _known(self) -> Credentials:
        if self._credentials is None:
            self._register()
        assert self._credentials is not None
        return self._credentials

    def _ask(self) -> Offer | None:
        wait = min(_WAIT, LONGEST_WAIT, self._left())
        offer = self.server.wait_for_update(self._known(), wait)
        if offer is not None:
            self.tell(f"campaign {offer.campaign}: a manifest of {len(offer.manifest)} bytes")
        elif wait < 1:
            self._sleep(wait)  # Too short for the server to wait.
        return offer

    def _report_progress(self, progress: Progress) -> None:
        """Report, once: the update goes on without."""
        if self._credentials is None:
            return
        try:
            self.server.report(
                self._credentials, self._campaign, progress.event, self.folder.state()
            )
        except (ServerAwayError, UnknownDeviceError, SimulationError) as error:
            self.tell(f"{progress.event} was not delivered: {error}")

    def _report_result(self) -> None:
        state = self.folder.state()
        if state.pending is None:
            return
        self.server.report(self._known(), state.pending.campaign, state.pending.event, state)
        self.folder.remember(msgspec.structs.replace(state, pending=None))

    def _patiently(self, work: Callable[[], _Result]) -> _Result:
        """Do ``work``, again and again while the server is away."""
        attempt = 0
        while True:
            self._left()
            try:
                return work()
            except UnknownDeviceError:
                self._forget()
                problem, headers = "the server does not know this device any more", {}
            except ServerAwayError as error:
                problem, headers = str(error), error.headers
            if attempt in (0, 3) or attempt % 20 == 0:
                self.tell(f"{self.server.url}: {problem}; trying again")
            pause = pause_before_retry(headers, attempt)
            # Many devices that lost one server must not come back at once.
            self._sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - no secret
            attempt += 1

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0 or self.stop.is_set():
            raise _OutOfTimeError
        return left

    def _sleep(self, seconds: float) -> None:
        self.stop.wait(min(seconds, self._left()))
        self._left()
