"""A process of its own in which a device loses power at each step of an update.

Arguments: the folder of the device, the URL of the server. For each n the device runs in a copy of
that folder and is killed with SIGKILL just before its nth change of a file; then it is started
again. Prints, as JSON, what was found after each loss of power, and after the start that followed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from fotabuild.simulation.device import SimulatedDevice
from fotabuild.simulation.folder import DeviceFolder
from fotabuild.simulation.network import make_pool
from fotabuild.simulation.server import Offer, UpdateServer
from fotabuild.simulation.settings import Credentials

_CHANGES = {"os.rename", "os.remove", "os.link", "os.truncate", "os.mkdir"}
_TOO_MANY = 500


@dataclass(frozen=True)
class Server(UpdateServer):
    """A server that ends a device's life when it has nothing for it."""

    stop: threading.Event = field(default_factory=threading.Event)

    def wait_for_update(self, credentials: Credentials, seconds: float) -> Offer | None:
        offer = super().wait_for_update(credentials, seconds)
        if offer is None:
            self.stop.set()
        return offer


def live(folder: DeviceFolder, url: str, name: str, changes_before_loss: int | None) -> int:
    """Let a device do one update in a process of its own; return how the process ended."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if changes_before_loss is not None:
                _lose_power(folder.path, changes_before_loss)
            server = Server(url, make_pool())
            device = SimulatedDevice(folder, server, endpoint_name=name, stop=server.stop)
            status = 0 if device.run(once=True, timeout=60) else 3
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _lose_power(folder: Path, changes: int) -> None:
    left = changes

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITE
        if event in _CHANGES or writes:
            if str(folder) not in str(arguments[0]):
                return
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


_WRITE = os.O_WRONLY | os.O_RDWR


def main(template: Path, url: str) -> list[dict[str, object]]:
    # What is imported here, the processes need not import one by one.
    make_pool()
    DeviceFolder(template).certificate()
    found: list[dict[str, object]] = []
    for changes in range(_TOO_MANY):
        folder = DeviceFolder(template.parent / f"loss-{changes}")
        shutil.copytree(template, folder.path)
        name = f"loss-{changes}"
        ended = live(folder, url, name, changes)
        if ended != -signal.SIGKILL:
            found.append({"ended": ended, "version": folder.boot().version})
            break
        after = folder.state()
        intact = folder.boot() == after
        again = live(folder, url, name, None)
        found.append(
            {
                "ended": ended,
                "intact": intact,
                "version": after.version,
                "again": again,
                "then": folder.boot().version,
                "pending": folder.state().pending is not None,
                "files": sorted(path.name.partition("-")[0] for path in folder.path.iterdir()),
            }
        )
    return found


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))  # noqa: T201
