"""SHA-256, without waiting for OpenSSL where there is little to do."""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

# Python's own SHA-256 takes longer for more bytes than OpenSSL takes to load.
_SHORT = 1 << 17


def sha256(data: bytes) -> bytes:
    """Return the 32-byte SHA-256 of ``data``."""
    if len(data) > _SHORT or "hashlib" in sys.modules:
        import hashlib

        return hashlib.sha256(data).digest()
    digest: bytes = _sha256_without_openssl()(data).digest()
    return digest


@functools.cache
def _sha256_without_openssl() -> Callable[[bytes], Any]:
    """Return Python's own SHA-256, as the module random does: OpenSSL takes long to load."""
    for name in ("_sha2", "_sha256"):  # Since and before Python 3.12.
        with contextlib.suppress(ImportError):
            return importlib.import_module(name).sha256  # type: ignore[no-any-return]
    import hashlib

    return hashlib.sha256
