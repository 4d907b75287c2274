"""Versions of firmware that resemble one another."""

from __future__ import annotations

import random
from pathlib import Path

# Not at the beginning: that is where patches have it.
MARKER = b"firmware" + b"PELION/BSDIFF001"


def versions(count: int, size: int = 20_000, seed: int = 1) -> list[bytes]:
    """Return images, each a little different from the one before."""
    chance = random.Random(seed)
    words = [chance.randbytes(8) for _ in range(64)]
    image = bytearray(MARKER)
    while len(image) < size:
        image += chance.choice(words) + chance.randbytes(4)
    found = []
    for number in range(count):
        for _ in range(20):
            place = chance.randrange(len(MARKER), len(image) - 4)
            image[place : place + 4] = chance.randbytes(4)
        place = chance.randrange(len(MARKER), len(image))
        image[place:place] = chance.randbytes(40)
        found.append(bytes(image) + number.to_bytes(4, "little"))
    return found


def write(folder: Path, images: list[bytes], stem: str = "fw") -> list[Path]:
    """Write images into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{stem}-{number}.bin" for number in range(len(images))]
    for path, data in zip(paths, images, strict=True):
        path.write_bytes(data)
    return paths
