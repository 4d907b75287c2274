"""``/v3/firmware-images`` and ``/v3/firmware-manifests``."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.routing import Route

from fotabuild.server.endpoints import LOG, Answer, Call, route
from fotabuild.server.forms import read_form
from fotabuild.server.images import (
    FIELDS,
    TABLE,
    EncryptedForm,
    add_image,
    delete_image,
    encrypt,
    image_view,
)
from fotabuild.server.lists import find, parse_page, select_page
from fotabuild.server.manifests import FIELDS as MANIFEST_FIELDS
from fotabuild.server.manifests import (
    add_manifest,
    check_manifest,
    delete_manifest,
    manifest_view,
    warnings_of,
)
from fotabuild.server.refusal import invalid, too_large_manifest

_KEY_TABLE_LIMIT = 64 * 1024


async def create_image(call: Call) -> Response:
    """Keep an image of one request (section 1.3)."""
    service, limits = call.service, call.service.limits
    form = read_form(
        call.request,
        call.body,
        service.blobs,
        texts=("name", "description", "datafile_encryption"),
        files={"datafile": limits.image},
    )
    async with form as parts:
        name = parts.text("name", limits.name)
        description = parts.text("description", limits.description, "")
        wanted = parts.text("datafile_encryption", 16, "false").lower()
        if wanted not in ("true", "false"):
            raise invalid("datafile_encryption", "neither true nor false")
        file = parts.file("datafile", limits.image_file_name)
        encrypted: EncryptedForm | None = None
        if wanted == "true":
            data = await asyncio.to_thread(file.staged.path.read_bytes)
            encrypted = await encrypt(service, [data], file.staged.size)
        try:
            row = await service.database.write(
                lambda connection: add_image(
                    connection,
                    service,
                    name=name,
                    description=description,
                    file_name=file.file_name,
                    plain=file.staged,
                    encrypted=encrypted,
                )
            )
        finally:
            if encrypted is not None:
                encrypted.staged.path.unlink(missing_ok=True)
    return Answer(image_view(service, row), 201)


async def list_images(call: Call) -> Response:
    """List images."""
    page = parse_page(call.request.query_params.multi_items(), FIELDS, call.service.limits)
    return Answer(
        await call.service.database.read(
            lambda c: select_page(c, TABLE, page, lambda row: image_view(call.service, row))
        )
    )


async def get_image(call: Call) -> Response:
    """Show an image."""
    identifier = call.id("id", "firmware image")
    row = await call.service.database.read(
        lambda c: find(c, "images", identifier, "firmware image")
    )
    return Answer(image_view(call.service, row))


async def remove_image(call: Call) -> Response:
    """Forget an image."""
    identifier = call.id("id", "firmware image")
    await call.service.database.write(lambda c: delete_image(c, call.service, identifier))
    return Response(status_code=204)


async def create_manifest(call: Call) -> Response:
    """Keep a manifest (section 1.6)."""
    service, limits = call.service, call.service.limits
    form = read_form(
        call.request,
        call.body,
        service.blobs,
        texts=("name", "description"),
        # What is too large is refused as the service does, below, not as a body that is too large.
        files={"datafile": limits.manifest + _KEY_TABLE_LIMIT, "key_table": _KEY_TABLE_LIMIT},
    )
    async with form as parts:
        name = parts.text("name", limits.name)
        description = parts.text("description", limits.description, "")
        file = parts.file("datafile", limits.manifest_file_name)
        if file.staged.size > limits.manifest:
            raise too_large_manifest(limits.manifest)
        data = file.staged.path.read_bytes()
        file_name = file.file_name
    facts = check_manifest(data)
    row, view, warnings = await service.database.write(
        lambda connection: (
            row := add_manifest(
                connection,
                service,
                name=name,
                description=description,
                file_name=file_name,
                data=data,
                facts=facts,
            ),
            manifest_view(connection, service, row),
            warnings_of(connection, service, facts),
        )
    )
    for warning in warnings:
        LOG.warning("manifest %s: %s", row["id"], warning)
    return Answer(view, 201)


async def list_manifests(call: Call) -> Response:
    """List manifests."""
    service = call.service
    page = parse_page(call.request.query_params.multi_items(), MANIFEST_FIELDS, service.limits)
    return Answer(
        await service.database.read(
            lambda c: select_page(c, "manifests", page, lambda row: manifest_view(c, service, row))
        )
    )


async def get_manifest(call: Call) -> Response:
    """Show a manifest."""
    identifier, service = call.id("id", "firmware manifest"), call.service
    return Answer(
        await service.database.read(
            lambda c: manifest_view(
                c, service, find(c, "manifests", identifier, "firmware manifest")
            )
        )
    )


async def remove_manifest(call: Call) -> Response:
    """Forget a manifest."""
    identifier = call.id("id", "firmware manifest")
    await call.service.database.write(lambda c: delete_manifest(c, call.service, identifier))
    call.service.activity.set()
    return Response(status_code=204)


ROUTES: list[Route] = [
    *route("/v3/firmware-images", {"POST": create_image, "GET": list_images}),
    *route("/v3/firmware-images/{id}", {"GET": get_image, "DELETE": remove_image}),
    *route("/v3/firmware-manifests", {"POST": create_manifest, "GET": list_manifests}),
    *route("/v3/firmware-manifests/{id}", {"GET": get_manifest, "DELETE": remove_manifest}),
]
