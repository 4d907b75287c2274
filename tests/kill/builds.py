"""Builds in child processes of one process that has imported everything, and what they leave."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fotabuild.cli.main import main
from fotabuild.files import writing

Files = dict[str, bytes]

# Small, so that artifacts of a few kilobytes take several writes.
_CHUNK = 4096


def _nothing(*_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Workshop:
    """A project, and the folder in which its builds are tried.

    Attributes:
        project: folder with ``fotabuild.yaml`` and the firmware ``app.bin``.
        output: folder of the artifacts, emptied and filled again and again.
        log: file for what a build tells people.
    """

    project: Path
    output: Path
    log: Path

    def start(
        self,
        install: Callable[[], None] = _nothing,
        finish: Callable[[], object] = _nothing,
        firmware: str = "app.bin",
    ) -> int:
        """Start a build in a child process and return its id.

        Args:
            install: called in the child before the build.
            finish: called in the child after it; what it returns is put into the report.
            firmware: what is built.
        """
        child = os.fork()
        if child:
            return child
        status = 70
        try:
            descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            writing._CHUNK = _CHUNK
            # The page cache outlives a killed process: waiting for the disk would show nothing.
            os.fsync = _nothing  # type: ignore[assignment]
            install()
            status = main(self.arguments(firmware))
            self.report.write_text(json.dumps(finish()))
        finally:
            os._exit(status)

    def import_everything(self) -> None:
        """Build once in this process, so that its children find all modules loaded."""
        with contextlib.redirect_stdout(io.StringIO()):
            status = main(self.arguments("app.bin"))
        if status != 0:
            raise RuntimeError("the project does not build")

    @property
    def report(self) -> Path:
        """Where a child puts the result of ``finish``."""
        return self.log.with_suffix(".json")

    def arguments(self, firmware: str) -> list[str]:
        """Return the command line of a build."""
        # Another firmware is of another device, so that all of its artifacts differ.
        other = () if firmware == "app.bin" else ("--set=device.model-name=Gadget",)
        return [
            *("-q", "build", str(self.project / firmware), "--fw-version=1.1.0", "--name=app"),
            f"--config={self.project / 'fotabuild.yaml'}",
            f"--output-dir={self.output / 'update'}",
            f"--resources={self.output / 'update_default_resources.c'}",
            *other,
        ]

    def build(
        self,
        install: Callable[[], None] = _nothing,
        finish: Callable[[], object] = _nothing,
        firmware: str = "app.bin",
    ) -> int:
        """Build as :meth:`start` and wait; return the exit status, or minus the fatal signal."""
        _, status = os.waitpid(self.start(install, finish, firmware), 0)
        return os.waitstatus_to_exitcode(status)

    def reset(self, content: Mapping[str, bytes]) -> None:
        """Let the output folder hold exactly ``content``."""
        shutil.rmtree(self.output, ignore_errors=True)
        for name, data in content.items():
            (self.output / name).parent.mkdir(parents=True, exist_ok=True)
            (self.output / name).write_bytes(data)

    def left(self) -> tuple[Files, list[str]]:
        """Return the files under final names, and the names of temporary ones."""
        found: Files = {}
        temporary = []
        for path in sorted(self.output.rglob("*")):
            name = path.relative_to(self.output).as_posix()
            if path.name.startswith(".") and path.suffix == ".tmp":
                temporary.append(name)
            elif path.is_file():
                found[name] = path.read_bytes()
        return found, temporary


def problems(found: Files, old: Files, new: Files) -> list[str]:
    """Return what is wrong with the files that an interrupted build left."""
    wrong = []
    for name, data in found.items():
        if data not in (old.get(name), new.get(name)):
            wrong.append(f"{name} is not complete")
    for name in old:
        if name not in found and not name.endswith(".yaml"):
            wrong.append(f"{name} is gone")
    for patch in (name for name in new if name.endswith(".patch")):
        sidecar = f"{patch.removesuffix('.patch')}.yaml"
        pairs = [(versions.get(patch), versions.get(sidecar)) for versions in (old, new)]
        if sidecar in found and (found.get(patch), found[sidecar]) not in pairs:
            wrong.append(f"{sidecar} belongs to another patch")
    return wrong
