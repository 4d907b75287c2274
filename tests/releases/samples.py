"""Releases to put into stores."""

from __future__ import annotations

import random
from typing import Any

from fotabuild.formats.patch_stream import MAGIC
from fotabuild.releases.new_release import NewRelease

DATE = "2026-01-31T12:00:00Z"


def image(seed: int, size: int = 3000) -> bytes:
    """Return an image that can apply patches, the same in every run."""
    start = b"image" + MAGIC
    return start + random.Random(seed).randbytes(size - len(start))


def release(version: str = "1.0.0", seed: int = 1, **more: Any) -> NewRelease:
    """Return a release; ``more`` replaces its values."""
    values = {"version": version, "component": "MAIN", "date": DATE, "image": image(seed)}
    return NewRelease(**{**values, **more})


def copy(new: NewRelease) -> NewRelease:
    """Return a release, as somebody does who reads it."""
    return new
