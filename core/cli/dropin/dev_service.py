"""The update service of ``manifest-dev-tool``: where it is, who we are, what is said about it."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from fotabuild.cli.dropin.log import Log
from fotabuild.cli.output import Output, counted
from fotabuild.config.dev_cache import DevCache
from fotabuild.config.yaml_reader import read_yaml
from fotabuild.errors import ConfigError, NoAccessKeyError, ServiceError, in_file
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.publish.access_key import AccessKey, parse_access_key, read_access_key
from fotabuild.publish.address import ServiceAddress
from fotabuild.publish.connect import connect
from fotabuild.publish.journal_folder import default_folder
from fotabuild.publish.service import Service

_SERVICE = "FOTABUILD_PUBLISH_SERVICE"
_KEY = "FOTABUILD_PUBLISH_ACCESS_KEY"
_JOURNAL = "FOTABUILD_PUBLISH_JOURNAL"
_REMEDY = "run init again with --access-key, or with --gw-preset"
# Older files have the last name.
_KEY_NAMES = ("access_key", "api_key")
_MOST_LISTED = 1000


def open_service(cache: DevCache, log: Log) -> Service:
    """Connect to the service that ``init`` was told, or to that of the environment.

    Address and key are taken from the same place: a key goes nowhere else.

    Raises:
        NoAccessKeyError: there is none.
        ConfigError: what ``init`` wrote cannot be used.
        DestinationError: the address cannot be used.
    """
    if cache.cloud.exists():
        address, key = _from_cache(cache)
    else:
        url = os.environ.get(_SERVICE)
        if not url:
            raise NoAccessKeyError(
                "there is no access key of a service",
                file=cache.cloud,
                remedy=f"{_REMEDY}, or set {_SERVICE} and FOTABUILD_ACCESS_KEY",
            )
        address, key = ServiceAddress.parse(url), read_access_key(os.environ.get(_KEY))
    log.debug(f"service: {address.url}, access key from {key.source}")
    return connect(address, key, on_retry=lambda why: log.warning(f"trying again: {why}"))


def _from_cache(cache: DevCache) -> tuple[ServiceAddress, AccessKey]:
    with in_file(cache.cloud):
        data = read_file(cache.cloud, READ_LIMITS.config, "service configuration")
        values = read_yaml(data, if_empty=_REMEDY).values
        secret = next((values[name] for name in _KEY_NAMES if name in values), None)
        host = values.get("host")
        if not isinstance(secret, str) or not isinstance(host, str):
            raise ConfigError("this file holds no access_key or no host", remedy=_REMEDY)
        return ServiceAddress.parse(host), parse_access_key(secret, f"file:{cache.cloud}")


def journal_folder() -> Path:
    """Return where journals are; ``fotabuild cleanup`` looks there, too."""
    given = os.environ.get(_JOURNAL)
    return Path(given) if given else default_folder()


def tell_devices(service: Service, device_filter: str, log: Log) -> None:
    """Say how many devices a campaign will have; a service may not want to tell.

    Raises:
        ServiceError: the service cannot be reached.
    """
    try:
        devices = list(islice(service.devices(device_filter), _MOST_LISTED))
    except ServiceError as error:
        if error.status not in (400, 403, 404, 405):
            raise
        return
    more = " or more" if len(devices) == _MOST_LISTED else ""
    log.info(f"{counted(len(devices), 'device')}{more} found by {device_filter}")
    if not devices:
        log.warning("no device matches: compare vendor and class, and the id of the device")
    silent = sum(device.state not in (None, "registered") for device in devices)
    if silent:
        log.warning(
            f"{silent} of them are not registered now; the campaign waits for them "
            "(--device-id names the one that counts)"
        )


class LogOutput(Output):
    """What uploads tell, as log lines. Without bars, which would stand between the lines.

    Args:
        log: gets the lines.
    """

    def __init__(self, log: Log) -> None:
        super().__init__(quiet=True)
        self._log = log

    def say(self, text: str) -> None:
        """Tell progress."""
        self._log.info(text)

    def warn(self, text: str) -> None:
        """Tell what may surprise."""
        self._log.warning(text)
