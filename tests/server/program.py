"""``fotabuild serve`` as people run it: a process of its own."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .harness import Client

_PATIENCE = 60


@dataclass
class Program:
    """A running server."""

    process: subprocess.Popen[str]
    url: str
    folder: Path
    port: int

    @property
    def key(self) -> str:
        """The key that the first start made."""
        return (self.folder / "access-key").read_text().strip()

    @property
    def client(self) -> Client:
        return Client(self.port, self.key)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(_PATIENCE)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it politely; return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE)


def start(folder: Path, *options: str | Path) -> Program:
    """Start a server with its data in ``folder`` and wait until it is ready."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "fotabuild", "--json", "serve", "--data", folder, "--port", "0",
            *map(str, options),
        ],
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    stdout = process.stdout

    def read() -> None:
        text = ""
        for line in stdout:
            text += line
            if line == "}\n":
                break
        stdout.close()
        lines.put(text)

    threading.Thread(target=read, daemon=True).start()
    values = json.loads(lines.get(timeout=_PATIENCE))
    return Program(process, values["url"], folder, values["port"])


@contextmanager
def serving(folder: Path, *options: str | Path) -> Iterator[Program]:
    """Run a server until the end of the block."""
    program = start(folder, *options)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.kill()
