"""The sizes that our patches of real firmware have, on file: a change must not make one larger.

python -m tests.delta_sizes.known           say what differs from the file
python -m tests.delta_sizes.known --write   write the file anew, after an improvement
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import lz4

from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch

from .conftest import GATE, images

FILE = Path(__file__).with_name("known_sizes.json")
BLOCK_SIZES = (512, 1024)
CASES = tuple(
    (name, effort, block_size) for name in GATE for effort in Effort for block_size in BLOCK_SIZES
)
# By how much the frames of another release of liblz4 may be larger; only `fast` depends on it.
_OTHER_LIBLZ4 = 1.003


class Known(NamedTuple):
    """What is on file.

    Attributes:
        liblz4: the release whose frames the sizes of ``fast`` are for.
        sizes: bytes by pair, effort and block size.
    """

    liblz4: str
    sizes: dict[str, dict[str, dict[str, int]]]

    def bound(self, name: str, effort: Effort, block_size: int) -> int:
        """Return the largest size that is allowed in bytes."""
        size = self.sizes[name][effort.value][str(block_size)]
        exact = effort is not Effort.FAST or self.liblz4 == liblz4()
        return size if exact else int(size * _OTHER_LIBLZ4)


def liblz4() -> str:
    """Return the release of liblz4 that is used here."""
    version: str = lz4.library_version_string()
    return version


def known() -> Known:
    """Return what is on file."""
    return Known(**json.loads(FILE.read_text(encoding="utf-8")))


@functools.cache
def size(name: str, effort: Effort, block_size: int) -> int:
    """Return the size in bytes of the patch that is made now."""
    old, new = images(name)
    return len(make_patch(old, new, block_size=block_size, effort=effort).data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare or write; 1 if a patch became larger."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the file anew")
    args = parser.parse_args(arguments)
    larger = 0
    sizes: dict[str, dict[str, dict[str, int]]] = {}
    before = known().sizes if FILE.is_file() else {}
    for name, effort, block_size in CASES:
        now = size(name, effort, block_size)
        by_effort = sizes.setdefault(name, {})
        by_effort.setdefault(effort.value, {})[str(block_size)] = now
        was = before.get(name, {}).get(effort.value, {}).get(str(block_size))
        if was != now:
            sys.stdout.write(
                f"{name} {effort.value} {block_size}: {was} bytes on file, now {now}\n"
            )
        larger += was is not None and now > was
    if args.write:
        values = Known(liblz4(), sizes)._asdict()
        FILE.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    return 1 if larger else 0


if __name__ == "__main__":
    sys.exit(main())
