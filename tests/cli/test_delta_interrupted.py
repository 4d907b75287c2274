"""``fotabuild delta`` with a time limit is interrupted in the middle of compiled code."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images for whose patch many ways are compared, for many seconds."""
    folder = tmp_path_factory.mktemp("images")
    chance = random.Random(2)
    old = chance.randbytes(2_000_000) + b"PELION/BSDIFF001"
    new = bytearray(old)
    for at in range(0, 2_000_000, 150):
        new[at] ^= 1 + chance.randrange(255)
    (folder / "old.bin").write_bytes(old)
    (folder / "new.bin").write_bytes(new)
    return folder


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.9, 1.3, 1.7])
def test_no_interrupt_is_lost(images: Path, number: signal.Signals, seconds: float) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "fotabuild", "delta", "-c", "old.bin", "-n", "new.bin"),
            *("-o", "x.patch", "--effort", "max", "--time-limit", "60", "-t", "100"),
        ],
        cwd=images,
        env=os.environ,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    # Any moment is a right one once it has begun, also on a machine with much to do.
    while processor_seconds(process.pid) < seconds:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    try:
        _, errors = process.communicate(timeout=40)
    finally:
        process.kill()
    assert process.returncode == 128 + number, errors
    assert "Traceback" not in errors
    assert sorted(path.name for path in images.iterdir()) == ["new.bin", "old.bin"]
