"""The server's side for devices: register, wait for an update, report."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fotabuild.errors import SimulationError, printable
from fotabuild.simulation.network import Answer, explain, read_answer
from fotabuild.simulation.settings import Credentials, DeviceSettings, DeviceState

if TYPE_CHECKING:
    from urllib3 import PoolManager

#: Longest time that the server holds a question for updates, in seconds.
LONGEST_WAIT = 60


class ServerAwayError(Exception):
    """The server cannot be reached, or asks to come back later.

    Args:
        problem: why, in a few words.
        headers: of the answer, if there was one.
    """

    def __init__(self, problem: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem)
        self.headers = headers or {}


class UnknownDeviceError(Exception):
    """The server does not know the device's token: the device has to register again."""


@dataclass(frozen=True)
class Offer:
    """A manifest that the server has for a device.

    Attributes:
        campaign: the campaign it belongs to.
        manifest: the manifest as delivered, not checked yet.
    """

    campaign: str
    manifest: bytes


@dataclass(frozen=True)
class UpdateServer:
    """An update server as devices see it.

    Attributes:
        url: without a slash at its end.
        pool: the connections; shared by many devices.
    """

    url: str
    pool: PoolManager

    def register(
        self,
        settings: DeviceSettings,
        state: DeviceState,
        known: Credentials | None,
        enrolment_token: str | None,
    ) -> Credentials:
        """Tell the server who the device is and what it runs.

        Raises:
            ServerAwayError: later, perhaps.
            UnknownDeviceError: the server has forgotten the device.
            SimulationError: the server refuses the device, or its answer makes no sense.
        """
        body = {
            "endpoint_name": settings.endpoint_name,
            "vendor_id": settings.vendor_id,
            "device_class": settings.class_id,
            "firmware_checksum": state.digest,
            "firmware_version": state.version,
            "component": settings.component,
        }
        token = known.token if known is not None else enrolment_token
        answer = self._call("POST", "/device/v1/register", token, body)
        if answer.status == 401 and known is not None:
            raise UnknownDeviceError
        if answer.status == 200 and known is not None:
            return known
        if answer.status not in (200, 201):
            raise _refused("the registration", answer)
        try:
            values = json.loads(answer.body)
            return Credentials(server=self.url, id=values["id"], token=values["token"])
        except (ValueError, TypeError, KeyError):
            raise SimulationError(
                "the server's answer to the registration has no id and token"
            ) from None

    def leave(self, credentials: Credentials) -> None:
        """Have the server forget the device.

        Raises:
            ServerAwayError, SimulationError: as :meth:`register`.
        """
        answer = self._call("DELETE", "/device/v1/register", credentials.token)
        if answer.status not in (200, 204, 401, 404):
            raise _refused("to forget the device", answer)

    def wait_for_update(self, credentials: Credentials, seconds: float) -> Offer | None:
        """Ask for an update; the server waits up to ``seconds`` before it says that there is none.

        Raises:
            ServerAwayError, UnknownDeviceError, SimulationError: as :meth:`register`.
        """
        wait = max(0, min(int(seconds), LONGEST_WAIT))
        answer = self._call("GET", f"/device/v1/update?wait={wait}", credentials.token, extra=wait)
        if answer.status == 401:
            raise UnknownDeviceError
        if answer.status == 204:
            return None
        if answer.status != 200:
            raise _refused("the question for updates", answer)
        campaign = answer.headers.get("fota-campaign", "")
        if not campaign.isalnum() or len(campaign) > 64:
            raise SimulationError("the server sent a manifest without the header Fota-Campaign")
        return Offer(campaign, answer.body)

    def report(
        self, credentials: Credentials, campaign: str, event: str, state: DeviceState
    ) -> None:
        """Report an event of a campaign.

        Raises:
            ServerAwayError, UnknownDeviceError, SimulationError: as :meth:`register`.
        """
        body = {
            "campaign": campaign,
            "event": event,
            "firmware_checksum": state.digest,
            "firmware_version": state.version,
        }
        answer = self._call("POST", "/device/v1/report", credentials.token, body)
        if answer.status == 401:
            raise UnknownDeviceError
        # The campaign may be gone meanwhile, which is not the device's matter.
        if answer.status not in (200, 204, 404, 409):
            raise _refused(f"the report {event}", answer)

    def _call(
        self,
        method: str,
        path: str,
        token: str | None,
        body: dict[str, str] | None = None,
        extra: float = 0,
    ) -> Answer:
        from urllib3 import Timeout

        headers = {"User-Agent": "fotabuild-device", "Accept-Encoding": "identity"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        with away_when_cut():
            timeout = self.pool.connection_pool_kw["timeout"].clone()
            if extra:
                timeout = Timeout(
                    connect=timeout.connect_timeout, read=timeout.read_timeout + extra
                )
            response = self.pool.request(
                method,
                self.url + path,
                body=data,
                headers=headers,
                redirect=False,
                preload_content=False,
                timeout=timeout,
            )
            answer = read_answer(response)
        if answer.worth_another_try:
            raise ServerAwayError(f"the server answered {answer.status}", answer.headers)
        return answer


@contextlib.contextmanager
def away_when_cut() -> Iterator[None]:
    """Turn trouble with the connection into :class:`ServerAwayError`."""
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (HTTPError, OSError) as error:
        raise ServerAwayError(explain(error)[1]) from None


def _refused(what: str, answer: Answer) -> SimulationError:
    """Return the error for an answer, with the reason that the server gives."""
    try:
        reason = str(json.loads(answer.body)["message"])
    except (ValueError, TypeError, KeyError):
        reason = answer.body[:200].decode("utf-8", "replace")
    remedy = None
    if answer.status in (401, 403):
        remedy = "give the server's enrolment token with --enrolment-token-file"
    if answer.status == 409:
        remedy = "give the device another --name, or delete the other one on the server"
    return SimulationError(
        f"the server refused {what} with {answer.status}: {printable(reason)[:200]}", remedy=remedy
    )
