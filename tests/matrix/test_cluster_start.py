"""A cluster of the tests leaves no processes, also when it does not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from .cluster import Cluster


class _Unready(Cluster):
    def wait_until_ready(self) -> None:
        raise RuntimeError("the scheduler does not start")


def test_nothing_is_left_of_a_failed_start(tmp_path: Path) -> None:
    cluster = _Unready(tmp_path, workers=2)
    assert not hasattr(cluster, "scheduler")
    with pytest.raises(RuntimeError, match="does not start"):
        cluster.__enter__()
    assert [one.poll() for one in (cluster.scheduler, *cluster.workers)] == [-9, -9, -9]
