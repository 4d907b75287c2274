"""What runs on the workers of a cluster, where fotabuild must be installed, and what it answers.

Answers are plain data, and errors are texts: who asked need not build objects of a stranger.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from fotabuild.cache import engine
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.hints import ImageHints
from fotabuild.delta.patch import Patch
from fotabuild.digest import sha256
from fotabuild.errors import ClusterError, FotabuildError, printable

_LONGEST_TEXT = 300


class TaskError(Exception):
    """A task gave nothing that can be used; another worker may do better."""


class Answer(NamedTuple):
    """What a worker returns.

    Attributes:
        engine: fingerprint of the worker's engine.
        patch: the patch as MessagePack; empty if there is none.
        digest: SHA-256 of these bytes, since networks and memories are not perfect.
        refusal: why no engine makes this patch; empty if one does.
        trouble: what went wrong on this worker.
    """

    engine: str
    patch: bytes = b""
    digest: bytes = b""
    refusal: str = ""
    trouble: str = ""


def image(data: bytes) -> bytes:
    """Return an image: the task whose result is kept by workers, and made again when lost."""
    return data


def make(
    old: bytes,
    new: bytes,
    block_size: int,
    effort: Effort,
    hints: ImageHints | None,
    expected: str,
    time_limit: float | None = None,
) -> Answer:
    """Make one patch.

    Args:
        old: the installed image.
        new: the image after the update.
        block_size: frame bound in bytes.
        effort: how hard to look for a smaller patch.
        hints: symbols of both images.
        expected: fingerprint of the asker's engine; another one here makes nothing.
        time_limit: seconds after which the smallest patch so far is taken; None for no limit.
    """
    mine = engine.fingerprint()
    if mine != expected:
        return Answer(mine)
    try:
        patch = make_patch(
            old, new, block_size=block_size, effort=effort, time_limit=time_limit, hints=hints
        )
        data = msgspec.msgpack.encode(patch)
    except FotabuildError as error:
        return Answer(mine, refusal=str(error))
    except Exception as error:
        return Answer(mine, trouble=f"{type(error).__name__}: {error}")
    return Answer(mine, data, sha256(data))


def read_answer(found: object) -> Patch | None:
    """Return the patch of an answer; None if no engine makes one.

    That it is the right one is not known yet.

    Raises:
        TaskError: it is damaged, or something else.
        ClusterError: the worker has another fotabuild.
    """
    try:
        plain = tuple(found) if isinstance(found, tuple) else found
        answer = msgspec.convert(plain, Answer, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise TaskError(f"a worker returned something else: {error}") from None
    if answer.engine != engine.fingerprint():
        raise ClusterError(
            "a worker has another version of fotabuild or its libraries",
            remedy="install the same ones there as here",
        )
    if answer.trouble:
        raise TaskError(printable(answer.trouble[:_LONGEST_TEXT]))
    if answer.refusal:
        return None
    if sha256(answer.patch) != answer.digest:
        raise TaskError("a worker returned a damaged patch")
    try:
        return msgspec.msgpack.decode(answer.patch, type=Patch)
    except (msgspec.MsgspecError, RecursionError, MemoryError):
        raise TaskError("a worker returned something else than a patch") from None
