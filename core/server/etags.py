"""Entity tags in conditions of requests (RFC 9110, section 13)."""

from __future__ import annotations


def matches(header: str, etag: str) -> bool:
    """Tell whether an ``If-None-Match`` header names this tag; weak tags count."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or "*" in tags
