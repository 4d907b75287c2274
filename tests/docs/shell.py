"""Run the commands of an example as a reader would: in a shell, reading along."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..conftest import find_tool
from .pages import Example

_MARK = "\x01"
_PROGRAMS = {
    "fotabuild": "-m fotabuild",
    "fotabuild-suit-tool": "-m fotabuild.cli.dropin.suit_tool",
    "scons": "-m SCons",
    "python3": "",
}
_FOREIGN = re.compile(r"CI|FOTABUILD_.*|SCONSFLAGS|SOURCE_DATE_EPOCH|NO_COLOR|FORCE_COLOR")


@dataclass(frozen=True)
class Command:
    """A command line of a page, and what the page says that it prints; None for anything."""

    line: int
    text: str
    output: str | None = None


def read_commands(example: Example) -> list[Command]:
    """Return the commands of a block.

    Raises:
        ValueError: the block begins with output.
    """
    commands: list[Command] = []
    for number, line in enumerate(example.lines, example.line):
        if line.startswith("$ "):
            commands.append(Command(number, line[2:]))
            continue
        if not commands:
            raise ValueError(f"line {number}: output before any command")
        last = commands.pop()
        if last.output is None and line.startswith("> "):
            commands.append(Command(last.line, f"{last.text}\n{line[2:]}"))
        else:
            commands.append(Command(last.line, last.text, f"{last.output or ''}{line}\n"))
    return commands


def make_programs(folder: Path) -> None:
    """Write the programs that examples call, so that they run in this interpreter."""
    folder.mkdir()
    programs = {name: f'"{sys.executable}" {module}' for name, module in _PROGRAMS.items()}
    for name in ("cmake", "ninja"):
        if tool := find_tool(name):
            programs[name] = f'"{tool}"'
    if not any(map(shutil.which, ("gcc", "cc"))):
        programs["gcc"] = f'"{sys.executable}" -m ziglang cc'
    for name, command in programs.items():
        # SCons starts compilers without HOME, where zig has its cache.
        home = os.environ.get("HOME", folder)
        text = f'#!/bin/sh\n: "${{HOME:={home}}}"\nexport HOME\nexec {command} "$@"\n'
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def run_commands(
    commands: list[Command], folder: Path, programs: Path, started: list[int] | None = None
) -> None:
    """Run commands in one shell and compare what they print.

    Args:
        commands: the commands.
        folder: where they run.
        programs: the folder of the programs that they call.
        started: gets the process group of a shell that left something running in the background,
            which the caller has to end.

    Raises:
        AssertionError: a command failed, unless ``echo $?`` follows it, or printed something else.
    """
    script = ["exec 2>&1 </dev/null"]
    for command in commands:
        # The mark carries the status of the command before; $? is kept for the next one.
        script += [f"status=$?; printf '{_MARK}%s{_MARK}' $status; (exit $status)", command.text]
    script.append(f"printf '{_MARK}%s{_MARK}' $?")
    own = {name: value for name, value in os.environ.items() if not _FOREIGN.fullmatch(name)}
    with subprocess.Popen(
        ["/bin/sh", "-c", "\n".join(script)],
        cwd=folder,
        env={
            **own,
            "PATH": f"{programs}{os.pathsep}{own['PATH']}",
            # As on a terminal: what is printed first comes first.
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "88",
            # No reader has been here before.
            "FOTABUILD_CACHE_DIR": "off",
        },
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as shell:
        if started is not None and any(command.text.endswith("&") for command in commands):
            started.append(shell.pid)
        try:
            printed, _ = shell.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            end_group(shell.pid)
            raise
    pieces = printed.split(_MARK)[2:]
    outputs, statuses = pieces[::2], [int(text) for text in pieces[1::2]]
    for index, command in enumerate(commands):
        report = f"line {command.line}: $ {command.text}\n{outputs[index]}"
        asked = index + 1 < len(commands) and commands[index + 1].text == "echo $?"
        assert asked or statuses[index] == 0, f"{report}status {statuses[index]}"
        assert command.output is None or _matches(command.output, outputs[index]), report


def end_group(leader: int) -> None:
    """End every process that a shell started and that is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _matches(expected: str, found: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in expected.rstrip().split("..."))
    lines = (line.rstrip() for line in found.rstrip().splitlines())
    return re.fullmatch(pattern, "\n".join(lines), re.DOTALL) is not None
