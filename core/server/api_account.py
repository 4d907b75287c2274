"""``/v3/devices``, ``/v3/api-keys/me`` and ``/v3/accounts/me``."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from fotabuild.server.clock import to_text
from fotabuild.server.devices import FIELDS, delete_device, device_view
from fotabuild.server.endpoints import Answer, Call, route
from fotabuild.server.lists import find, parse_page, select_page


async def list_devices(call: Call) -> Response:
    """List devices."""
    page = parse_page(call.request.query_params.multi_items(), FIELDS, call.service.limits)
    return Answer(
        await call.service.database.read(lambda c: select_page(c, "devices", page, device_view))
    )


async def get_device(call: Call) -> Response:
    """Show a device."""
    identifier = call.id("id", "device")
    row = await call.service.database.read(lambda c: find(c, "devices", identifier, "device"))
    return Answer(device_view(row))


async def remove_device(call: Call) -> Response:
    """Forget a device."""
    identifier = call.id("id", "device")
    await call.service.database.write(lambda c: delete_device(c, call.service, identifier))
    call.service.forget_device(identifier)
    return Response(status_code=204)


async def get_key(call: Call) -> Response:
    """Show the key that asks: a cheap check of address and key."""
    assert call.key is not None
    return Answer(
        {
            "object": "api-key",
            "id": call.key.id,
            "name": call.key.name,
            "role": call.key.role.value,
            "status": "ACTIVE",
            "account_id": call.service.account_id,
            "created_at": to_text(call.key.created_at),
        }
    )


async def get_account(call: Call) -> Response:
    """Show the account: there is one."""
    return Answer(
        {
            "object": "account",
            "id": call.service.account_id,
            "display_name": "fotabuild local update server",
            "status": "ENROLLED",
        }
    )


ROUTES: list[Route] = [
    *route("/v3/devices", {"GET": list_devices}),
    *route("/v3/devices/{id}", {"GET": get_device, "DELETE": remove_device}),
    *route("/v3/api-keys/me", {"GET": get_key}),
    *route("/v3/accounts/me", {"GET": get_account}),
]
