"""Fetch the firmware pairs that patches are measured on, with the registries' own clients.

    python benchmarks/corpus.py            fetch what is missing
    python benchmarks/corpus.py --gate     only the small pairs that the tests use

Nothing of it is part of this repository. The pairs are described in ``corpus.json``; a pair is a
folder with ``old.bin`` and ``new.bin``, and pairs of one's own can be put beside them, with the
linked files ``old.elf`` and ``new.elf`` if there are any. Every image
ends with the decoder's marker, because the peer refuses an old image without it; the digest is that
of the image with its marker.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus_sources import NotAvailableError, Packages, extract

MARKER = b"PELION/BSDIFF001"
DESCRIPTION = Path(__file__).with_name("corpus.json")


@dataclass(frozen=True)
class Pair:
    """An update from one firmware to the next.

    Attributes:
        name: how people and tables call it; also its folder.
        old: the image in the field.
        new: the image after the update.
    """

    name: str
    old: Path
    new: Path

    @property
    def folder(self) -> Path:
        """Where the pair is; pairs of one's own can have ``old.elf`` and ``new.elf``, too."""
        return self.old.parent


def default_folder() -> Path:
    """Return where the corpus is kept: ``FOTABUILD_CORPUS``, else a folder of the user's cache."""
    given = os.environ.get("FOTABUILD_CORPUS")
    return Path(given) if given else Path.home() / ".cache" / "fotabuild-corpus"


def gate_names() -> list[str]:
    """Return the names of the pairs that the tests use."""
    return [entry["name"] for entry in entries() if entry.get("gate")]


def fruitful_names() -> list[str]:
    """Return the names of the pairs that have something to compress; means are taken over them."""
    return [entry["name"] for entry in entries() if not entry.get("incompressible")]


def present_pairs(folder: Path) -> list[Pair]:
    """Return the pairs in ``folder``: those of the description in its order, then one's own."""
    known = [entry["name"] for entry in entries()]
    own = sorted(
        path.parent.name for path in folder.glob("*/old.bin") if path.parent.name not in known
    )
    pairs = (_pair(folder, name) for name in known + own)
    return [pair for pair in pairs if pair.old.is_file() and pair.new.is_file()]


def fetch(folder: Path, *, gate_only: bool = False) -> Iterator[tuple[str, str]]:
    """Fetch what is missing in ``folder``; yield each pair's name and what happened.

    Raises:
        ValueError: an image has another digest than the description says.
    """
    packages = Packages(folder / "packages")
    for entry in entries():
        pair = _pair(folder, entry["name"])
        if gate_only and not entry.get("gate"):
            continue
        if pair.old.is_file() and pair.new.is_file():
            yield pair.name, "present"
            continue
        try:
            images = [
                extract(packages.fetch(*entry[side]["package"]), entry[side]["path"])
                for side in ("old", "new")
            ]
        except NotAvailableError as error:
            yield pair.name, f"left out: {error}"
            continue
        pair.old.parent.mkdir(parents=True, exist_ok=True)
        for side, path, image in zip(("old", "new"), (pair.old, pair.new), images, strict=True):
            _write(path, image + MARKER, entry[side]["sha256"])
        yield pair.name, "fetched"


def entries() -> list[dict[str, Any]]:
    """Return the description: for each pair its packages, paths in them, and digests."""
    found: list[dict[str, Any]] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))["pairs"]
    return found


def _pair(folder: Path, name: str) -> Pair:
    return Pair(name, folder / str(name) / "old.bin", folder / str(name) / "new.bin")


def _write(path: Path, image: bytes, digest: str) -> None:
    found = hashlib.sha256(image).hexdigest()
    if found != digest:
        raise ValueError(f"{path}: SHA-256 is {found}, expected is {digest}")
    beside = path.with_suffix(".part")
    beside.write_bytes(image)
    beside.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch and say what happened."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=default_folder(), help="%(default)s")
    parser.add_argument("--gate", action="store_true", help="only the pairs that the tests use")
    args = parser.parse_args(arguments)
    missing = 0
    for name, state in fetch(args.folder, gate_only=args.gate):
        missing += state.startswith("left out")
        sys.stdout.write(f"{name:<20} {state}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
