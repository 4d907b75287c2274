"""``/v3/firmware-images/upload-jobs``."""

from __future__ import annotations

import base64
import binascii

from starlette.responses import Response
from starlette.routing import Route

from fotabuild.server.bodies import read_json
from fotabuild.server.device_values import text_of
from fotabuild.server.endpoints import Answer, Call, route
from fotabuild.server.jobs import (
    FIELDS,
    add_chunk,
    add_job,
    change_job,
    chunk_view,
    chunks_of,
    delete_job,
    finish_job,
    job_view,
    require_open,
)
from fotabuild.server.lists import find, parse_page, select_page, whole_list
from fotabuild.server.refusal import Refusal, invalid, not_found

_BASE = "/v3/firmware-images/upload-jobs"
_CHUNK_TYPES = ("binary/octet-stream", "application/octet-stream", "")
_KIND = "upload job"


async def create_job(call: Call) -> Response:
    """Begin a job."""
    service, limits = call.service, call.service.limits
    values = await read_json(call.request, call.body, limits)
    texts = _texts(call, values)
    if "name" not in texts:
        raise invalid("name", "missing")
    encrypted = values.get("datafile_encryption", False)
    if not isinstance(encrypted, bool):
        raise invalid("datafile_encryption", "neither true nor false")
    row = await service.database.write(
        lambda c: add_job(c, service, texts["name"], texts.get("description", ""), encrypted)
    )
    return Answer(job_view(row), 201, {"Location": f"{_BASE}/{row['id']}"})


async def list_jobs(call: Call) -> Response:
    """List jobs."""
    page = parse_page(call.request.query_params.multi_items(), FIELDS, call.service.limits)
    return Answer(
        await call.service.database.read(lambda c: select_page(c, "jobs", page, job_view))
    )


async def get_job(call: Call) -> Response:
    """Show a job."""
    job_id = call.id("job", _KIND)
    return Answer(
        job_view(await call.service.database.read(lambda c: find(c, "jobs", job_id, _KIND)))
    )


async def put_job(call: Call) -> Response:
    """Change name and description."""
    job_id, service = call.id("job", _KIND), call.service
    texts = _texts(call, await read_json(call.request, call.body, service.limits))
    row = await service.database.write(lambda c: change_job(c, service, job_id, texts))
    return Answer(job_view(row))


async def remove_job(call: Call) -> Response:
    """Forget a job."""
    job_id = call.id("job", _KIND)
    await call.service.database.write(lambda c: delete_job(c, call.service, job_id))
    return Response(status_code=204)


async def create_chunk(call: Call) -> Response:
    """Append a chunk, or with an empty body make the image."""
    job_id, service, request = call.id("job", _KIND), call.service, call.request
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _CHUNK_TYPES:
        raise Refusal(400, f"the content type is {kind[:60]}, not binary/octet-stream")
    if call.body.length is None:
        raise Refusal(411, "a chunk needs a Content-Length")
    wanted = _md5(request.headers.get("content-md5"))
    await service.database.read(lambda c: require_open(c, service, job_id))
    with service.blobs.writer() as writer:
        async for piece in call.body.pieces(service.limits.chunk_max, "chunk"):
            writer.collect(piece)
            await writer.flush()
        staged = await writer.finish()
        if writer.size != call.body.length:
            raise Refusal(400, "the body is shorter than Content-Length says")
        if writer.md5 != wanted:
            raise invalid("Content-MD5", "the body has another digest")
        if staged.size:
            view = await service.database.write(
                lambda c: add_chunk(c, service, job_id, staged, wanted)
            )
        else:
            view = await finish_job(service, job_id, staged, wanted)
    where = f"{_BASE}/{job_id}/chunks/{view['id']}"
    return Answer(view, 201, {"Location": where, "Content-Location": where})


async def list_chunks(call: Call) -> Response:
    """List the chunks of a job: the basis for resuming."""
    job_id, limits = call.id("job", _KIND), call.service.limits
    page = parse_page(
        [pair for pair in call.request.query_params.multi_items() if pair[0] != "after"], {}, limits
    )
    after = call.request.query_params.get("after") or "0"
    if not (after.isascii() and after.isdigit() and len(after) < 10):
        raise invalid("after", "not the number of a chunk")
    _, rows = await call.service.database.read(
        lambda c: (find(c, "jobs", job_id, _KIND), chunks_of(c, job_id))
    )
    if page.descending:
        rows.reverse()
        rest = [row for row in rows if after == "0" or row["number"] < int(after)]
    else:
        rest = [row for row in rows if row["number"] > int(after)]
    return Answer(
        whole_list(
            [chunk_view(row) for row in rest[: page.limit]],
            limit=page.limit,
            after=None if after == "0" else after,
            order="DESC" if page.descending else "ASC",
            has_more=len(rest) > page.limit,
            total=len(rows) if page.total else None,
        )
    )


async def get_chunk(call: Call) -> Response:
    """Show a chunk."""
    job_id, number = call.id("job", _KIND), call.request.path_params["number"]
    _, rows = await call.service.database.read(
        lambda c: (find(c, "jobs", job_id, _KIND), chunks_of(c, job_id))
    )
    for row in rows:
        if str(row["number"]) == number:
            return Answer(chunk_view(row))
    raise not_found("chunk")


def _texts(call: Call, values: dict[str, object]) -> dict[str, str]:
    limits = {"name": call.service.limits.name, "description": call.service.limits.description}
    texts = {name: text_of(values, name) for name in limits if name in values}
    for name, text in texts.items():
        if len(text) > limits[name]:
            raise invalid(name, f"longer than {limits[name]} characters")
    return texts


def _md5(text: str | None) -> bytes:
    if text is None:
        raise invalid("Content-MD5", "missing")
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 16:
        raise invalid("Content-MD5", "not the base64 of an MD5")
    return digest


ROUTES: list[Route] = [
    *route(_BASE, {"POST": create_job, "GET": list_jobs}),
    *route(_BASE + "/{job}", {"GET": get_job, "PUT": put_job, "DELETE": remove_job}),
    *route(_BASE + "/{job}/chunks", {"POST": create_chunk, "GET": list_chunks}),
    *route(_BASE + "/{job}/chunks/{number}", {"GET": get_chunk}),
]
