"""A connection to the scheduler of a Dask cluster (extra ``cluster``).

All that fotabuild takes from Dask is here. Results are accepted as MessagePack only, so that
taking one builds no object of a stranger; see docs/scale.md for what Dask leaves open.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import re
import sys
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import CancelledError
from typing import Any

from fotabuild.errors import ClusterError, printable
from fotabuild.matrix.cluster_task import TaskError

# The same class since Python 3.11.
_TIMEOUTS = (TimeoutError, asyncio.TimeoutError)
_POLL = 0.5
_LONGEST_CALL = 10.0
_SCHEMES = ("tcp", "tls", "ws", "wss")
_PLAIN = ["msgpack"]
# What workers print or warn of is no business of ours, and warnings would be unpickled.
_TOPICS = ("print", "warn")
_QUIET = ("distributed", "distributed.client", "tornado.application")


class LostError(Exception):
    """The scheduler is gone; what it knew must be told to it again."""


class TaskLostError(Exception):
    """A task is gone, through no fault of its own."""


class WorkersDiedError(TaskError):
    """Workers died that had a task, or one that it needs; it need not be the cause."""


class Connection:
    """What a round needs of the cluster; every call ends in time, also if the scheduler hangs.

    Args:
        client: Dask's.
        distributed: its module.
        seconds: how long a call may take.
    """

    def __init__(self, client: Any, distributed: Any, seconds: float) -> None:
        self._client = client
        self._distributed = distributed
        self._seconds = seconds
        self._threads = 0
        self._asked = -math.inf
        self._working = frozenset[str]()
        self._asked_for_work = -math.inf

    def threads(self) -> int:
        """Return how many threads the workers have, a second ago.

        Raises:
            LostError: nobody answers.
        """
        if self._client.status != "running":
            raise LostError("the connection broke")
        if time.monotonic() - self._asked > 1:
            with _losing():
                found = self._client.nthreads(callback_timeout=self._seconds)
            self._threads = sum(found.values())
            self._asked = time.monotonic()
        return self._threads

    def is_working(self, tasks: Collection[Any]) -> bool:
        """Return whether a worker had one of these tasks, a second ago.

        A worker that hangs has them until the scheduler gives it up (``worker-ttl``).

        Raises:
            LostError: nobody answers.
        """
        if time.monotonic() - self._asked_for_work > 1:
            with _losing():
                found = self._client.sync(
                    self._client.scheduler.processing, workers=None, callback_timeout=self._seconds
                )
            self._working = frozenset(str(key) for keys in found.values() for key in keys)
            self._asked_for_work = time.monotonic()
        return any(task.key in self._working for task in tasks)

    def submit(self, task: Callable[..., Any], *arguments: Any, key: str) -> Any:
        """Give a task to the cluster and return what stands for its result.

        Raises:
            LostError: nobody takes it.
        """
        with _losing():
            try:
                return self._client.submit(task, *arguments, key=key, retries=2)
            except Exception as error:
                if self._client.status == "running":
                    raise
                raise LostError(str(error)) from None

    def done(self, tasks: Collection[Any]) -> list[Any]:
        """Return those tasks that are done, after half a second at most."""
        if not tasks:
            return []
        # A cancelled task is seen by whoever takes its result, like one that failed.
        with (
            _losing(),
            contextlib.suppress(*_TIMEOUTS, CancelledError),
            self._client.as_current(),
        ):
            self._distributed.wait(list(tasks), timeout=_POLL, return_when="FIRST_COMPLETED")
        return [task for task in tasks if task.done()]

    def result(self, task: Any) -> object:
        """Return the result of a task that is done.

        Raises:
            TaskLostError: it was cancelled or forgotten.
            WorkersDiedError: the scheduler gave it up, since workers died that had it.
            TaskError: it failed, or its result is no plain data.
            LostError: nobody answers.
        """
        if task.status == "error":
            error = self._cause(task)
            if isinstance(error, self._distributed.KilledWorker):
                last = printable(str(getattr(error.last_worker, "address", ""))[:100])
                raise WorkersDiedError(
                    f"workers died that had it (KilledWorker), the last at {last}"
                )
            text = f"{type(error).__name__}: {error}"
            raise TaskError(f"a task failed ({printable(text[:300])})")
        if task.status != "finished":
            raise TaskLostError(f"a task was lost ({task.status})")
        try:
            with _losing():
                return task.result(timeout=self._seconds)
        except LostError:
            raise
        except Exception as error:  # Whatever Dask makes of it.
            text = f"{type(error).__name__}: {error}"
            raise TaskError(f"a result cannot be taken ({printable(text[:200])})") from None

    def _cause(self, task: Any) -> BaseException:
        try:
            with _losing():
                error: BaseException = task.exception(timeout=self._seconds)
        except LostError:
            raise
        except Exception as trouble:  # Whatever Dask makes of it.
            return trouble
        return error


@contextlib.contextmanager
def connected(address: str, patience: float) -> Iterator[Connection]:
    """Connect, and leave without delay, also where nobody is left to say goodbye to.

    Raises:
        LostError: nobody answers, or nobody does any more.
        ClusterError: there can be no such connection.
    """
    distributed = import_distributed()
    _check_address(address)
    import dask

    from fotabuild.matrix.cluster_client import CLOSE_SECONDS, ClusterClient

    seconds = min(_LONGEST_CALL, patience)
    settings = {
        "distributed.comm.retry.count": 0,
        "distributed.comm.timeouts.connect": f"{seconds}s",
        # Images are as large as they are: no advice needed.
        "distributed.admin.large-graph-warning-threshold": "1TB",
    }
    client: Any = None
    with dask.config.set(settings):
        try:
            try:
                with _losing():
                    client = ClusterClient(
                        address,
                        timeout=seconds,
                        set_as_default=False,
                        direct_to_workers=False,
                        serializers=_PLAIN,
                        deserializers=_PLAIN,
                    )
                    for topic in _TOPICS:
                        with contextlib.suppress(ValueError):
                            client.unsubscribe_topic(topic)
            except (TypeError, ValueError, RuntimeError) as error:
                raise ClusterError(
                    f"cannot connect to {address[:100]}: {error}",
                    remedy="for tls:// and wss:// set Dask's distributed.comm.tls; see "
                    "docs/scale.md",
                ) from None
            except AssertionError:  # Dask's thread did not start in time; the next one may.
                raise LostError("the client did not start") from None
            yield Connection(client, distributed, seconds)
        finally:
            if client is not None:
                with contextlib.suppress(Exception):
                    client.close(timeout=CLOSE_SECONDS)


def import_distributed() -> Any:
    """Return Dask's module.

    Raises:
        ClusterError: it is not installed.
    """
    try:
        import dask

        if "distributed" not in sys.modules and dask.config.get("logging", None) is None:
            # Losses are told by us, in one line; that is how Dask is asked for silence.
            with dask.config.set(logging=dict.fromkeys(_QUIET, logging.CRITICAL + 1)):
                import distributed
        import distributed
    except ImportError:
        raise ClusterError(
            "working on a cluster needs an extra", remedy="pip install 'fotabuild[cluster]'"
        ) from None
    return distributed


def _check_address(address: str) -> None:
    scheme, _, place = address.partition("://")
    host, _, port = place.rpartition(":")
    if scheme not in _SCHEMES or not host or not re.fullmatch(r"[0-9]{1,5}", port):
        raise ClusterError(
            f"{address[:100]!r} is no address of a scheduler",
            remedy="write tcp://HOST:8786, or tls, ws or wss",
        )


@contextlib.contextmanager
def _losing() -> Iterator[None]:
    try:
        yield
    except (OSError, *_TIMEOUTS) as error:
        raise LostError(str(error) or type(error).__name__) from None
