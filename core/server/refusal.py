"""Answers that say no (device-management-api, section 1.1)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

_TYPES = {
    400: "validation_error",
    401: "invalid_token",
    403: "access_denied",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    411: "length_required",
    413: "payload_too_large",
    416: "range_not_satisfiable",
    421: "misdirected_request",
    429: "too_many_requests",
    431: "headers_too_large",
    500: "internal_server_error",
    503: "service_unavailable",
    507: "insufficient_storage",
}


class Refusal(Exception):  # noqa: N818 - it is an answer to a client, no error of this program
    """A request that is answered with an error.

    Args:
        status: the HTTP status.
        message: what is wrong, for the person behind the client.
        fields: name and message of each part of the request that is wrong.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        fields: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.fields = fields
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the answer."""
        body: dict[str, Any] = {
            "object": "error",
            "code": self.status,
            "type": _TYPES.get(self.status, "error"),
            "message": self.message,
            "request_id": secrets.token_hex(16),
        }
        if self.fields:
            body["fields"] = [{"name": name, "message": text} for name, text in self.fields]
        return body


def invalid(name: str, message: str) -> Refusal:
    """Return the answer to a field that cannot be used."""
    return Refusal(400, f"{name}: {message}", fields=[(name, message)])


def not_found(kind: str) -> Refusal:
    """Return the answer to an identifier that nothing has."""
    return Refusal(404, f"there is no such {kind}")


def too_large_manifest(limit: int) -> Refusal:
    """Return the answer to a manifest above the limit, which is 400 (section 1.6)."""
    return invalid("datafile", f"a manifest has up to {limit} bytes")
