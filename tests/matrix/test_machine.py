"""What a container leaves to a process, from files as Linux shows them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from fotabuild.matrix.machine import free_memory, processors

GIB = 1 << 30
HOST = {"proc/meminfo": f"MemTotal: {64 << 20} kB\nMemAvailable:   {32 << 20} kB\n"}
V2 = {"proc/self/cgroup": "0::/jobs/seven\n"}
V1 = {"proc/self/cgroup": "4:memory:/docker/x\n2:cpu,cpuacct:/docker/x\n1:name=systemd:/\n0::/\n"}


def write(root: Path, *contents: Mapping[str, str]) -> Path:
    for content in contents:
        for name, text in content.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return root


def group(name: str, **files: str) -> dict[str, str]:
    place = f"sys/fs/cgroup/{name}".rstrip("/")
    return {f"{place}/{file.replace('__', '.')}": text for file, text in files.items()}


MEMORY = [
    ({}, 32 * GIB),
    ({**V2, **group("jobs/seven", memory__max="max\n", memory__current="5\n")}, 32 * GIB),
    (
        {**V2, **group("jobs/seven", memory__max=f"{GIB}\n", memory__current=f"{GIB // 4}\n")},
        GIB * 3 // 4,
    ),
    (  # What was read from files and not used for long can be dropped.
        {
            **V2,
            **group(
                "jobs/seven",
                memory__max=f"{GIB}\n",
                memory__current=f"{GIB}\n",
                memory__stat=f"anon 5\ninactive_file {GIB // 2}\n",
            ),
        },
        GIB // 2,
    ),
    (  # The tightest of all groups above counts.
        {
            **V2,
            **group("jobs/seven", memory__max=f"{4 * GIB}\n", memory__current="0\n"),
            **group("jobs", memory__max=f"{2 * GIB}\n", memory__current="0\n"),
        },
        2 * GIB,
    ),
    (  # Inside a container the root is its group.
        {
            "proc/self/cgroup": "0::/\n",
            **group("", memory__max=f"{GIB}\n", memory__current="0\n"),
        },
        GIB,
    ),
    (
        {
            **V1,
            **group(
                "memory/docker/x",
                memory__limit_in_bytes=f"{GIB}\n",
                memory__usage_in_bytes=f"{GIB // 2}\n",
            ),
        },
        GIB // 2,
    ),
    (
        {
            **V1,
            **group(
                "memory",
                memory__limit_in_bytes=f"{2 * GIB}\n",
                memory__usage_in_bytes=f"{3 * GIB}\n",
            ),
        },
        0,
    ),
    ({"proc/self/cgroup": "nonsense\n0::/../..\n\n::\n"}, 32 * GIB),
]


@pytest.mark.parametrize(("files", "free"), MEMORY)
def test_memory(tmp_path: Path, files: dict[str, str], free: int) -> None:
    assert free_memory(write(tmp_path, HOST, files)) == free


def test_memory_of_an_unknown_system(tmp_path: Path) -> None:
    assert free_memory(tmp_path) == GIB


CPU = [
    ({}, 64),
    ({**V2, **group("jobs/seven", cpu__max="max 100000\n")}, 64),
    ({**V2, **group("jobs/seven", cpu__max="300000 100000\n")}, 3),
    ({**V2, **group("jobs", cpu__max="150000 100000\n")}, 2),
    ({**V2, **group("jobs/seven", cpu__max="1000 100000\n")}, 1),
    ({**V2, **group("jobs/seven", cpu__max="9900000 100000\n")}, 64),
    ({**V2, **group("jobs/seven", cpu__max="5 0\n")}, 64),
    (
        {
            **V1,
            **group(
                "cpu,cpuacct/docker/x",
                cpu__cfs_quota_us="250000\n",
                cpu__cfs_period_us="100000\n",
            ),
        },
        3,
    ),
    (
        {
            **V1,
            **group("cpu/docker/x", cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n"),
        },
        64,
    ),
]


@pytest.mark.parametrize(("files", "count"), CPU)
def test_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], count: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(64)), raising=False)
    assert processors(write(tmp_path, files)) == count


def test_this_machine() -> None:
    assert 1 <= processors() <= (os.cpu_count() or 1)
    assert free_memory() > 1 << 20
