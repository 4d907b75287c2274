"""Identifiers: 32 lower-case hexadecimal digits that sort by the time they were made.

The order lets a list go on behind an item that has been deleted meanwhile.
"""

from __future__ import annotations

import re
import secrets
import threading
import time

_PATTERN = re.compile("[0-9a-f]{32}", re.ASCII)
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Return a new identifier, greater than every one that this process made before."""
    global _last
    with _lock:
        # Microseconds leave room for one a microsecond; the 64 random bits cannot be guessed.
        _last = max(_last + 1, time.time_ns() // 1000)
        return f"{_last:016x}{secrets.token_hex(8)}"


def is_id(text: object) -> bool:
    """Tell whether ``text`` can be an identifier."""
    return isinstance(text, str) and _PATTERN.fullmatch(text) is not None
