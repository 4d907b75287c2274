"""What tests need from the machine, and fixtures that many of them share.

Tests marked with a need (``qemu``, ``peer``, ``cc``, ``cmake``, ``platformio``) run where it is
met. Where it is not, they are left out by name in the closing lines, never counted as passed; with
the need in ``FOTABUILD_REQUIRE`` (as in CI) its absence is an error.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VECTORS = Path(__file__).parent / "vectors"


def peer_folder() -> Path:
    """Return the folder of the programs of manifest-tool 2.6.2."""
    return Path(os.environ.get("FOTABUILD_PEER", ROOT / ".venv-peer" / "bin"))


def find_tool(name: str) -> str | None:
    """Return the path of a program: of the pip package in this environment, else on PATH."""
    return shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)


_NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "qemu": (
        lambda: shutil.which("qemu-system-arm") is not None,
        "install qemu-system-arm",
    ),
    "peer": (
        lambda: (peer_folder() / "manifest-tool").is_file(),
        "make peer (needs Python 3.8 to 3.11)",
    ),
    "cc": (
        lambda: shutil.which("cc") is not None or importlib.util.find_spec("ziglang") is not None,
        "install a C compiler",
    ),
    "cmake": (
        lambda: all(map(find_tool, ("cmake", "ninja", "make"))),
        "pip install cmake ninja",
    ),
    "platformio": (
        lambda: importlib.util.find_spec("platformio") is not None,
        "pip install platformio",
    ),
}
_left_out: dict[str, int] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this machine cannot run."""
    required = set(filter(None, os.environ.get("FOTABUILD_REQUIRE", "").split(",")))
    if unknown := required - set(_NEEDS):
        raise pytest.UsageError(f"FOTABUILD_REQUIRE names unknown needs: {sorted(unknown)}")
    missing = {name for name, (met, _) in _NEEDS.items() if not met()}
    if absent := missing & required:
        raise pytest.UsageError(f"required and missing on this machine: {sorted(absent)}")
    kept, dropped = [], []
    for item in items:
        lacking = sorted(missing & {marker.name for marker in item.iter_markers()})
        if lacking:
            dropped.append(item)
            _left_out[lacking[0]] = _left_out.get(lacking[0], 0) + 1
        else:
            kept.append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=dropped)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was left out."""
    for name, count in _left_out.items():
        terminalreporter.write_line(
            f"left out: {count} tests that need '{name}': {_NEEDS[name][1]}", yellow=True
        )


@pytest.fixture
def vectors() -> Path:
    """Return the folder of golden files made with the real tools."""
    return VECTORS
