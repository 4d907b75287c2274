"""Pages for people: made by the server, to be read without a script."""

from __future__ import annotations

import functools
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jinja2
from markupsafe import Markup
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fotabuild import __version__
from fotabuild.errors import printable
from fotabuild.server import page_data
from fotabuild.server.access import find_key
from fotabuild.server.bodies import Body
from fotabuild.server.identifiers import is_id
from fotabuild.server.lists import find
from fotabuild.server.refusal import Refusal, not_found
from fotabuild.server.service import Service
from fotabuild.server.sessions import COOKIE, SESSION_SECONDS, make_session, read_session

_FOLDER = Path(__file__).parent
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self';"
    " connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STATIC = {"style.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}
_FORM_LIMIT = 4096
_View = Callable[[Service, Request], Awaitable[tuple[str, dict[str, Any]]]]


def _environment() -> jinja2.Environment:
    def finalize(value: Any) -> Any:
        # Names come from clients: characters that steer the direction of text are shown as codes.
        return (
            printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
        )

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"time": page_data.show_time, "size": page_data.show_size}
    environment.filters["breakable"] = _breakable
    environment.globals["version"] = __version__
    return environment


def _breakable(text: str) -> Markup:
    """Return text that may break anywhere, such as a digest, with its class."""
    return Markup('<span class="mono">{}</span>').format(printable(text))


async def overview(service: Service, _: Request) -> tuple[str, dict[str, Any]]:
    """Show what there is and what runs."""

    def work(connection: sqlite3.Connection) -> dict[str, Any]:
        lines = page_data.campaigns(connection, 8)
        return {"totals": page_data.totals(connection), "campaigns": lines}

    values = await service.database.read(work)
    live = any(line.running for line in values["campaigns"])
    return "overview.html", {**values, "live": live, "waiting": service.waiters.count}


async def images(service: Service, _: Request) -> tuple[str, dict[str, Any]]:
    """List the images."""
    found = await service.database.read(lambda c: page_data.images(c, service))
    return "images.html", {"images": found}


async def manifests(service: Service, _: Request) -> tuple[str, dict[str, Any]]:
    """List the manifests."""
    found = await service.database.read(lambda c: page_data.manifests(c, service))
    return "manifests.html", {"manifests": found}


async def manifest(service: Service, request: Request) -> tuple[str, dict[str, Any]]:
    """Explain a manifest."""
    identifier = _id(request, "manifest")
    found = await service.database.read(
        lambda c: page_data.manifest_line(c, service, find(c, "manifests", identifier, "manifest"))
    )
    return "manifest.html", {"manifest": found, "facts": found.facts}


async def campaigns(service: Service, _: Request) -> tuple[str, dict[str, Any]]:
    """List the campaigns."""
    found = await service.database.read(page_data.campaigns)
    return "campaigns.html", {"campaigns": found, "live": any(line.running for line in found)}


async def campaign(service: Service, request: Request) -> tuple[str, dict[str, Any]]:
    """Show how far a campaign is, device by device."""
    identifier = _id(request, "campaign")

    def work(connection: sqlite3.Connection) -> dict[str, Any]:
        row = find(connection, "campaigns", identifier, "campaign")
        line = page_data.campaign_line(connection, row)
        return {"campaign": line, "results": page_data.results(connection, identifier)}

    values = await service.database.read(work)
    return "campaign.html", {**values, "live": values["campaign"].running}


async def devices(service: Service, _: Request) -> tuple[str, dict[str, Any]]:
    """List the devices."""
    found = await service.database.read(page_data.devices)
    return "devices.html", {"devices": found, "last_seen": service.last_seen}


async def downloads(service: Service, _: Request) -> tuple[str, dict[str, Any]]:
    """List all that can be downloaded."""
    images, manifests = await service.database.read(
        lambda c: (page_data.images(c, service), page_data.manifests(c, service))
    )
    return "downloads.html", {"images": images, "manifests": manifests}


