"""What a device means by an event code, and what to do about it (section 1.9)."""

from __future__ import annotations

import re

_CODE = re.compile(r"UPD4_FAIL_(\d{1,4})", re.IGNORECASE)
_RESOURCES = "the device was built with other keys or resources than this project's"
_HINTS: tuple[tuple[range, str], ...] = (
    (range(101, 104), "look at the log of the device"),
    (range(201, 206), "the manifest did not arrive: check the connection of the device"),
    (range(206, 208), "the manifest is missing or damaged: upload again"),
    (range(208, 211), f"{_RESOURCES}: 'fotabuild resources' makes them"),
    (range(211, 214), "another update is under way on the device"),
    (range(214, 215), "the device reads another version of manifests: change 'formats'"),
    (range(215, 217), "vendor or class differ: build the firmware with this project's resources"),
    (range(217, 219), "the device does not take this size or payload format"),
    (range(221, 222), "the version is not newer than the installed one: raise it"),
    (range(225, 228), "the device has no room for the manifest"),
    (range(228, 229), "the manifest is for another device"),
    (range(229, 230), "the delta was made from another image than the installed one"),
    (range(230, 231), "the device cannot process such a payload"),
    (range(300, 307), "the download failed: can the device reach the payload's URL?"),
    (range(307, 309), "the device does not accept the payload's URL"),
    (range(309, 310), "what the device downloaded has another digest"),
    (range(310, 315), "defined by the application: see its log"),
    (range(315, 317), "the application refused the download, or did not answer"),
    (range(400, 410), "the device could not process the payload: look at its log"),
    (range(500, 506), "the device could not write or activate the image: look at its log"),
    (range(506, 511), "defined by the application: see its log"),
    (range(511, 513), "the application refused the installation, or did not answer"),
)


def hint(event: str) -> str | None:
    """Return what to do about an event code, if that is known."""
    match = _CODE.fullmatch(event)
    if match is None:
        return None
    number = int(match[1])
    return next((text for codes, text in _HINTS if number in codes), None)
