"""The whole application."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fotabuild.addresses import is_loopback
from fotabuild.errors import printable
from fotabuild.server import (
    api_account,
    api_campaigns,
    api_device,
    api_images,
    api_jobs,
    downloads,
    pages,
)
from fotabuild.server.bodies import Body
from fotabuild.server.campaign_engine import advance, due, unfinished
from fotabuild.server.database import is_storage_problem
from fotabuild.server.endpoints import LOG, Call, RateLimit, refuse
from fotabuild.server.refusal import Refusal
from fotabuild.server.service import Service

_TICK_SECONDS = 0.05
_IDLE_SECONDS = 1.0


class Gate:
    """Refuses requests before anything else looks at them.

    Those with too many headers; and on loopback those to a name that is not this machine's: a web
    site could give its own name our address, and use the server with its visitor's browser.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        call = Call(request, Body(request, self._service.limits), self._service)
        response = await refuse(call, refusal)
        await response(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        settings = self._service.settings
        if len(scope["headers"]) > settings.limits.headers:
            return Refusal(431, f"more than {settings.limits.headers} headers")
        if settings.loopback:
            host = dict(scope["headers"]).get(b"host", b"")
            if not _is_ours(host, settings.public_url):
                return Refusal(421, "this server does not go by that name; use its address")
        return None


def _is_ours(host: bytes, public_url: str) -> bool:
    try:
        name = urlsplit(f"//{host.decode('latin-1')}").hostname or ""
    except ValueError:
        return False
    return is_loopback(name) or name == urlsplit(public_url).hostname


def make_app(service: Service) -> ASGIApp:
    """Return the application of a service; its start runs the campaigns, too."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(run_campaigns(service))
        yield
        service.waiters.close()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    app = Starlette(
        # Devices first: there are most of them.
        routes=[
            *api_device.ROUTES,
            *downloads.routes(),
            *api_jobs.ROUTES,
            *api_images.ROUTES,
            *api_campaigns.ROUTES,
            *api_account.ROUTES,
            *pages.routes(service),
        ],
        exception_handlers={HTTPException: _http_error, Exception: _crash},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.service = service
    app.state.rate = RateLimit(service.settings.requests_per_minute)
    return Gate(app, service)


async def run_campaigns(service: Service) -> None:
    """Move the campaigns as time goes by, for ever."""
    while True:
        try:
            busy = await _move_campaigns(service)
            service.campaign_failures = 0
        except Exception as error:  # One bad moment must not stop all campaigns for good.
            service.campaign_failures += 1
            if service.campaign_failures == 1:
                trace = None if is_storage_problem(error) else error
                LOG.error("the campaigns wait, trying again: %s", error, exc_info=trace)
            busy = False
        if busy:
            await asyncio.sleep(_TICK_SECONDS)
            continue
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(service.activity.wait(), _IDLE_SECONDS)
        service.activity.clear()


async def _move_campaigns(service: Service) -> bool:
    """Do what is due; tell whether a campaign is running."""
    settings, seen = service.settings, service.seen
    now = service.clock.now()
    running, is_due = await service.database.read(
        lambda c: (bool(unfinished(c)), due(c, settings, now, seen))
    )
    if is_due:
        progress = await service.database.write(lambda c: advance(c, settings, now, seen))
        for line in progress.log:
            LOG.info("%s", printable(line))
        service.waiters.wake(progress.wake)
    return running


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    text = "there is nothing here" if status == 404 else f"HTTP status {status}"
    return await _refuse(request, Refusal(status, text))


async def _crash(request: Request, error: Exception) -> Response:
    LOG.error("%s %s", request.method, printable(request.url.path), exc_info=error)
    return await _refuse(request, Refusal(500, "the server made a mistake; its log says more"))


async def _refuse(request: Request, refusal: Refusal) -> Response:
    service: Service = request.app.state.service
    return await refuse(Call(request, Body(request, service.limits), service), refusal)
