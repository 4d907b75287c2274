"""Paths under which devices download: ``/files/<random>/<name>``."""

from __future__ import annotations

import re
import secrets

# Manifests hold the whole URL, and devices take 255 bytes of it.
_NAME_LIMIT = 48
_UNSAFE = re.compile("[^A-Za-z0-9._-]+", re.ASCII)


def new_file_token() -> str:
    """Return 32 random hexadecimal digits: who knows them may download."""
    return secrets.token_hex(16)


def safe_name(file_name: str) -> str:
    """Return a file name for a URL: plain ASCII, short, the ending kept."""
    name = _UNSAFE.sub("_", file_name).lstrip(".") or "payload"
    stem, dot, ending = name.rpartition(".")
    if dot and len(ending) <= 8:
        return stem[: _NAME_LIMIT - 1 - len(ending)] + dot + ending
    return name[:_NAME_LIMIT]


def file_path(token: str, name: str) -> str:
    """Return the path of a file."""
    return f"/files/{token}/{name}"
