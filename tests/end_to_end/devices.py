"""Simulated devices, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..command import run_fotabuild
from .hosts import Host
from .server import Server, wait_until

_TIMEOUT = 400


@dataclass(frozen=True)
class Device:
    """A device that runs release 1.0.0 of a project.

    Attributes:
        folder: its files.
        server: where it asks.
    """

    folder: Path
    server: Server

    @classmethod
    def make(cls, host: Host, server: Server, name: str) -> Device:
        """Make it from the project's configuration."""
        folder = server.folder / name
        arguments: list[str | Path] = [
            "device",
            "init",
            folder,
            "--image",
            host.release,
            "-v",
            "1.0.0",
        ]
        done = run_fotabuild(*arguments, "--name", name, cwd=host.folder)
        assert done.status == 0, done.stderr
        return cls(folder, server)

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Let it live, and wait until the server knows it."""
        command = [sys.executable, "-m", "fotabuild", "--json", "device", "run", str(self.folder)]
        command += ["--server", self.server.url, "--timeout", str(_TIMEOUT), *options]
        process = subprocess.Popen(
            command,
            env=os.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        wait_until(self.is_registered, f"{self.folder.name} is registered")
        return process

    def is_registered(self) -> bool:
        """Whether the server knows the device."""
        names = [device["endpoint_name"] for device in self.server.objects("devices")]
        return self.folder.name in names

    def show(self) -> dict[str, Any]:
        """What it is and runs."""
        done = run_fotabuild("--json", "device", "show", self.folder, cwd=self.folder)
        assert done.status == 0, done.stderr
        shown: dict[str, Any] = json.loads(done.stdout)
        return shown


def result_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for the end of a device that lives for one update; return what it says of it."""
    stdout, stderr = process.communicate(timeout=_TIMEOUT)
    assert process.returncode == 0, stderr
    [update] = json.loads(stdout)["updates"]
    assert isinstance(update, dict)
    return update
