"""The real system's refusals: a file size limit, folders and files without permission."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from fotabuild.files.writing import write_file

from ..command import Finished
from ..scons.permissions import OBEYING_MODES

LIMITED = "import os, resource, sys; n = int(sys.argv[1]); "
LIMITED += "resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); os.execv(sys.argv[2], sys.argv[2:])"
Snapshot = dict[str, bytes]


@pytest.fixture
def build(firmware_project: Path, tmp_path: Path) -> Callable[..., Finished]:
    """Return a function that builds into ``update`` below the temporary folder."""

    def run(firmware: str, wrapper: Iterable[str] = ()) -> Finished:
        command = [
            *(*wrapper, sys.executable, "-B", "-m", "fotabuild", "-q", "build"),
            *(str(firmware_project / firmware), "--fw-version=1.1.0", "--name=app"),
            f"--config={firmware_project / 'fotabuild.yaml'}",
            f"--output-dir={tmp_path / 'update'}",
        ]
        done = subprocess.run(
            command, env=os.environ, capture_output=True, encoding="utf-8", check=False
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


def _snapshot(folder: Path) -> Snapshot:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("limit", [0, 100, 4200, 5000])
def test_a_full_disk(build: Callable[..., Finished], tmp_path: Path, limit: int) -> None:
    assert build("other.bin").status == 0
    old = _snapshot(tmp_path / "update")
    assert build("app.bin").status == 0
    new = _snapshot(tmp_path / "update")
    assert build("other.bin").status == 0
    done = build("app.bin", (sys.executable, "-c", LIMITED, str(limit)))
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {tmp_path / 'update'}")
    assert done.stderr.endswith(": cannot write: File too large [FB0300]\n")
    assert done.stderr.count("\n") == 1
    found = _snapshot(tmp_path / "update")
    assert found.keys() == old.keys()
    assert all(data in (old[name], new[name]) for name, data in found.items())
    if limit == 0:
        assert found == old


@pytest.mark.parametrize("mode", [0o555, 0o444, 0o000])
def test_a_folder_without_permission(
    build: Callable[..., Finished], tmp_path: Path, mode: int
) -> None:
    assert build("other.bin").status == 0
    old = _snapshot(tmp_path / "update")
    (tmp_path / "update").chmod(mode)
    try:
        done = build("app.bin", OBEYING_MODES)
    finally:
        (tmp_path / "update").chmod(0o755)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {tmp_path / 'update'}")
    assert done.stderr.endswith(": cannot write: Permission denied [FB0300]\n")
    assert done.stderr.count("\n") == 1
    assert _snapshot(tmp_path / "update") == old


def test_an_output_folder_that_cannot_be_made(
    build: Callable[..., Finished], tmp_path: Path
) -> None:
    tmp_path.chmod(0o555)
    try:
        done = build("app.bin", OBEYING_MODES)
    finally:
        tmp_path.chmod(0o755)
    assert (done.status, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.endswith(": cannot write: Permission denied [FB0300]\n")
    assert not (tmp_path / "update").exists()


def test_final_names_as_long_as_the_system_allows(tmp_path: Path) -> None:
    """Temporary names are longer than final ones, and letters longer than bytes."""
    for letter in ("n", "ü", "語", "🌡"):
        name = letter * (255 // len(letter.encode()))
        write_file(tmp_path / name, b"complete")
        assert (tmp_path / name).read_bytes() == b"complete"
