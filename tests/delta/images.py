"""Pairs of images with every kind of change between them."""

from __future__ import annotations

import random

from ..formats.golden import firmware

BLOCK_SIZES = (64, 65, 127, 128, 512, 1000, 1024, 4096, 65536)


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that do not compress, the same in every run."""
    return random.Random(seed).randbytes(size)


def _pairs() -> dict[str, tuple[bytes, bytes]]:
    code = firmware("fw-1.0.0")
    words = noise(4096)
    shifted = bytes((byte + 1) % 256 for byte in words)
    return {
        "identical": (code, code),
        "identical byte": (b"x", b"x"),
        "other byte": (b"x", b"y"),
        "one byte from much": (code, b"\x00"),
        "much from one byte": (b"\x00", code),
        "one byte changed": (code, code[:5000] + b"\xa5" + code[5001:]),
        "one byte inserted": (code, code[:5000] + b"\xa5" + code[5000:]),
        "one byte removed": (code, code[:5000] + code[5001:]),
        "shrinking": (code, firmware("fw-0.9.0")),
        "growing": (firmware("fw-0.9.0"), firmware("fw-1.1.0")),
        "only the beginning": (code, code[:100]),
        "only the end": (code, code[-100:]),
        "halves exchanged": (code, code[18000:] + code[:18000]),
        "twice": (code[:3000], code[:3000] * 3),
        "unrelated": (code, noise(3000)),
        "incompressible": (noise(70000, 2), noise(70000, 3)),
        "every byte one more": (words, shifted),
        "old shorter": (code[:300], code),
        "nothing old": (b"", code[:2000]),
        "zeros from code": (code[:2000], bytes(70000)),
        "code from zeros": (bytes(5000), code[:2000]),
        "end padded": (code, code + b"\xff" * 9000),
        "padding cut": (code + b"\xff" * 9000, code),
    }


PAIRS = _pairs()
