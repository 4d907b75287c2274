"""What a small patch must not load: its start is most of its time (decision 0015)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fotabuild.cli.parser import Parser, RawHelpFormatter
from fotabuild.delta import native_kernel

from .conftest import Cli

# Those that were put off and nobody looked into do not count.
_RUN = """\
import os, sys
from fotabuild.cli.start import run

def leave(status):
    loaded = [name for name, it in sys.modules.items() if type(it).__name__ != "_LazyModule"]
    print(*loaded, file=sys.stderr)
    sys.stderr.flush()
    leave_now(status)

leave_now, os._exit = os._exit, leave
run()
"""
_SLOW = {
    "asyncio",
    "bz2",
    "cryptography",
    "dataclasses",
    "email",
    "inspect",
    "ipaddress",
    "json",
    "logging",
    "lzma",
    "msgspec",
    "pyasn1",
    "requests",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "yaml",
    "zipfile",
}
if sys.version_info >= (3, 12):  # The loader of seldom used modules needs it there.
    _SLOW.remove("threading")
_OTHER_ROOMS = {"config", "explain", "keys", "plan", "publish", "server", "signing", "simulation"}
_MORE_EFFORT = {
    "candidates",
    "hints",
    "lz4_parser",
    "plan",
    "python_kernel",
    "rounds",
    "suffix_array",
}


def loaded_by(folder: Path, *arguments: str) -> set[str]:
    """Return the modules that were loaded when the program ended."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


def test_a_quick_patch_loads_what_it_needs(look: Cli, tmp_path: Path) -> None:
    images = ("-c", str(look.folder / "old.bin"), "-n", str(look.folder / "app.bin"))
    # The second time, there is a side file that must be recognised.
    for _ in range(2):
        loaded = loaded_by(tmp_path, "delta", *images, "-o", "d.patch", "--effort", "fast")
        assert {"fotabuild.cli.commands.delta", "fotabuild.steps.delta"} <= loaded
        assert not loaded & _SLOW
        # Every command may have to warn of a key file that others can read.
        loaded -= {"fotabuild.signing", "fotabuild.signing.key_file"}
        rooms = {name.split(".")[1] for name in loaded if name.startswith("fotabuild.")}
        assert not rooms & _OTHER_ROOMS
        if native_kernel.available():
            assert not loaded & {f"fotabuild.delta.{name}" for name in _MORE_EFFORT}
    assert (tmp_path / "d.yaml").is_file()


def test_only_the_named_command_is_loaded(tmp_path: Path) -> None:
    loaded = loaded_by(tmp_path, "--quiet", "delta", "--help")
    commands = {name for name in loaded if name.startswith("fotabuild.cli.commands.")}
    assert commands == {"fotabuild.cli.commands.delta"}


def test_help_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, widest in (("60", 58), ("100", 98), ("none", 78), ("0", 78)):
        monkeypatch.setenv("COLUMNS", columns)
        parser = Parser(prog="x", description="word " * 100)
        assert max(map(len, parser.format_help().splitlines())) in range(widest - 5, widest + 1)
    raw = Parser(prog="x", description="one\ntwo", formatter_class=RawHelpFormatter)
    assert "one\ntwo\n" in raw.format_help()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", [("--version",), ("image", "{image}", "-o", "i.bin")])
def test_what_nobody_reads_is_not_printed(
    closed: str, arguments: tuple[str, ...], look: Cli, tmp_path: Path
) -> None:
    words = [word.format(image=look.folder / "app.bin") for word in arguments]
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-m", "fotabuild", *words],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    if "-o" in words:
        made, image = (tmp_path / "i.bin").read_bytes(), (look.folder / "app.bin").read_bytes()
        assert made == image
