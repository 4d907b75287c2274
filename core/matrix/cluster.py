"""A matrix on a Dask cluster (extra ``cluster``).

Images are tasks of their own, so that each travels to a worker once and is made again when the
worker that had it is lost. Every patch that returns is applied and compared before it enters the
cache; what is in the cache is done, whatever happens to workers, scheduler or this process.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from fotabuild.cache import engine
from fotabuild.cache.content_cache import ContentCache
from fotabuild.cache.patches import find_patch, keep_patch
from fotabuild.delta.decoder import apply_patch
from fotabuild.delta.patch import Patch
from fotabuild.errors import ClusterError, FotabuildError
from fotabuild.files import read_file, sha256
from fotabuild.limits import READ_LIMITS
from fotabuild.matrix import cluster_task
from fotabuild.matrix.cluster_task import Answer
from fotabuild.matrix.work import Work

_TRIES = 5
_POLL = 0.5
_CONNECT_SECONDS = 10
_AHEAD = 3
_LEAST_WINDOW = 16
Say = Callable[[str], None]


class _LostError(Exception):
    """The scheduler is gone; what it knew must be told to it again."""


class _WrongPatchError(Exception):
    """A result that is wrong; it is asked for again."""


@dataclass(eq=False)
class _Job:
    """Work that is not done yet.

    Attributes:
        work: the work.
        tries: how often it was given to the cluster and failed there.
    """

    work: Work
    tries: int = 0


@dataclass(eq=False)
class _Round:
    """One connection to the scheduler.

    Attributes:
        client: the connection.
        images: tasks of images by digest.
        needed: for each image, how many jobs are still going to need it.
        running: work by its task.
    """

    client: Any
    needed: Counter[bytes]
    images: dict[bytes, Any] = field(default_factory=dict)
    running: dict[Any, _Job] = field(default_factory=dict)
    _threads: int = 0
    _asked: float = -math.inf

    def threads(self) -> int:
        """Return how many threads the workers have, a second ago."""
        if time.monotonic() - self._asked > 1:
            self._threads = sum(self.client.nthreads().values())
            self._asked = time.monotonic()
        return self._threads


def fill_cache(
    work: Sequence[Work],
    cache: ContentCache,
    address: str,
    patience: float,
    finish: Callable[[Work], None],
    say: Say,
) -> frozenset[str]:
    """Have all patches made that the cache lacks.

    Work that no device could use is left out: whoever runs it here finds the reason.

    Args:
        work: what is needed.
        cache: where verified patches go.
        address: of the scheduler, such as ``tcp://build-1:8786``.
        patience: seconds without any progress after which the cluster is given up.
        finish: is called for each patch as soon as it is in the cache.
        say: hears of losses.

    Returns:
        The keys of the patches that were made.

    Raises:
        ClusterError: the cluster cannot be reached, is another version, or returns nonsense.
    """
    distributed = _import_distributed()
    _check_address(distributed, address)
    jobs = {one.key: _Job(one) for one in work if find_patch(cache, one.key) is None}
    done: set[str] = set()
    progress = time.monotonic()
    while jobs:
        before = len(jobs)
        try:
            with _connected(distributed, address, min(_CONNECT_SECONDS, patience)) as client:
                current = _Round(client, _count_images(jobs.values()))
                _work_round(distributed, current, jobs, cache, done, patience, finish, say)
        except BrokenPipeError:  # Of our own output: nobody listens any more.
            raise
        except (_LostError, OSError, TimeoutError, distributed.comm.CommClosedError) as error:
            if len(jobs) < before:
                progress = time.monotonic()
            if time.monotonic() - progress > patience:
                raise ClusterError(
                    f"no scheduler answers at {address}: {error}",
                    remedy="start it, or raise --patience; what was finished is kept",
                ) from None
            say(f"the scheduler at {address} is lost, {len(jobs)} patches to go; trying again")
            time.sleep(min(1.0, patience / 4))
    return frozenset(done)


def _import_distributed() -> Any:
    try:
        import distributed
        import distributed.comm.registry
    except ImportError:
        raise ClusterError(
            "working on a cluster needs an extra", remedy="pip install 'fotabuild[cluster]'"
        ) from None
    return distributed


def _check_address(distributed: Any, address: str) -> None:
    try:
        scheme, place = distributed.comm.parse_address(address)
        sound = scheme in distributed.comm.registry.backends and ":" in place
    except ValueError:
        sound = False
    if not sound:
        raise ClusterError(
            f"{address[:100]!r} is no address of a scheduler", remedy="write tcp://HOST:8786"
        )


@contextlib.contextmanager
def _connected(distributed: Any, address: str, seconds: float) -> Iterator[Any]:
    """Connect, and leave without noise or delay, also where nobody is left to say goodbye to."""
    import dask

    settings = {
        "distributed.comm.retry.count": 0,
        "distributed.comm.timeouts.connect": f"{seconds}s",
        # Images are as large as they are: no advice needed.
        "distributed.admin.large-graph-warning-threshold": "1TB",
    }
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado.application")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    client = None
    try:
        with dask.config.set(settings):
            client = distributed.Client(
                address, timeout=seconds, set_as_default=False, direct_to_workers=False
            )
            yield client
    finally:
        if client is not None:
            with contextlib.suppress(Exception):
                client.close(timeout=2)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _work_round(
    distributed: Any,
    current: _Round,
    jobs: dict[str, _Job],
    cache: ContentCache,
    done: set[str],
    patience: float,
    finish: Callable[[Work], None],
    say: Say,
) -> None:
    """Give jobs to the cluster and take results until none is left.

    Raises:
        _LostError: the scheduler is gone; ``jobs`` holds what is not done.
    """
    waiting = deque(jobs.values())
    progress = time.monotonic()
    told = False
    while jobs:
        if current.client.status != "running":
            raise _LostError("the connection broke")
        threads = current.threads()
        window = max(_LEAST_WINDOW, _AHEAD * threads)
        while waiting and len(current.running) < window:
            job = waiting.popleft()
            current.running[_submit(current, job)] = job
        # A cancelled task is seen below, like one that failed.
        with contextlib.suppress(TimeoutError, CancelledError), current.client.as_current():
            distributed.wait(list(current.running), timeout=_POLL, return_when="FIRST_COMPLETED")
        for future in [future for future in current.running if future.done()]:
            job = current.running.pop(future)
            finished = _collect(future, job, cache, say)
            if finished is None:
                waiting.append(job)
            else:
                del jobs[job.work.key]
                _forget(current, job.work)
                progress = time.monotonic()
                if finished:
                    done.add(job.work.key)
                    finish(job.work)
        if time.monotonic() - progress > patience:
            raise ClusterError(
                f"no patch was finished for {patience:.0f} seconds, workers have {threads} threads",
                remedy="look at the workers, or raise --patience; what was finished is kept",
            )
        if not told and not threads:
            say("the cluster has no workers; waiting for one")
            told = True


def _submit(current: _Round, job: _Job) -> Any:
    work = job.work
    step = work.steps[0][1]
    images = [
        _image_task(current, digest, path)
        for digest, path in ((work.old_digest, step.old_image), (work.new_digest, step.new_image))
    ]
    hints = None
    if step.linked_files:
        old, new = (
            read_file(path, READ_LIMITS.image, "image") for path in (step.old_image, step.new_image)
        )
        hints = step.read_hints(old, new)
    return current.client.submit(
        cluster_task.make,
        *images,
        step.block_size,
        step.effort,
        hints,
        engine.fingerprint(),
        key=f"fotabuild-patch-{work.key}-{job.tries}",
        retries=2,
    )


def _image_task(current: _Round, digest: bytes, path: Path) -> Any:
    """Return the task that an image is; it travels to the cluster once."""
    if digest not in current.images or current.images[digest].status in ("error", "cancelled"):
        data = read_file(path, READ_LIMITS.image, "image")
        if sha256(data) != digest:
            raise ClusterError(
                "this image changed while its deltas were made", file=path, remedy="start again"
            )
        current.images[digest] = current.client.submit(
            cluster_task.image, data, key=f"fotabuild-image-{digest.hex()}", retries=_TRIES
        )
    return current.images[digest]


def _collect(future: Any, job: _Job, cache: ContentCache, say: Say) -> bool | None:
    """Take one result.

    Returns:
        True if the patch is in the cache, False if there is none for this pair, None if the job
        must be done again.
    """
    work = job.work
    if future.status != "finished":
        job.tries += 1
        cause = future.exception(timeout=2) if future.status == "error" else None
        if job.tries >= _TRIES:
            raise ClusterError(
                f"the patch from {work.steps[0][1].old_image.name} failed {_TRIES} times on the "
                f"cluster: {type(cause).__name__ if cause else future.status}: {cause}",
                remedy="look at the log of the workers; they may lack memory",
            )
        say(f"a task was lost ({type(cause).__name__ if cause else future.status}); trying again")
        return None
    try:
        answer = Answer(*future.result(timeout=60))
        patch = _verified(answer, work)
    except (OSError, TimeoutError) as error:
        raise _LostError(str(error)) from None
    except ClusterError:
        raise
    except (TypeError, msgspec.MsgspecError, FotabuildError, _WrongPatchError) as error:
        job.tries += 1
        if job.tries >= _TRIES:
            raise ClusterError(
                f"workers returned {_TRIES} wrong patches: {error}",
                remedy="a machine of the cluster is damaged; nothing of it was kept",
            ) from None
        say(f"a worker returned a wrong patch ({error}); trying again")
        return None
    if patch is None:
        return False
    keep_patch(cache, work.key, patch)
    return True


def _verified(answer: Answer, work: Work) -> Patch | None:
    """Return the patch of an answer after it was applied; None if the engine makes none.

    Raises:
        FotabuildError: it is wrong.
        ClusterError: the worker has another fotabuild.
    """
    if answer.engine != engine.fingerprint():
        raise ClusterError(
            "a worker has another version of fotabuild or its libraries",
            remedy="install the same ones there as here",
        )
    if answer.problem:
        return None
    if sha256(answer.patch) != answer.digest:
        raise _WrongPatchError("it does not have its digest")
    patch = msgspec.msgpack.decode(answer.patch, type=Patch)
    step = work.steps[0][1]
    old = read_file(step.old_image, READ_LIMITS.image, "image")
    if sha256(apply_patch(old, patch.data)) != work.new_digest:
        raise _WrongPatchError("it does not make the new image")
    return patch


def _count_images(jobs: Iterable[_Job]) -> Counter[bytes]:
    return Counter(d for job in jobs for d in (job.work.old_digest, job.work.new_digest))


def _forget(current: _Round, work: Work) -> None:
    """Let the cluster drop images that no job needs any more."""
    for digest in (work.old_digest, work.new_digest):
        current.needed[digest] -= 1
        if not current.needed[digest]:
            current.images.pop(digest, None)
