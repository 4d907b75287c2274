"""What a matrix on a cluster knows beyond one connection: what is left, and what came of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from fotabuild.cache.content_cache import ContentCache
from fotabuild.cache.patches import keep_patch
from fotabuild.errors import FotabuildError
from fotabuild.matrix.cluster_connection import WorkersDiedError
from fotabuild.matrix.cluster_task import TaskError, read_answer
from fotabuild.matrix.outcome import Row
from fotabuild.matrix.work import Work, lost, run_work


class Patience:
    """Counts the seconds since something was finished, or in the making.

    Args:
        seconds: how many may pass.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Something was finished, or is in the making."""
        self._start = time.monotonic()

    def is_over(self) -> bool:
        """Whether nothing was for too long."""
        return time.monotonic() - self._start > self.seconds


@dataclass(eq=False)
class Job:
    """Work that is not done yet.

    Attributes:
        work: the work.
        asked: how often it was given to the cluster.
        failed: how often it failed there.
        suspect: workers died that had it, for whatever reason.
    """

    work: Work
    asked: int = 0
    failed: int = 0
    suspect: bool = False


@dataclass(eq=False)
class ClusterRun:
    """What is known beyond one connection.

    Attributes:
        jobs: what the cluster has to do, by key.
        cache: where patches are kept.
        patience: how long to wait for it.
        report: hears of each piece of work that is done.
        say: hears of losses.
        here: what must be done here: no cluster can.
        sent: how often each image was given to the cluster, by its SHA-256.
    """

    jobs: dict[str, Job]
    cache: ContentCache | None
    patience: Patience
    report: Callable[[list[Row]], None]
    say: Callable[[str], None]
    here: list[Work] = field(default_factory=list)
    sent: Counter[bytes] = field(default_factory=Counter)

    def close(self, job: Job) -> None:
        """Strike out a job: the cluster has nothing to do for it any more."""
        del self.jobs[job.work.key]
        self.patience.renew()

    def take(self, job: Job, found: object) -> None:
        """Take the answer to a job.

        Raises:
            TaskError: it is wrong.
            ClusterError: the worker has another fotabuild.
        """
        patch = read_answer(found)
        try:
            made = None if patch is None else job.work.step.adopt(patch)
        except FotabuildError:  # What is wrong with its inputs is found here once more.
            patch = None
        if patch is None:
            self.here.append(job.work)
        elif made is None:
            raise TaskError("a worker returned a patch that does not make the new image")
        else:
            keep_patch(self.cache, job.work.key, patch)
            self.report(run_work(job.work, self.cache, made))
        self.close(job)

    def give_up(self, job: Job, cause: Exception) -> None:
        """Report a job that failed too often, or that kills workers; it stops no other."""
        often = "alone" if isinstance(cause, WorkersDiedError) else f"{job.failed} times"
        problem = f"it failed {often} on the cluster, at last: {cause}"
        self.report(lost(job.work, problem, "look at the log of the workers: they may lack memory"))
        self.close(job)
