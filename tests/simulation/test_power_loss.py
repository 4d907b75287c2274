"""Power is lost at every step of an update: the device has the old image or the new one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fotabuild.simulation.events import SUCCESS

from ..conftest import ROOT
from ..device import scenes
from ..device.scenes import NEW, OLD, Scene
from .scene import PATH, Bench, encrypted
from .service import Fault


def lose_power_everywhere(bench: Bench, scene: Scene) -> list[dict[str, Any]]:
    """Run ``power_loss.py`` with this offer."""
    bench.offer(scene)
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.power_loss", bench.folder.path, bench.service.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "make", [scenes.raw, scenes.delta, encrypted], ids=lambda make: make.__name__
)
def test_at_every_change_of_a_file(
    make: Callable[[], Scene], bench: Bench, figure: Callable[[str], None]
) -> None:
    *losses, last = lose_power_everywhere(bench, make())
    assert last == {"ended": 0, "version": "1.1.0"}
    assert len(losses) >= 15
    assert {loss["version"] for loss in losses} == {"1.0.0", "1.1.0"}
    bad = [
        loss
        for loss in losses
        if not (loss["intact"] and loss["then"] == "1.1.0" and not loss["pending"])
    ]
    assert bad == []
    for number, _ in enumerate(losses):
        events = bench.service.events(f"loss-{number}")
        assert events.count(SUCCESS) >= 1
        assert not [event for event in events if event.startswith("UPD4_FAIL")]
    figure(f"{make.__name__}: {len(bad)} of {len(losses)} losses of power left a broken device")


def test_a_killed_program_goes_on_with_its_download(bench: Bench) -> None:
    bench.offer(scenes.raw())
    # The rest never comes: the server says that there is more, and waits.
    bench.service.faults[PATH] = [Fault(stall_after=30_000)]
    command = [sys.executable, "-m", "fotabuild", "device", "run", str(bench.folder.path)]
    command += ["--server", bench.service.url, "--once", "--timeout", "60"]
    part = None
    with subprocess.Popen(command, env=os.environ, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            part = next(bench.folder.path.glob("download-*"), None)
            if part is not None and part.stat().st_size >= 16 * 1024:
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert part is not None
    had = part.stat().st_size
    assert had >= 16 * 1024
    assert bench.image == OLD
    assert bench.device().run(once=True, timeout=20)[0].succeeded
    assert bench.service.requests(PATH) == [None, f"bytes={had}-"]
    assert bench.image == NEW


def test_a_changed_image_does_not_boot(bench: Bench) -> None:
    image = Path(bench.folder.image(bench.folder.state().digest))
    image.write_bytes(OLD[:-1] + b"\1")
    with pytest.raises(Exception, match=r"the installed image was changed"):
        bench.device().run(once=True, timeout=5)
