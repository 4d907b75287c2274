from __future__ import annotations

import functools
import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from ..conftest import ROOT, corpus_folder, peer_folder

ENTRIES = {
    entry["name"]: entry
    for entry in json.loads((ROOT / "benchmarks" / "corpus.json").read_text(encoding="utf-8"))[
        "pairs"
    ]
}
GATE = tuple(name for name, entry in ENTRIES.items() if entry.get("gate"))


def images(name: str) -> tuple[bytes, bytes]:
    """Old and new image of a pair; another image than the described one would compare nothing."""
    found = []
    for side in ("old", "new"):
        data = (corpus_folder() / name / f"{side}.bin").read_bytes()
        assert hashlib.sha256(data).hexdigest() == ENTRIES[name][side]["sha256"]
        found.append(data)
    return found[0], found[1]


class Peer:
    """Sizes of the patches that manifest-tool 2.6.2 makes, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.size = functools.cache(self._size)

    def _size(self, name: str, block_size: int) -> int:
        pair = corpus_folder() / name
        patch = self._folder / f"{name}-{block_size}.patch"
        subprocess.run(
            [
                *(peer_folder() / "manifest-delta-tool", "--skip-size-check"),
                *("-c", pair / "old.bin", "-n", pair / "new.bin"),
                *("-b", str(block_size), "-o", patch),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
        return patch.stat().st_size


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Peer:
    return Peer(tmp_path_factory.mktemp("peer"))
