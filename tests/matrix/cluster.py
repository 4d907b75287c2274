"""A real Dask cluster on this machine, whose parts can be killed and started again."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from ..ports import reserved_port

START_SECONDS = 60
_SETTINGS = {
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "10",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "20s",
}


class Cluster:
    """A scheduler and workers, each a process of its own, inside a ``with`` block.

    Args:
        folder: for files and logs.
        workers: how many.
        threads: of each worker.
        scheme: what addresses begin with.
        environ: is added to the environment.
        preload: a module that workers load first, such as one that makes them wicked.
    """

    def __init__(
        self,
        folder: Path,
        workers: int = 2,
        *,
        threads: int = 1,
        scheme: str = "tcp",
        environ: Mapping[str, str] | None = None,
        preload: Path | None = None,
    ) -> None:
        self._folder = folder
        self._scheme = scheme
        self._environ = {**_SETTINGS, **(environ or {})}
        self._preload = () if preload is None else ("--preload", str(preload))
        self._count = workers
        self._threads = threads
        self._ending = contextlib.ExitStack()
        self._port = 0

    @property
    def address(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._port}"

    def __enter__(self) -> Cluster:
        with contextlib.ExitStack() as ending:  # Also of what started before something failed.
            self._port = ending.enter_context(reserved_port())
            self._log = ending.enter_context((self._folder / "cluster.log").open("ab"))
            self._ending = ending
            self.scheduler = self._start_scheduler()
            self.workers = [self._start_worker() for _ in range(self._count)]
            self.wait_until_ready()
            self._ending = ending.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._ending.close()

    def kill_worker(self, number: int) -> None:
        """Kill a worker, and start another in its place."""
        self.workers[number].kill()
        self.workers[number].wait()
        self.workers[number] = self._start_worker()

    def kill_scheduler(self) -> None:
        """Kill the scheduler and start it again; workers that end without it are replaced."""
        self.scheduler.kill()
        self.scheduler.wait()
        self.scheduler = self._start_scheduler()

    def tend(self) -> None:
        """Start workers again that ended by themselves, as a service manager does."""
        for number, worker in enumerate(self.workers):
            if worker.poll() is not None:
                self.workers[number] = self._start_worker()

    def wait_until_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("the scheduler does not start")

    def _start_scheduler(self) -> subprocess.Popen[bytes]:
        return self._start(
            "distributed.cli.dask_scheduler",
            *("--host", f"{self._scheme}://127.0.0.1", "--port", str(self._port)),
            *("--no-dashboard", "--no-show"),
        )

    def _start_worker(self) -> subprocess.Popen[bytes]:
        return self._start(
            "distributed.cli.dask_worker",
            self.address,
            *("--nthreads", str(self._threads), "--no-nanny", "--no-dashboard"),
            *("--host", f"{self._scheme}://127.0.0.1", *self._preload),
            *("--memory-limit", "0", "--local-directory", str(self._folder)),
        )

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={**os.environ, **self._environ},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self._ending.callback(process.wait)
        self._ending.callback(process.kill)
        return process
