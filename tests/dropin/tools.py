"""Call ours in this process, and the real tool in a process that stays."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..conftest import peer_folder

_MODULES = {
    "manifest-tool": "manifest_tool",
    "manifest-delta-tool": "delta_tool",
    "manifest-package-tool": "package_tool",
    "manifest-dev-tool": "dev_tool",
}
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What a call came to."""

    status: int
    stdout: str
    stderr: str = ""

    @property
    def output_tail(self) -> str:
        """The end of standard output, for messages."""
        return self.stdout[-300:]

    @property
    def result(self) -> str:
        """Standard output without time stamps."""
        return _STAMP.sub("", self.stdout)


def ours(tool: str, *argv: str | Path, cwd: Path) -> Outcome:
    """Call one of our programs."""
    module = importlib.import_module(f"fotabuild.cli.dropin.{_MODULES[tool]}")
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.StringIO()
    with _inside(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = module.entry_point([str(argument) for argument in argv])
    out.flush()
    text = out.buffer.getvalue().decode("utf-8", "replace")
    return Outcome(status, text, err.getvalue())


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


class Peer:
    """manifest-tool 2.6.2 in a process of its own, which answers many calls."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [peer_folder() / "python", Path(__file__).with_name("peer_driver.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, tool: str, *argv: str | Path, cwd: Path) -> Outcome:
        """Call one of its programs."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"tool": tool, "argv": [str(item) for item in argv], "cwd": str(cwd)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Outcome(answer["status"], answer["output"])

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


def command(tool: str, argv: Sequence[str | Path]) -> str:
    """A call as people write it, for messages."""
    return " ".join([tool, *map(str, argv)])
