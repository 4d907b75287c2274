"""A local update server in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import Request, urlopen

KINDS = ("firmware-images", "firmware-manifests", "update-campaigns")
_PATIENCE = 180.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


class Server:
    """``fotabuild serve`` with a data folder.

    Args:
        folder: for data and output; made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""

    def __enter__(self) -> Server:
        self.folder.mkdir()
        command = [sys.executable, "-m", "fotabuild", "serve", "--data", "data", "--port", "0"]
        with open(self.folder / "log.txt", "wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=os.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
            )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.log()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.communicate(timeout=_PATIENCE)

    def log(self) -> str:
        """What the server said."""
        return (self.folder / "log.txt").read_text(encoding="utf-8")

    @property
    def journal(self) -> Path:
        """Where uploads keep their journals."""
        return self.folder / "journal"

    @property
    def environment(self) -> dict[str, str]:
        """What a build needs to know; no secret."""
        return {
            "FOTABUILD_PUBLISH_SERVICE": self.url,
            "FOTABUILD_PUBLISH_ACCESS_KEY": f"file:{self.folder / 'data' / 'access-key'}",
            "FOTABUILD_PUBLISH_JOURNAL": str(self.journal),
        }

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Everything of one kind that the server has."""
        key = (self.folder / "data" / "access-key").read_text().strip()
        request = Request(
            f"{self.url}/v3/{kind}?limit=1000", headers={"Authorization": f"Bearer {key}"}
        )
        with urlopen(request, timeout=_PATIENCE) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]
        return found

    def left_over(self) -> dict[str, int]:
        """How many objects of uploads there are, of each kind."""
        return {kind: len(self.objects(kind)) for kind in KINDS}

    def unfinished_runs(self) -> list[str]:
        """The journals that are not done with."""
        return [path.name for path in self.journal.rglob("*") if path.is_file()]


NOTHING = dict.fromkeys(KINDS, 0)
