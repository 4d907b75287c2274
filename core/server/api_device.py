"""The device side: register, poll, report. Documented in ``docs/server.md``."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fotabuild.errors import printable
from fotabuild.server.bodies import read_json
from fotabuild.server.campaign_devices import join_continuous
from fotabuild.server.delivery import (
    Delivery,
    mark_fetched,
    parse_report,
    poll,
    take_report,
)
from fotabuild.server.device_values import parse_registration
from fotabuild.server.devices import delete_device, device_of, register_device
from fotabuild.server.endpoints import LOG, Answer, Call, bearer_token, route
from fotabuild.server.etags import matches
from fotabuild.server.refusal import Refusal, invalid


async def register(call: Call) -> Response:
    """Register a device, or take what it says about itself now."""
    service, token = call.service, bearer_token(call.request)
    given = parse_registration(await read_json(call.request, call.body, service.limits))

    def work(connection: sqlite3.Connection) -> tuple[int, str, str]:
        status, identifier, fresh = register_device(connection, service, given, token)
        join_continuous(connection, service.settings, identifier, service.clock.now())
        return status, identifier, fresh

    status, identifier, fresh = await service.database.write(work)
    service.last_seen[identifier] = service.clock.now()
    if status == 200:
        return Answer({"id": identifier}, status)
    LOG.info("device %s registered as %s", printable(given.endpoint_name), identifier)
    return Answer({"id": identifier, "token": fresh}, status)


async def update(call: Call) -> Response:
    """Hand out a manifest; wait for one if the device wants to."""
    service, token, wait = call.service, _token(call), _wait(call)
    handled = call.request.headers.get("if-none-match", "")
    device_id, delivery = await service.database.read(lambda c: poll(c, token))
    service.last_seen[device_id] = service.clock.now()
    if wait and not _is_new(delivery, handled):
        delivery = await _wait_for_new(call, device_id, handled, wait)
    if delivery is None:
        return Response(status_code=204)
    if not _is_new(delivery, handled):
        return Response(status_code=304, headers={"ETag": delivery.etag})
    return await _deliver(call, delivery)


async def _wait_for_new(call: Call, device_id: str, handled: str, wait: int) -> Delivery | None:
    """Wait until there is something new for a device, and return what there is in the end."""
    service, token = call.service, _token(call)
    loop = asyncio.get_running_loop()
    end = loop.time() + wait
    with service.waiters.wait(device_id) as waiting:
        event = waiting.event
        if service.waiters.count > service.limits.waiting:
            raise Refusal(503, "too many devices wait", headers={"Retry-After": "5"})
        gone = loop.create_task(_watch(call.request, event))
        try:
            while True:
                if waiting.replaced:
                    # Not 204: two that share a token would release each other without a pause.
                    raise Refusal(
                        429, "this device waits with another request", headers={"Retry-After": "5"}
                    )
                # Looked up after the registration above: nothing can slip through between.
                event.clear()
                _, delivery = await service.database.read(lambda c: poll(c, token))
                rest = end - loop.time()
                over = rest <= 0 or gone.done() or service.waiters.closing
                if over or _is_new(delivery, handled):
                    return delivery
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(event.wait(), rest)
        finally:
            gone.cancel()


async def _watch(request: Request, event: asyncio.Event) -> None:
    """End the waiting when the device hangs up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    event.set()


def _is_new(delivery: Delivery | None, handled: str) -> bool:
    return delivery is not None and not matches(handled, delivery.etag)


async def _deliver(call: Call, delivery: Delivery) -> Response:
    if delivery.first and call.request.method == "GET":
        await call.service.database.write(lambda c: mark_fetched(c, call.service, delivery.record))
    return Response(
        delivery.manifest,
        media_type="application/octet-stream",
        headers={
            "ETag": delivery.etag,
            "Fota-Campaign": delivery.campaign_id,
            "Cache-Control": "no-store",
        },
    )


async def report(call: Call) -> Response:
    """Take a report."""
    service, token = call.service, _token(call)
    given = parse_report(await read_json(call.request, call.body, service.limits))
    result = await service.database.write(lambda c: take_report(c, service, token, given))
    if isinstance(result, Refusal):
        raise result
    if result is not None:
        LOG.info("%s", printable(result))
    return Response(status_code=204)


async def leave(call: Call) -> Response:
    """Forget the device that asks for it."""
    service, token = call.service, _token(call)

    def work(connection: sqlite3.Connection) -> str:
        identifier: str = device_of(connection, token)["id"]
        delete_device(connection, service, identifier)
        return identifier

    identifier = await service.database.write(work)
    service.forget_device(identifier)
    LOG.info("device %s left", identifier)
    return Response(status_code=204)


def _token(call: Call) -> str:
    token = bearer_token(call.request)
    if token is None:
        raise Refusal(401, "the device's token is needed: Authorization: Bearer <token>")
    return token


def _wait(call: Call) -> int:
    text = call.request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise invalid("wait", "not a number of seconds")
    return min(int(text), call.service.limits.wait)


ROUTES: list[Route] = [
    *route("/device/v1/update", {"GET": update}, access=False),
    *route("/device/v1/report", {"POST": report}, access=False),
    *route("/device/v1/register", {"POST": register, "DELETE": leave}, access=False),
]
