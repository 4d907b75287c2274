"""Interrupt builds everywhere. Run as ``python -m tests.kill.harness MODE PROJECT WORK``.

It is a program of its own because it forks hundreds of children: the test runner has threads, and
starting a new interpreter for each build would take minutes. The result is JSON on stdout.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fotabuild.formats.manifest_v3 import decode_signed

from .builds import Files, Workshop, problems
from .operations import Interceptor, Kind, Moment, Point, failure_points, kill_points

OTHER = "other.bin"
Result = dict[str, Any]


def interrupt(workshop: Workshop, choose: Callable[[list[Kind]], list[Point]]) -> Result:
    """Interrupt a build at every chosen point, from an empty folder and from a filled one."""
    new, other = _reference(workshop, "app.bin"), _reference(workshop, OTHER)
    bad: list[str] = []
    points = 0
    for start, content in (("empty", {}), ("filled", other)):
        kinds = _count(workshop, content)
        for point in choose(kinds):
            points += 1
            workshop.reset(content)
            for problem in _interrupt(workshop, point, content, new):
                name = f"{point.kind.value} {point.number}"
                bad.append(f"{start}: {point.moment.value} {name}: {problem}")
    return {"points": points, "bad": bad, "kinds": sorted({kind.value for kind in kinds})}


def _interrupt(workshop: Workshop, point: Point, old: Files, new: Files) -> list[str]:
    status = workshop.build(Interceptor(point).install)
    found, temporary = workshop.left()
    wrong = problems(found, old, new)
    if point.moment in (Moment.FAIL, Moment.FAIL_HALFWAY):
        wrong += _check_failure(workshop, status, temporary)
    elif status != -signal.SIGKILL:
        wrong.append(f"ended with {status}")
    if workshop.build() != 0:
        wrong.append(f"the next build failed: {workshop.log.read_text()}")
    elif workshop.left()[0] != new:
        wrong.append("the next build gives something else")
    return wrong


def _check_failure(workshop: Workshop, status: int, temporary: list[str]) -> list[str]:
    message = workshop.log.read_text()
    wrong = [f"{name} is left over" for name in temporary]
    if status != 1 or message.count("\n") != 1 or not message.endswith(" [FB0300]\n"):
        wrong.append(f"ended with {status} and said {message!r}")
    if f"error: {workshop.output}" not in message or ".tmp" in message:
        wrong.append(f"the message does not name the file: {message!r}")
    return wrong


def together(workshop: Workshop, rounds: int) -> Result:
    """Run two builds at the same time, of the same firmware and of two."""
    new, other = _reference(workshop, "app.bin"), _reference(workshop, OTHER)
    bad: list[str] = []
    for index in range(rounds):
        for start, content in (("empty", {}), ("filled", other)):
            for second in ("app.bin", OTHER):
                workshop.reset(content)
                children = [workshop.start(firmware=name) for name in ("app.bin", second)]
                statuses = [os.waitstatus_to_exitcode(os.waitpid(one, 0)[1]) for one in children]
                found, temporary = workshop.left()
                wrong = [f"{name} is left over" for name in temporary]
                if second == OTHER:
                    wrong += _check_mixed(found, other, new)
                elif statuses != [0, 0] or found != new:
                    wrong.append(f"statuses {statuses}: {workshop.log.read_text()!r}")
                bad += [f"round {index}, {start}, with {second}: {problem}" for problem in wrong]
    return {"points": 4 * rounds, "bad": bad}


def _check_mixed(found: Files, old: Files, new: Files) -> list[str]:
    """Check what builds of two firmwares leave: each file whole, whichever build it is of."""
    for name in found:
        if name.endswith(".manifest"):
            # One build's manifest may describe the other's payload. It raises when it is cut off.
            decode_signed(found[name])
    rest = (
        {name: data for name, data in files.items() if not name.endswith(".manifest")}
        for files in (found, old, new)
    )
    return problems(*rest)


def audit(workshop: Workshop) -> Result:
    """Record every operation of a build that changes the disk, below all of Python's layers."""
    workshop.reset(_reference(workshop, OTHER))
    names = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink",
             "os.truncate", "os.chmod", "os.utime", "subprocess.Popen", "socket.connect",
             "os.posix_spawn", "os.exec", "os.fork", "tempfile.mkstemp"}  # fmt: skip
    changing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    interceptor = Interceptor()
    events: list[list[str]] = []
    listening = True

    def hook(name: str, values: tuple[Any, ...]) -> None:
        if listening and name in names and (name != "open" or values[2] & changing):
            events.append([name, *(os.fsdecode(v) for v in values if isinstance(v, str | Path))])

    def install() -> None:
        sys.addaudithook(hook)
        interceptor.install()

    def finish() -> object:
        nonlocal listening
        listening = False
        return {"events": events, "counted": [kind.value for kind in interceptor.kinds]}

    status = workshop.build(install, finish)
    result: Result = {"status": status, **json.loads(workshop.report.read_text())}
    return result


def _reference(workshop: Workshop, firmware: str) -> Files:
    workshop.reset({})
    if workshop.build(firmware=firmware) != 0:
        raise RuntimeError(workshop.log.read_text())
    return workshop.left()[0]


def _count(workshop: Workshop, content: Files) -> list[Kind]:
    """Return the operations of a good run."""
    workshop.reset(content)
    interceptor = Interceptor()
    workshop.build(interceptor.install, lambda: [kind.value for kind in interceptor.kinds])
    return [Kind(value) for value in json.loads(workshop.report.read_text())]


def main(mode: str, project: str, work: str) -> None:
    """Run one mode and print its result."""
    folder = Path(work)
    workshop = Workshop(Path(project), folder / "output", folder / "log")
    # Everything is imported once, here, so that children start at full speed.
    workshop.import_everything()
    # A collection would touch, and so copy, all memory in every child.
    gc.freeze()
    gc.disable()
    modes: dict[str, Callable[[], Result]] = {
        "kill": lambda: interrupt(workshop, kill_points),
        "fail": lambda: interrupt(workshop, failure_points),
        "together": lambda: together(workshop, rounds=10),
        "audit": lambda: audit(workshop),
    }
    sys.stdout.write(json.dumps(modes[mode]()))


if __name__ == "__main__":
    main(*sys.argv[1:])
