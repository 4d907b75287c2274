"""What tests need from the machine, and fixtures that many of them share.

Tests marked with a need (``qemu``, ``peer``, ``corpus``, ``cc`` and others below) run where it is
met. Where it is not, they are left out by name in the closing lines, never counted as passed; with
the need in ``FOTABUILD_REQUIRE`` (as in CI) its absence is an error.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Tests of the cache name a folder; no other test may find what an earlier run left behind.
os.environ.setdefault("FOTABUILD_CACHE_DIR", "off")
# A shell that starts us in the background lets us ignore interrupts, and so all that we start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
VECTORS = Path(__file__).parent / "vectors"
# git keeps no such modes, and keys that others can read give a warning on stderr.
for _folder in (VECTORS, Path(__file__).parent / "hostile"):
    for _key in (*_folder.rglob("*.pem"), *_folder.rglob("keys/hsslms*"), *_folder.rglob("*.key")):
        with contextlib.suppress(OSError):
            _key.chmod(0o600)


def peer_folder() -> Path:
    """Return the folder of the programs of manifest-tool 2.6.2."""
    return Path(os.environ.get("FOTABUILD_PEER", ROOT / ".venv-peer" / "bin"))


def corpus_folder() -> Path:
    """Return the folder of the firmware that ``benchmarks/corpus.py`` fetched."""
    given = os.environ.get("FOTABUILD_CORPUS")
    return Path(given) if given else Path.home() / ".cache" / "fotabuild-corpus"


def _has_corpus() -> bool:
    description = json.loads((ROOT / "benchmarks" / "corpus.json").read_text(encoding="utf-8"))
    pairs = [entry["name"] for entry in description["pairs"] if entry.get("gate")]
    return all((corpus_folder() / name / "new.bin").is_file() for name in pairs)


def drafts_folder() -> Path:
    """Return the folder of the SUIT examples of the IETF drafts, which are not part of the tree."""
    shared = os.environ.get("FOTABUILD_SHARED", ROOT.parent / "shared")
    return Path(shared, "vectors", "suit", "current")


def find_tool(name: str) -> str | None:
    """Return the path of a program: of the pip package in this environment, else on PATH."""
    return shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)


def softhsm_module() -> Path | None:
    """Return the PKCS#11 library of SoftHSM 2."""
    names = ("softhsm/libsofthsm2.so", "*/softhsm/libsofthsm2.so", "pkcs11/libsofthsm2.so")
    folders = (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib"))
    return next((path for f in folders for name in names for path in f.glob(name)), None)


_NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "qemu": (
        lambda: shutil.which("qemu-system-arm") is not None,
        "install qemu-system-arm",
    ),
    "peer": (
        lambda: (peer_folder() / "manifest-tool").is_file(),
        "make peer (needs Python 3.8 to 3.11)",
    ),
    "corpus": (_has_corpus, "make corpus (fetches firmware from PyPI and npm)"),
    "cc": (
        lambda: shutil.which("cc") is not None or importlib.util.find_spec("ziglang") is not None,
        "install a C compiler",
    ),
    "cmake": (
        lambda: all(map(find_tool, ("cmake", "ninja", "make"))),
        "pip install cmake ninja",
    ),
    "browser": (
        lambda: all(map(shutil.which, ("chromium", "chromedriver"))),
        "install chromium and chromium-driver",
    ),
    "demangle": (
        lambda: importlib.util.find_spec("demangle") is not None,
        "pip install demangle (needs Python 3.11)",
    ),
    "drafts": (
        lambda: (drafts_folder() / "official").is_dir(),
        "put the examples of the drafts beside the repository, or name them in FOTABUILD_SHARED",
    ),
    "platformio": (
        lambda: importlib.util.find_spec("platformio") is not None,
        "pip install platformio",
    ),
    "softhsm": (
        lambda: (
            shutil.which("softhsm2-util") is not None
            and softhsm_module() is not None
            and importlib.util.find_spec("pkcs11") is not None
        ),
        "install softhsm2 and pip install python-pkcs11",
    ),
}


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
        else:
            kept.append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=dropped)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests measured, and name what was left out."""
    tallies: dict[str, list[int]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "figure" and report.when == "call":
                    terminalreporter.write_line(f"figure: {value}")
                if name == "tally" and report.when == "call":
                    what, good = value
                    counts = tallies.setdefault(what, [0, 0])
                    counts[0] += good
                    counts[1] += 1
    for what, (good, count) in tallies.items():
        terminalreporter.write_line(f"figure: {good} of {count} {what}")
    for name, (met, remedy) in _NEEDS.items():
        if not met():
            terminalreporter.write_line(
                f"left out: tests that need '{name}': {remedy}", yellow=True
            )


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return a function that has a measured figure printed in the closing lines of the run."""
    return lambda text: record_property("figure", text)


@pytest.fixture
def vectors() -> Path:
    """Return the folder of golden files made with the real tools."""
    return VECTORS
