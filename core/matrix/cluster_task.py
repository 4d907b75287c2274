"""What runs on the workers of a cluster; fotabuild must be installed there."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from fotabuild.cache import engine
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.hints import ImageHints
from fotabuild.errors import FotabuildError
from fotabuild.files import sha256


class Answer(NamedTuple):
    """What a worker returns.

    Attributes:
        engine: fingerprint of the worker's engine.
        patch: the patch as MessagePack; empty if there is none.
        digest: SHA-256 of these bytes, since networks and memories are not perfect.
        problem: why there is no patch; empty if there is one.
    """

    engine: str
    patch: bytes
    digest: bytes
    problem: str = ""


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
) -> Answer:
    """Make one patch.

    Args:
        old: the installed image.
        new: the image after the update.
        block_size: frame bound in bytes.
        effort: how hard to look for a smaller patch.
        hints: symbols of both images.
        expected: fingerprint of the asker's engine; another one here makes nothing.
    """
    mine = engine.fingerprint()
    if mine != expected:
        return Answer(mine, b"", b"")
    try:
        patch = make_patch(old, new, block_size=block_size, effort=effort, hints=hints)
    except FotabuildError as error:
        return Answer(mine, b"", b"", str(error))
    data = msgspec.msgpack.encode(patch)
    return Answer(mine, data, sha256(data))
