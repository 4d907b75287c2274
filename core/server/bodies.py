"""Reading the body of a request within limits."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import ClientDisconnect, Request

from fotabuild.server.limits import ServerLimits
from fotabuild.server.refusal import Refusal

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_DRAIN_SECONDS = 30


class Body:
    """The body of one request.

    Attributes:
        length: what ``Content-Length`` says, or None.
        read: how many bytes were read.
        done: whether all of it was read.
    """

    def __init__(self, request: Request, limits: ServerLimits) -> None:
        self._request = request
        self._limits = limits
        length = request.headers.get("content-length", "")
        self.length = int(length) if length.isascii() and length.isdigit() else None
        self.read = 0
        self.done = self.length == 0 or (
            self.length is None and "transfer-encoding" not in request.headers
        )

    async def pieces(self, limit: int, what: str) -> AsyncIterator[bytes]:
        """Yield the body.

        Args:
            limit: largest number of bytes.
            what: what the body is, for the message.

        Raises:
            Refusal: larger than the limit, or cut off, or no piece arrives for too long.
        """
        if self.length is not None and self.length > limit:
            raise too_large(what, limit)
        while not self.done:
            piece = await self._receive(self._limits.idle)
            if self.read > limit:
                raise too_large(what, limit)
            if piece:
                yield piece

    async def whole(self, limit: int, what: str) -> bytes:
        """Return the whole body; raises as :meth:`pieces`."""
        return b"".join([piece async for piece in self.pieces(limit, what)])

    async def drain(self) -> bool:
        """Read and forget the rest of a refused body, within bounds.

        A client that is still sending when the connection closes may never see the answer.

        Returns:
            Whether all of it was read.
        """
        if self._request.headers.get("expect", "").lower() == "100-continue":
            return self.done
        if (self.length or 0) - self.read > self._limits.drain:
            return self.done
        end = asyncio.get_running_loop().time() + _DRAIN_SECONDS
        start = self.read
        try:
            while not self.done and self.read - start <= self._limits.drain:
                rest = end - asyncio.get_running_loop().time()
                if rest <= 0:
                    break
                await self._receive(min(rest, 5))
        except (Refusal, ClientDisconnect):
            pass
        return self.done

    async def _receive(self, seconds: float) -> bytes:
        try:
            message = await asyncio.wait_for(self._request.receive(), seconds)
        except asyncio.TimeoutError:
            raise Refusal(408, "the rest of the body did not arrive in time") from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        self.read += len(piece)
        self.done = not message.get("more_body", False)
        return piece


def too_large(what: str, limit: int) -> Refusal:
    """Return the answer to something that is larger than allowed."""
    return Refusal(413, f"the {what} is larger than the limit of {limit} bytes")


async def read_json(request: Request, body: Body, limits: ServerLimits) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        Refusal: another content type, not JSON, not an object, duplicate names, too deep, too
            large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(400, f"the content type is {kind[:60] or 'missing'}, not application/json")
    data = await body.whole(limits.json, "JSON body")
    if _depth(data) > limits.json_depth:
        raise Refusal(400, f"the JSON is nested deeper than {limits.json_depth}")
    try:
        values = json.loads(data, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"the body is not JSON: {error}"[:200]) from None
    if not isinstance(values, dict):
        raise Refusal(400, "the body is not a JSON object")
    return values


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name is there twice")
    return values


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _depth(data: bytes) -> int:
    depth = deepest = 0
    for character in _STRING.sub(b"", data):
        if character in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in b"]}":
            depth -= 1
    return deepest
