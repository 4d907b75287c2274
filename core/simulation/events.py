"""What a device tells the service about an update (device-management-api, section 1.9)."""

from __future__ import annotations

import enum

from fotabuild.device.report import AcceptanceReport, CheckResult

SUCCESS = "UPD4_OK_100"


class Progress(enum.IntEnum):
    """States of the update client that a device reports on the way."""

    PROCESSING_MANIFEST = 2
    DOWNLOADING = 4
    DOWNLOADED = 5
    UPDATING = 7
    REBOOTING = 8

    @property
    def event(self) -> str:
        """The event code on the wire."""
        return f"UPD2_STATE_{self.value}"


class Failure(enum.IntEnum):
    """Why an update failed. One number may stand for several checks, as on devices."""

    MANIFEST_REFUSED = 200
    MANIFEST_DAMAGED = 207
    CERTIFICATE = 208
    SIGNATURE = 210
    SCHEMA_VERSION = 214
    VENDOR_ID = 215
    CLASS_ID = 216
    FIELD_SIZE = 217
    FIELD_FORMAT = 218
    CRYPTO_MODE = 219
    FIELD_MISSING = 220
    VERSION_NOT_NEWER = 221
    COMPONENT_UNKNOWN = 222
    KEY_MISSING = 223
    PRECURSOR = 229
    PAYLOAD_UNSUPPORTED = 230
    DOWNLOAD = 300
    DOWNLOAD_NETWORK = 301
    DOWNLOAD_TIMEOUT = 303
    DOWNLOAD_CONNECT = 304
    DOWNLOAD_NAME = 305
    DOWNLOAD_LOST = 306
    URL_INVALID = 307
    URL_SCHEME = 308
    PAYLOAD_DIGEST = 309
    INTEGRITY = 406
    PARSE = 407
    MEMORY = 409
    STORAGE = 501
    WRITE = 503
    IMAGE_DIGEST = 504

    @property
    def event(self) -> str:
        """The event code on the wire."""
        return f"UPD4_FAIL_{self.value}"


class FailedUpdateError(Exception):
    """An update ends here, and the device goes on with what it has installed.

    Args:
        failure: what the device reports.
        problem: what is wrong, as a phrase without a final stop.
    """

    def __init__(self, failure: Failure, problem: str) -> None:
        super().__init__(problem)
        self.failure = failure
        self.problem = problem


# Statuses with which a device refuses what cannot even be parsed, see core/device.
_OF_STATUS = {
    -25: Failure.PAYLOAD_UNSUPPORTED,
    -28: Failure.SCHEMA_VERSION,
    -30: Failure.VENDOR_ID,
    -31: Failure.CLASS_ID,
    -43: Failure.FIELD_SIZE,
}
_OF_CHECK = {
    "signature": Failure.SIGNATURE,
    "installed-signature": Failure.SIGNATURE,
    "vendor-id": Failure.VENDOR_ID,
    "class-id": Failure.CLASS_ID,
    "update-priority": Failure.FIELD_SIZE,
    "component-name": Failure.FIELD_SIZE,
    "payload-version": Failure.FIELD_SIZE,
    "payload-size": Failure.FIELD_SIZE,
    "payload-not-empty": Failure.FIELD_SIZE,
    "payload-uri": Failure.URL_INVALID,
    "image-size": Failure.STORAGE,
    "vendor-data": Failure.FIELD_SIZE,
    "payload-version-text": Failure.FIELD_FORMAT,
    "payload-format": Failure.PAYLOAD_UNSUPPORTED,
    "newer-version": Failure.VERSION_NOT_NEWER,
    # Of v1 manifests; those with "hub-" are checks of the older client.
    "timestamp": Failure.FIELD_SIZE,
    "vendor-info": Failure.FIELD_SIZE,
    "priority": Failure.FIELD_SIZE,
    "hub-manifest-size": Failure.FIELD_SIZE,
    "hub-resource-hash": Failure.MANIFEST_DAMAGED,
    "hub-encryption-mode": Failure.CRYPTO_MODE,
    "hub-fingerprint": Failure.CERTIFICATE,
    "hub-uri-scheme": Failure.URL_SCHEME,
    "hub-priority": Failure.FIELD_FORMAT,
}


def require_accepted(report: AcceptanceReport) -> None:
    """Pass when nothing failed.

    Raises:
        FailedUpdateError: of the first check that failed, which is where a device stops.
    """
    if not report.accepted:
        first = report.failures[0]
        raise FailedUpdateError(failure_of(first), f"{first.name}: {first.detail}")


def failure_of(check: CheckResult) -> Failure:
    """Return what a device reports after a failed check of ``core/device``."""
    if check.name == "manifest-structure":
        return _OF_STATUS.get(check.device_status or 0, Failure.MANIFEST_DAMAGED)
    if check.name == "installed-signature" and check.device_status == -22:
        return Failure.FIELD_MISSING
    if check.name.startswith(("package-", "sub-component-")):
        return Failure.PARSE
    return _OF_CHECK.get(check.name, Failure.MANIFEST_REFUSED)
