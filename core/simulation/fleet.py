"""Many simulated devices in one process, all made like one of them.

A thread per device: each is in the same straight line of work as a single one, and waits for the
network most of its time. Files that never change are shared with the first device by hard links.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from fotabuild.errors import FotabuildError, SimulationError
from fotabuild.simulation.device import SimulatedDevice
from fotabuild.simulation.folder import DeviceFolder
from fotabuild.simulation.server import ServerAwayError, UpdateServer
from fotabuild.simulation.update import Outcome

LARGEST_FLEET = 10_000
_STACK_SIZE = 512 * 1024
_PERSONAL = ("credentials.json", "candidate", "download-*", "fleet")
_FILES_OF_THE_PROCESS = 256
_SECONDS_BETWEEN_LINES = 2.0
_SECONDS_TO_END = 2.0
_SECONDS_TO_LEAVE = 30.0
_LEAVING_AT_ONCE = 16


@dataclass
class FleetResult:
    """What became of a fleet.

    Attributes:
        count: how many devices there are.
        events: how many updates ended with which event.
        errors: how many devices could not go on, by reason.
        idle: how many were offered no update in their time.
        seconds: how long it took.
        updated: how many have an update.
    """

    count: int
    events: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    idle: int = 0
    seconds: float = 0.0
    updated: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether every device has the update."""
        return self.updated == self.count


def run_fleet(
    template: DeviceFolder,
    workplace: Path,
    server: UpdateServer,
    count: int,
    *,
    timeout: float | None = None,
    enrolment_token: str | None = None,
    temporary: bool = False,
    tell: Callable[[str], None] = lambda _text: None,
) -> FleetResult:
    """Let ``count`` devices run until each of them did one update, or the time is over.

    Args:
        template: a device; each of the fleet is like it, with a number behind its name.
        workplace: an existing folder in which each gets a folder.
        server: with a pool for as many connections.
        count: how many.
        timeout: seconds.
        enrolment_token: what the server wants to see of new devices.
        temporary: they get names that no other fleet has, and leave the server at the end.
        tell: is told how far they are.

    Raises:
        SimulationError: the system does not allow so many.
    """
    allow_open_files(count + _FILES_OF_THE_PROCESS)
    name = template.settings().endpoint_name[:50]
    if temporary:
        # A fleet that was killed could not leave; its names are still taken.
        name += f"-{secrets.token_hex(3)}"
    result = FleetResult(count)
    lock, stop = threading.Lock(), threading.Event()
    devices: list[SimulatedDevice] = []
    started = time.monotonic()

    def live(number: int) -> None:
        try:
            device = SimulatedDevice(
                _copy(template, workplace / f"{number:05}"),
                server,
                endpoint_name=f"{name}-{number:05}",
                enrolment_token=enrolment_token,
                stop=stop,
            )
            devices.append(device)
            outcomes = device.run(once=True, timeout=timeout)
        except (FotabuildError, OSError) as error:
            with lock:
                result.errors[str(error)[:200]] += 1
        else:
            with lock:
                _count(result, outcomes)

    with _small_stacks():
        threads = [
            threading.Thread(target=live, args=(number,), daemon=True)
            for number in range(1, count + 1)
        ]
        try:
            for thread in threads:
                thread.start()
        except RuntimeError:
            stop.set()
            raise SimulationError(
                f"the system allows no {count} threads", remedy="give a smaller --count"
            ) from None
    try:
        _wait(threads, result, lock, tell)
    finally:
        stop.set()
        if temporary:
            _end(threads)
            _leave(devices, tell)
    result.seconds = time.monotonic() - started
    return result


def _end(threads: list[threading.Thread]) -> None:
    """Let registrations that are under way end, not questions that the server holds for long."""
    end = time.monotonic() + _SECONDS_TO_END
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


def _leave(devices: list[SimulatedDevice], tell: Callable[[str], None]) -> None:
    end = time.monotonic() + _SECONDS_TO_LEAVE

    def leave(device: SimulatedDevice) -> bool:
        try:
            device.leave(end)
        except (ServerAwayError, FotabuildError):
            return False
        return True

    with ThreadPoolExecutor(_LEAVING_AT_ONCE) as pool:
        left = sum(pool.map(leave, devices))
    if left < len(devices):
        tell(f"{len(devices) - left} devices are still registered: the server did not let them go")


def _wait(
    threads: list[threading.Thread],
    result: FleetResult,
    lock: threading.Lock,
    tell: Callable[[str], None],
) -> None:
    told, next_time = "", 0.0
    for thread in threads:
        while thread.is_alive():
            thread.join(0.5)
            with lock:
                text = _summary(result)
            if text != told and time.monotonic() >= next_time:
                tell(text)
                told, next_time = text, time.monotonic() + _SECONDS_BETWEEN_LINES
    if (text := _summary(result)) != told:
        tell(text)


def _summary(result: FleetResult) -> str:
    done = result.idle + sum(result.events.values()) + sum(result.errors.values())
    return f"{result.updated} of {result.count} updated, {done - result.updated} failed"


def _count(result: FleetResult, outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        result.events[outcome.event] += 1
        result.updated += outcome.succeeded
    result.idle += not outcomes


def _copy(template: DeviceFolder, path: Path) -> DeviceFolder:
    if not path.exists():
        shutil.copytree(
            template.path, path, ignore=shutil.ignore_patterns(*_PERSONAL), copy_function=_link
        )
    return DeviceFolder(path)


def _link(source: str, target: str) -> None:
    """Share a file; devices replace files and never change them."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@contextlib.contextmanager
def _small_stacks() -> Iterator[None]:
    before = threading.stack_size(_STACK_SIZE)
    try:
        yield
    finally:
        threading.stack_size(before)


def allow_open_files(count: int) -> None:
    """Raise this process's own limit of open files, where there is one.

    Raises:
        SimulationError: the system does not allow as many.
    """
    try:
        import resource
    except ImportError:  # Windows counts otherwise.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= count or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < count:
        raise SimulationError(
            f"{count} open files are needed, the system allows {hard}",
            remedy="give a smaller --count, or raise the limit with 'ulimit -Hn'",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
