"""Run the programs of manifest-tool 2.6.2 and read their logs."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..conftest import peer_folder

_LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (\w+) (.*)")
_DUMP = re.compile(r"-+ Manifest dump start -+\n(.*?)\n-+ Manifest dump end -+", re.DOTALL)


@dataclass(frozen=True)
class PeerResult:
    """A finished run.

    Attributes:
        status: its exit status.
        messages: the log, each as ``LEVEL text``.
        fields: leaves of the printed manifest by name; empty when none was printed.
    """

    status: int
    messages: tuple[str, ...]
    fields: dict[str, str]


def run_peer(program: str, *arguments: str | Path, cwd: Path) -> PeerResult:
    """Run ``program`` in ``cwd``; its paths are relative to that folder."""
    done = subprocess.run(
        [str(peer_folder() / program), *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    lines = (_LOG_LINE.fullmatch(line) for line in done.stdout.splitlines())
    dump = _DUMP.search(done.stdout)
    return PeerResult(
        done.returncode,
        tuple(f"{line[1]} {line[2]}".strip() for line in lines if line),
        _leaves(yaml.safe_load(dump[1])) if dump else {},
    )


def _leaves(tree: dict[str, Any]) -> dict[str, str]:
    """All values by their name; no name stands in two sections."""
    leaves: dict[str, str] = {}
    for name, value in tree.items():
        leaves.update(_leaves(value) if isinstance(value, dict) else {name: str(value)})
    return leaves
