"""Event codes of devices, grouped as the service groups them (device-management-api, 1.9)."""

from __future__ import annotations

import enum
import re


class Summary(enum.Enum):
    """What an event means for the device's update."""

    FAIL = "fail"
    INFO = "info"
    SKIPPED = "skipped"
    SUCCESS = "success"

    @property
    def final(self) -> bool:
        """Whether the device is done."""
        return self is not Summary.INFO


#: Given to a device when a campaign takes it in, and to one that is removed meanwhile.
WAITING, REMOVED = "SYS_100", "SYS_121"

_GROUPS = {
    Summary.SUCCESS: r"UPD4_OK_(100|M1)|UPD2_OK_(1|18|19)|UPD1_OK_1|SYS_112",
    Summary.SKIPPED: r"SYS_(110|117|118|121|122)",
    Summary.INFO: r"SYS_(100|10[5-8]|11[3-6]|120|125)|UPD1_STATE_[0-3]|UPD2_STATE_[0-8]"
    r"|UPD[12]_REPORT_(HASH|VERSION)",
    Summary.FAIL: r"SYS_(101|103|104|111|123|124)|UPD1_FAIL_[2-9]|UPD2_FAIL_([2-9]|1[0-7])"
    r"|UPD4_FAIL_[1-9][0-9]{2}",
}
_PATTERNS = {summary: re.compile(text, re.ASCII) for summary, text in _GROUPS.items()}

_DESCRIPTIONS = {
    WAITING: "Waiting for the device",
    "SYS_110": "The device already has this firmware",
    REMOVED: "The device was removed",
    "UPD4_OK_100": "Firmware updated",
    "UPD4_OK_M1": "Firmware updated",
    "UPD2_STATE_2": "Manifest received",
    "UPD2_STATE_4": "Downloading",
    "UPD2_STATE_5": "Downloaded",
    "UPD2_STATE_7": "Installing",
    "UPD2_STATE_8": "Started again",
    "UPD4_FAIL_101": "Network failure",
    "UPD4_FAIL_102": "Payload failure",
    "UPD4_FAIL_103": "System failure",
    "UPD4_FAIL_200": "Manifest refused",
    "UPD4_FAIL_206": "Manifest missing",
    "UPD4_FAIL_207": "Manifest damaged",
    "UPD4_FAIL_208": "The update certificate is not on the device",
    "UPD4_FAIL_209": "The update certificate is not valid",
    "UPD4_FAIL_210": "The signature of the manifest does not verify",
    "UPD4_FAIL_214": "The schema version of the manifest is not supported",
    "UPD4_FAIL_215": "The vendor id differs",
    "UPD4_FAIL_216": "The class id differs",
    "UPD4_FAIL_217": "A size in the manifest is wrong",
    "UPD4_FAIL_218": "A format in the manifest is not supported",
    "UPD4_FAIL_220": "A field of the manifest is missing",
    "UPD4_FAIL_221": "The version is not newer than the installed one",
    "UPD4_FAIL_228": "The device id differs",
    "UPD4_FAIL_229": "The delta was made against another image",
    "UPD4_FAIL_230": "There is no processor for this payload",
    "UPD4_FAIL_307": "The URL of the payload is not valid",
    "UPD4_FAIL_308": "The kind of request is not supported",
    "UPD4_FAIL_309": "The downloaded data has the wrong hash",
    "UPD4_FAIL_315": "The application refused the download",
    "UPD4_FAIL_316": "The application did not answer the download request",
    "UPD4_FAIL_505": "The new firmware did not start",
    "UPD4_FAIL_511": "The application refused the installation",
    "UPD4_FAIL_512": "The application did not answer the installation request",
}
_RANGES = (
    (range(201, 206), "The manifest could not be transferred"),
    (range(211, 214), "A dependent manifest is missing or busy"),
    (range(219, 225), "The manifest cannot be used by this device"),
    (range(225, 228), "The manifest could not be stored"),
    (range(300, 307), "The payload could not be downloaded"),
    (range(310, 315), "The application refused the download"),
    (range(400, 410), "The payload could not be processed"),
    (range(500, 506), "The payload could not be written"),
    (range(506, 511), "The application refused the installation"),
)


def summary_of(event: str) -> Summary | None:
    """Return what an event means, None for an unknown one."""
    return next((kind for kind, known in _PATTERNS.items() if known.fullmatch(event)), None)


def describe(event: str) -> str:
    """Return the meaning of an event for people."""
    if event in _DESCRIPTIONS:
        return _DESCRIPTIONS[event]
    if event.startswith("UPD4_FAIL_"):
        number = int(event.rpartition("_")[2])
        return next((text for numbers, text in _RANGES if number in numbers), "Failed")
    summary = summary_of(event)
    return {Summary.SUCCESS: "Firmware updated", Summary.FAIL: "Failed"}.get(
        summary or Summary.INFO, "In progress"
    )
