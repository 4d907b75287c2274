"""A matrix on a Dask cluster.

Images are tasks of their own, so that each travels to a worker once and is made again when the
worker that had it is lost. Every patch that returns is applied and compared before it is written
and enters the cache; what is in the cache is done, whatever happens to workers, scheduler or this
process.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fotabuild.cache import engine
from fotabuild.cache.content_cache import ContentCache
from fotabuild.cache.patches import find_patch
from fotabuild.digest import sha256
from fotabuild.errors import ClusterError, FotabuildError
from fotabuild.files.folders import renames_flushed_together
from fotabuild.matrix import cluster_task
from fotabuild.matrix.cluster_connection import (
    Connection,
    LostError,
    TaskLostError,
    WorkersDiedError,
    connected,
    import_distributed,
)
from fotabuild.matrix.cluster_run import ClusterRun, Job, Patience
from fotabuild.matrix.cluster_task import TaskError
from fotabuild.matrix.outcome import Row
from fotabuild.matrix.work import Work
from fotabuild.steps.delta_inputs import DeltaInputs

_TRIES = 3
_AHEAD = 3
_LEAST_WINDOW = 16


def run_on_cluster(
    work: Sequence[Work],
    cache: ContentCache | None,
    address: str,
    patience: float,
    report: Callable[[list[Row]], None],
    say: Callable[[str], None],
) -> list[Work]:
    """Have all patches made that the cache lacks, and write them.

    Args:
        work: what is needed.
        cache: where verified patches go.
        address: of the scheduler, such as ``tcp://build-1:8786``.
        patience: seconds in which no worker makes a patch, after which the cluster is given up.
        report: hears of each piece of work that is done.
        say: hears of losses.

    Returns:
        What is left for this machine: what is in the cache, and what no device could use.

    Raises:
        ClusterError: the cluster cannot be reached, or is another version.
    """
    known = [one for one in work if find_patch(cache, one.key) is not None]
    missing = {one.key: Job(one) for one in work}
    for one in known:
        del missing[one.key]
    if missing:
        import_distributed()  # It takes a second or more, which is no patience with the cluster.
    run = ClusterRun(missing, cache, Patience(patience), report, say, known)
    while run.jobs:
        try:
            with connected(address, patience) as connection, renames_flushed_together():
                _Round(run, connection).work()
        except LostError as error:
            if run.patience.is_over():
                raise ClusterError(
                    f"no scheduler answers at {address}: {error}",
                    remedy="start it, or raise --patience; what was finished is kept",
                ) from None
            say(f"the scheduler at {address} is lost, {len(run.jobs)} patches to go; trying again")
            time.sleep(min(1.0, patience / 4))
    return run.here


class _Round:
    """Work with one connection, until all is done or the scheduler is lost."""

    def __init__(self, run: ClusterRun, connection: Connection) -> None:
        self._run = run
        self._connection = connection
        self._waiting = deque[Job]()
        self._suspects = deque[Job]()
        for job in run.jobs.values():
            self._put(job)
        self._running: dict[Any, Job] = {}
        self._images: dict[bytes, Any] = {}
        self._needed = _count_images(run.jobs.values())

    def work(self) -> None:
        """Give jobs to the cluster and take results until none is left.

        Raises:
            LostError: the scheduler is gone.
            ClusterError: no worker made a patch for too long.
        """
        patience = self._run.patience
        told = False
        while self._run.jobs:
            threads = self._connection.threads()
            if not told and not threads:
                self._run.say("the cluster has no workers; waiting for one")
                told = True
            while self._waiting and len(self._running) < max(_LEAST_WINDOW, _AHEAD * threads):
                self._submit(self._waiting.popleft())
            if self._suspects and not self._running:
                self._submit(self._suspects.popleft())
            for task in self._connection.done(self._running):
                self._take(task)
            if self._connection.is_working(self._running):
                patience.renew()
            if self._run.jobs and patience.is_over():
                raise ClusterError(
                    f"no worker made a patch for {patience.seconds:.0f} seconds; they have "
                    f"{threads} threads",
                    remedy="look at the workers, or raise --patience; what was finished is kept",
                )

    def _put(self, job: Job) -> None:
        """Let a job wait; one that was there when workers died waits until it can be alone.

        The cluster blames all that such a worker had; whoever is blamed alone was it.
        """
        (self._suspects if job.suspect else self._waiting).append(job)

    def _submit(self, job: Job) -> None:
        step = job.work.step
        inputs = _read_inputs(job.work)
        if inputs is None:
            self._run.here.append(job.work)
            self._run.close(job)
            self._forget(job.work)
            return
        tasks = [self._image(data) for data in (inputs.old, inputs.new)]
        job.asked += 1
        task = self._connection.submit(
            cluster_task.make,
            *tasks,
            step.block_size,
            step.effort,
            inputs.hints,
            engine.fingerprint(),
            step.time_limit,
            key=f"fotabuild-patch-{job.work.key}-{job.asked}",
        )
        self._running[task] = job

    def _image(self, data: bytes) -> Any:
        """Return the task that an image is; it travels to the cluster once.

        One that failed has another name the next time: what failed stays known by its own.
        """
        digest = sha256(data)
        known = self._images.get(digest)
        if known is None or known.status in ("error", "cancelled"):
            self._run.sent[digest] += 1
            known = self._images[digest] = self._connection.submit(
                cluster_task.image,
                data,
                key=f"fotabuild-image-{digest.hex()}-{self._run.sent[digest]}",
            )
        return known

    def _take(self, task: Any) -> None:
        job = self._running.pop(task)
        try:
            self._run.take(job, self._connection.result(task))
        except (TaskError, TaskLostError) as error:
            if _deserves_another_try(job, error):
                self._run.say(f"{error}; trying again")
                self._put(job)
                return
            self._run.give_up(job, error)
        self._forget(job.work)

    def _forget(self, work: Work) -> None:
        """Let the cluster drop images that no job needs any more."""
        for digest in (work.old_digest, work.new_digest):
            self._needed[digest] -= 1
            if not self._needed[digest]:
                self._images.pop(digest, None)


def _deserves_another_try(job: Job, error: Exception) -> bool:
    if isinstance(error, WorkersDiedError):
        first, job.suspect = not job.suspect, True
        return first
    job.failed += isinstance(error, TaskError)
    return job.failed < _TRIES


def _read_inputs(work: Work) -> DeltaInputs | None:
    """Return the inputs; None if something is wrong with them, which who runs it here will say."""
    try:
        inputs = work.step.read_inputs()
    except FotabuildError:
        return None
    same = (sha256(inputs.old), sha256(inputs.new)) == (work.old_digest, work.new_digest)
    return inputs if same else None


def _count_images(jobs: Iterable[Job]) -> Counter[bytes]:
    return Counter(d for job in jobs for d in (job.work.old_digest, job.work.new_digest))
