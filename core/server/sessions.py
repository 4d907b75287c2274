"""Logins of people: an access key once, then a signed cookie."""

from __future__ import annotations

import base64
import hashlib
import hmac

#: Name of the cookie.
COOKIE = "fotabuild-session"
#: How long a login lasts.
SESSION_SECONDS = 12 * 3600
_LIMIT = 300


def make_session(secret: bytes, key_id: str, now: int) -> str:
    """Return the value of the cookie.

    Args:
        secret: of this server; another one's cookies are worth nothing here.
        key_id: the access key that was given.
        now: seconds since 1970.
    """
    text = f"{key_id}.{now + SESSION_SECONDS}"
    return f"{text}.{_sign(secret, text)}"


def read_session(secret: bytes, cookie: str, now: int) -> str | None:
    """Return the access key's identifier; None for a forged or outdated cookie.

    Whether the key is still good is for the caller to look up.
    """
    text, _, signature = cookie[:_LIMIT].rpartition(".")
    if not hmac.compare_digest(_sign(secret, text).encode(), signature.encode()):
        return None
    key_id, _, end = text.partition(".")
    return key_id if now < int(end) else None


def _sign(secret: bytes, text: str) -> str:
    digest = hmac.new(secret, text.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
