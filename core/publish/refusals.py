"""Answers that are no success, as errors that say what to do (device-management-api, 1.1)."""

from __future__ import annotations

import msgspec

from fotabuild.errors import AnswerError, RejectedKeyError, ServiceError
from fotabuild.publish.access_key import AccessKey
from fotabuild.publish.transport import Answer, Request
from fotabuild.publish.values import Refusal

_REMEDIES = {
    400: "the request does not suit the service; nothing is gained by trying again",
    403: "the account or the key lacks a permission for this",
    404: "it does not exist (any more)",
    409: "its present phase does not allow this",
    413: "the account does not allow files of this size",
    429: "the service asks to slow down; try again later",
}


def refusal(request: Request, answer: Answer, url: str, key: AccessKey) -> ServiceError:
    """Return the error for an answer."""
    status = answer.status
    said = _said(answer.body)
    problem = f"{request}: status {status}{said and f': {said}'}"
    error: ServiceError
    if status == 401:
        error = RejectedKeyError(
            f"{url} does not accept the access key of {key.source}: {problem}",
            remedy="it is unknown, disabled or expired; the credentials of devices are no access "
            "keys",
        )
    elif status == 403:
        error = RejectedKeyError(problem, remedy=_REMEDIES[403])
    elif 300 <= status < 400:
        place = answer.headers.get("location", "somewhere else")[:200]
        error = AnswerError(
            f"{problem}, a redirect to {place}",
            remedy="redirects are not followed, the access key stays here; correct the URL of the "
            "service",
        )
    else:
        remedy = _REMEDIES.get(status)
        if status >= 500:
            remedy = "the service has trouble; try again later"
        error = ServiceError(problem, remedy=remedy)
    error.status = status
    return error


def _said(body: bytes) -> str:
    """Return what an error's body says, or how it begins when it is no JSON."""
    try:
        found = msgspec.json.decode(body, type=Refusal, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return " ".join(body[:400].decode("utf-8", "replace").split())[:200]
    parts = [found.message or ""]
    parts += [f"{field.name}: {field.message}" for field in (found.fields or ())[:20]]
    if found.request_id:
        parts.append(f"request {found.request_id}")
    return ", ".join(part for part in parts if part)[:500]
