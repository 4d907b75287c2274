"""The date of a build, for formats that demand one."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from fotabuild.errors import FileError

# The first of January 9000: certificates and calendars end with the year 9999.
_LATEST_TIME = 221_845_392_000


def build_time(environ: Mapping[str, str] = os.environ) -> int:
    """Return the date to write where a format demands one, in seconds since 1970.

    ``SOURCE_DATE_EPOCH`` wins over the clock, see reproducible-builds.org.
    """
    text = environ.get("SOURCE_DATE_EPOCH")
    if text is None:
        return int(time.time())
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) < _LATEST_TIME):
        raise FileError(
            "SOURCE_DATE_EPOCH is not a number of seconds before the year 9000",
            remedy="correct or unset it",
        )
    return int(text)
