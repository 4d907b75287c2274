"""A polite end of SCons reaches the upload, which has a campaign to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """\
import signal, sys, time
def stop(number, frame):
    print("stopping the campaign", number, flush=True)
    time.sleep(0.3)
    print("cleaned up", flush=True)
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
print("uploading", flush=True)
time.sleep(60)
"""
SCONSTRUCT = """\
import sys
from fotabuild.scons.upload import upload_by
env = Environment()
alias = env.Alias("up", [], Action(upload_by([sys.executable, "child.py"]), "Uploading"))
env.AlwaysBuild(alias)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("jobs", [1, 4])
def test_a_signal_is_passed_on(jobs: int, number: int, tmp_path: Path) -> None:
    """With several jobs the upload is waited for outside of the main thread."""
    (tmp_path / "child.py").write_text(CHILD)
    (tmp_path / "SConstruct").write_text(SCONSTRUCT)
    scons = subprocess.Popen(
        [sys.executable, "-m", "SCons", "-Q", f"-j{jobs}", "up"],
        cwd=tmp_path,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert scons.stdout is not None
    try:
        for line in scons.stdout:
            if line == "uploading\n":
                break
        scons.send_signal(number)
        output, _ = scons.communicate(timeout=30)
    finally:
        scons.kill()
    assert output.count("stopping the campaign") == 1
    assert "cleaned up" in output
    assert "Build interrupted" in output
    assert "Traceback" not in output
    assert scons.returncode == 2
