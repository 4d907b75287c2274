"""``/v3/update-campaigns``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from starlette.responses import Response
from starlette.routing import Route

from fotabuild.server.bodies import read_json
from fotabuild.server.campaign_fields import FIELDS, campaign_view
from fotabuild.server.campaigns import (
    add_campaign,
    approve_campaign,
    archive_campaign,
    change_campaign,
    delete_campaign,
    start_campaign,
    stop_campaign,
)
from fotabuild.server.endpoints import Answer, Call, Handler, route
from fotabuild.server.filters import Condition
from fotabuild.server.lists import find, parse_page, select_page
from fotabuild.server.phases import Phase
from fotabuild.server.refusal import not_found
from fotabuild.server.service import Service
from fotabuild.server.statistics import (
    METADATA_FIELDS,
    event_types,
    metadata_view,
    one_event_type,
    one_summary,
    statistics,
)

_BASE = "/v3/update-campaigns"
_KIND = "update campaign"
_Action = Callable[[sqlite3.Connection, Service, str], None]


async def create(call: Call) -> Response:
    """Make a draft."""
    service = call.service
    values = await read_json(call.request, call.body, service.limits)
    row = await service.database.write(lambda c: add_campaign(c, service, values))
    return Answer(campaign_view(service, row), 201)


async def list_all(call: Call) -> Response:
    """List campaigns."""
    service = call.service
    page = parse_page(call.request.query_params.multi_items(), FIELDS, service.limits)
    return Answer(
        await service.database.read(
            lambda c: select_page(c, "campaigns", page, lambda row: campaign_view(service, row))
        )
    )


async def get(call: Call) -> Response:
    """Show a campaign. This never moves it; that somebody looked is remembered."""
    identifier, service = call.id("id", _KIND), call.service
    row = await service.database.read(lambda c: find(c, "campaigns", identifier, _KIND))
    if row["phase"] in (Phase.STARTING.value, Phase.ACTIVE.value):
        service.seen.add(identifier)
    return Answer(campaign_view(service, row))


async def put(call: Call) -> Response:
    """Change a campaign."""
    identifier, service = call.id("id", _KIND), call.service
    values = await read_json(call.request, call.body, service.limits)
    row = await service.database.write(lambda c: change_campaign(c, service, identifier, values))
    return Answer(campaign_view(service, row))


async def remove(call: Call) -> Response:
    """Forget a campaign."""
    identifier = call.id("id", _KIND)
    await call.service.database.write(lambda c: delete_campaign(c, identifier))
    call.service.seen.discard(identifier)
    return Response(status_code=204)


def _action(act: _Action) -> Handler:
    async def handler(call: Call) -> Response:
        identifier, service = call.id("id", _KIND), call.service
        await service.database.write(lambda c: act(c, service, identifier))
        service.activity.set()
        return Response(status_code=202)

    return handler


async def get_statistics(call: Call) -> Response:
    """Show the numbers."""
    identifier = call.id("id", _KIND)
    return Answer(await call.service.database.read(lambda c: statistics(c, identifier)))


async def get_summary(call: Call) -> Response:
    """Show one number."""
    identifier, name = call.id("id", _KIND), call.request.path_params["summary"]
    return Answer(await call.service.database.read(lambda c: one_summary(c, identifier, name)))


async def get_event_types(call: Call) -> Response:
    """Show what is behind a number."""
    identifier, name = call.id("id", _KIND), call.request.path_params["summary"]
    return Answer(await call.service.database.read(lambda c: event_types(c, identifier, name)))


async def get_event_type(call: Call) -> Response:
    """Show one event."""
    identifier, params = call.id("id", _KIND), call.request.path_params
    return Answer(
        await call.service.database.read(
            lambda c: one_event_type(c, identifier, params["summary"], params["event"])
        )
    )


async def list_metadata(call: Call) -> Response:
    """List the devices of a campaign."""
    identifier, service = call.id("id", _KIND), call.service
    page = parse_page(call.request.query_params.multi_items(), METADATA_FIELDS, service.limits)
    within = Condition("campaign_id = ?", (identifier,))
    _, answer = await service.database.read(
        lambda c: (
            find(c, "campaigns", identifier, _KIND),
            select_page(c, "campaign_devices", page, metadata_view, within),
        )
    )
    return Answer(answer)


async def get_metadata(call: Call) -> Response:
    """Show a device of a campaign."""
    identifier, record = call.id("id", _KIND), call.id("record", "record")
    row = await call.service.database.read(
        lambda c: find(c, "campaign_devices", record, "record of a device")
    )
    if row["campaign_id"] != identifier:
        raise not_found("record of a device")
    return Answer(metadata_view(row))


_ONE = _BASE + "/{id}"
ROUTES: list[Route] = [
    *route(_BASE, {"POST": create, "GET": list_all}),
    *route(_ONE, {"GET": get, "PUT": put, "DELETE": remove}),
    *route(_ONE + "/start", {"POST": _action(start_campaign)}),
    *route(_ONE + "/stop", {"POST": _action(stop_campaign)}),
    *route(_ONE + "/archive", {"POST": _action(archive_campaign)}),
    *route(_ONE + "/approve", {"POST": _action(approve_campaign)}),
    *route(_ONE + "/statistics", {"GET": get_statistics}),
    *route(_ONE + "/statistics/{summary}", {"GET": get_summary}),
    *route(_ONE + "/statistics/{summary}/event_types", {"GET": get_event_types}),
    *route(_ONE + "/statistics/{summary}/event_types/{event}", {"GET": get_event_type}),
    *route(_ONE + "/campaign-device-metadata", {"GET": list_metadata}),
    *route(_ONE + "/campaign-device-metadata/{record}", {"GET": get_metadata}),
]
