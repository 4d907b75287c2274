"""From requests to functions of the service: authentication, limits, errors as JSON."""

from __future__ import annotations

import dataclasses
import json
import logging
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from fotabuild.errors import printable
from fotabuild.server.access import AccessKey, Role, find_key
from fotabuild.server.bodies import Body
from fotabuild.server.database import is_storage_problem
from fotabuild.server.identifiers import is_id
from fotabuild.server.refusal import Refusal, not_found
from fotabuild.server.service import Service

LOG = logging.getLogger("fotabuild.server")
_TOKEN_LIMIT = 512
_MINUTE = 60.0


@dataclasses.dataclass(frozen=True)
class Call:
    """One request to the API.

    Attributes:
        request: the HTTP request.
        body: its body, not read yet.
        service: the server's data.
        key: who asks; None where nobody needs to say.
    """

    request: Request
    body: Body
    service: Service
    key: AccessKey | None = None

    def id(self, name: str, kind: str) -> str:
        """Return an identifier in the path.

        Raises:
            Refusal: 404, nothing can have it.
        """
        text: str = self.request.path_params[name]
        if not is_id(text):
            raise not_found(kind)
        return text


Handler = Callable[[Call], Awaitable[Response]]


class Answer(Response):
    """A JSON answer."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the bytes."""
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "backslashreplace"
        )


class RateLimit:
    """How many requests each key makes; buckets that fill up evenly.

    Args:
        per_minute: requests a minute, all of which may come at once; None for any number.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._rate = per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, key_id: str, now: float) -> None:
        """Count a request.

        Raises:
            Refusal: 429 with ``Retry-After``, too many.
        """
        if self._rate is None:
            return
        left, since = self._buckets.get(key_id, (float(self._rate), now))
        left = min(float(self._rate), left + (now - since) * self._rate / _MINUTE)
        if left < 1:
            wait = int((1 - left) * _MINUTE / self._rate) + 1
            raise Refusal(429, "too many requests", headers={"Retry-After": str(wait)})
        self._buckets[key_id] = left - 1, now


def bearer_token(request: Request) -> str | None:
    """Return the token of the ``Authorization`` header, None without one.

    Raises:
        Refusal: 401, another kind of authorization.
    """
    values = request.headers.getlist("authorization")
    if not values:
        return None
    scheme, _, token = values[0].partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer" or not 1 <= len(token) <= _TOKEN_LIMIT:
        raise Refusal(401, "the Authorization header is not 'Bearer' with a key")
    return token.strip()


def route(
    path: str, handlers: Mapping[str, Handler], *, access: bool = True
) -> tuple[Route, Route]:
    """Return the routes of a path, without and with a slash at the end.

    Args:
        path: the path, without one.
        handlers: what to call for each method.
        access: callers need an access key; other methods than GET a full one.
    """

    async def endpoint(request: Request) -> Response:
        service: Service = request.app.state.service
        call = Call(request, Body(request, service.limits), service)
        try:
            handler = handlers.get("GET" if request.method == "HEAD" else request.method)
            if access:
                call = dataclasses.replace(call, key=await _authenticate(request, service))
            if handler is None:
                allowed = ", ".join(sorted(handlers))
                raise Refusal(
                    405,
                    f"{request.method} is not possible here, but {allowed}",
                    headers={"Allow": allowed},
                )
            if access and request.method not in ("GET", "HEAD"):
                _require_full(call)
            response = await handler(call)
        except Refusal as refusal:
            response = await refuse(call, refusal)
        except ClientDisconnect:
            return Response(status_code=400)
        except (OSError, sqlite3.OperationalError) as error:
            if not is_storage_problem(error):
                raise
            LOG.error("the system refused: %s", printable(str(error)))
            response = await refuse(call, Refusal(507, "the server cannot store this"))
        if access and request.method not in ("GET", "HEAD"):
            LOG.info("%s %s: %d", request.method, printable(request.url.path), response.status_code)
        return response

    # Other methods than those above come here too, for an answer of our own.
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    plain, slash = (
        Route(text, endpoint, methods=methods, include_in_schema=False)
        for text in (path, path + "/")
    )
    return plain, slash


async def refuse(call: Call, refusal: Refusal) -> Response:
    """Answer with an error; the rest of the body is read first, within bounds."""
    if refusal.status == 408 or not await call.body.drain():
        refusal.headers["Connection"] = "close"
    return Answer(refusal.body(), refusal.status, refusal.headers)


async def _authenticate(request: Request, service: Service) -> AccessKey:
    token = bearer_token(request)
    if token is None:
        raise Refusal(401, "an access key is needed: Authorization: Bearer <key>")
    key = await service.database.read(lambda connection: find_key(connection, token))
    if key is None:
        raise Refusal(401, "this access key is not known here, or was revoked")
    rate: RateLimit = request.app.state.rate
    rate.check(key.id, time.monotonic())
    return key


def _require_full(call: Call) -> None:
    if call.key is None or call.key.role is not Role.FULL:
        raise Refusal(403, "this access key may only read")