class Pages:
    """The pages of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._environment = _environment()

    @property
    def _open(self) -> bool:
        """Whether people look without a login: on this machine, unless that is unwanted."""
        return self._service.settings.loopback and not self._service.settings.private

    def page(self, view: _View) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of a page."""

        async def endpoint(request: Request) -> Response:
            try:
                if not await self._may_look(request):
                    return RedirectResponse("/login", 303, _HEADERS)
                template, values = await view(self._service, request)
                return self.render(request, template, values)
            except Refusal as refusal:
                return self.problem(request, refusal)

        return endpoint

    def render(
        self, request: Request, template: str, values: dict[str, Any], status: int = 200
    ) -> Response:
        """Return a page."""
        text = self._environment.get_template(template).render(
            {
                "path": request.url.path,
                "live": False,
                "public_url": self._service.settings.public_url,
                "login_needed": not self._open,
                "now": self._service.clock.now(),
                **values,
            }
        )
        return Response(text, status, _HEADERS, media_type="text/html")

    def problem(self, request: Request, refusal: Refusal) -> Response:
        """Return the page that says what is wrong."""
        values = {"status": refusal.status, "message": refusal.message}
        return self.render(request, "problem.html", values, refusal.status)

    async def login(self, request: Request) -> Response:
        """Ask for an access key; take it."""
        if request.method in ("GET", "HEAD"):
            return self.render(request, "login.html", {"wrong": False})
        try:
            self._check_origin(request)
            body = Body(request, self._service.limits)
            text = (await body.whole(_FORM_LIMIT, "form")).decode("utf-8", "replace")
            token = dict(parse_qsl(text, max_num_fields=4)).get("key", "").strip()
        except Refusal as refusal:
            return self.problem(request, refusal)
        except (ValueError, ClientDisconnect):
            token = ""
        key = await self._service.database.read(lambda connection: find_key(connection, token))
        if key is None:
            return self.render(request, "login.html", {"wrong": True}, 403)
        response = RedirectResponse("/", 303, _HEADERS)
        response.set_cookie(
            COOKIE,
            make_session(self._service.session_secret, key.id, int(time.time())),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=self._service.settings.public_url.startswith("https:"),
        )
        return response

    async def logout(self, _: Request) -> Response:
        """Forget the login."""
        response = RedirectResponse("/login", 303, _HEADERS)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    async def static(self, request: Request) -> Response:
        """Send a file that all pages use."""
        name = request.path_params["name"]
        if name not in _STATIC:
            return self.problem(request, not_found("file"))
        headers = {**_HEADERS, "Cache-Control": "max-age=3600"}
        return Response(_static(name), headers=headers, media_type=_STATIC[name])

    async def _may_look(self, request: Request) -> bool:
        if self._open:
            return True
        secret, now = self._service.session_secret, int(time.time())
        key_id = read_session(secret, request.cookies.get(COOKIE, ""), now)
        return key_id is not None and await self._service.database.read(
            lambda connection: _is_good(connection, key_id)
        )

    def _check_origin(self, request: Request) -> None:
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            raise Refusal(403, "this login comes from another site")


def _is_good(connection: sqlite3.Connection, key_id: str) -> bool:
    sql = "SELECT 1 FROM keys WHERE id = ? AND revoked_at IS NULL"
    return connection.execute(sql, (key_id,)).fetchone() is not None


def _id(request: Request, kind: str) -> str:
    text: str = request.path_params["id"]
    if not is_id(text):
        raise not_found(kind)
    return text


@functools.cache
def _static(name: str) -> bytes:
    return (_FOLDER / "static" / name).read_bytes()


def routes(service: Service) -> list[Route]:
    """Return the routes of the pages."""
    pages = Pages(service)
    views: dict[str, _View] = {
        "/": overview,
        "/images": images,
        "/manifests": manifests,
        "/manifests/{id}": manifest,
        "/campaigns": campaigns,
        "/campaigns/{id}": campaign,
        "/devices": devices,
        "/downloads": downloads,
    }
    return [
        *(Route(path, pages.page(view), methods=["GET"]) for path, view in views.items()),
        Route("/login", pages.login, methods=["GET", "POST"]),
        Route("/logout", pages.logout, methods=["POST"]),
        Route("/static/{name}", pages.static, methods=["GET"]),
    ]
