"""The program as a whole: version, folders, interruption, a reader that leaves, debug."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import fotabuild
from fotabuild.cli.commands import schema
from fotabuild.cli.main import main
from fotabuild.cli.output import counted
from fotabuild.errors import ExitStatus, FotabuildError

from ..command import run_fotabuild
from .conftest import Cli


def test_version(look: Cli) -> None:
    done = look.good("--version")
    assert (done.stdout, done.stderr) == (f"fotabuild {fotabuild.__version__}\n", "")


def test_help_goes_to_stdout(look: Cli) -> None:
    done = look.good("--help")
    assert done.stderr == ""
    assert "exit status: 0 ok, 1 failed, 2 wrong usage, 3 verification failed" in done.stdout


def test_folder_of_the_decoder_s_source(look: Cli) -> None:
    folder = Path(look.good("--decoder-dir").stdout.strip())
    assert (folder / "fota_patch.c").is_file()


def test_in_a_process_of_its_own(look: Cli) -> None:
    """stdout is data, stderr is for people."""
    done = run_fotabuild("manifest", "verify", "a.manifest", cwd=look.folder)
    assert done.status == 0
    assert done.stdout.startswith("passed   manifest-structure")
    assert done.stderr == "accepted\n"
    failed = run_fotabuild("manifest", "parse", "none", cwd=look.folder)
    assert (failed.status, failed.stdout) == (1, "")
    assert failed.stderr.startswith("error: none: cannot read the manifest")


def test_interruption_is_status_130(look: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "run", interrupted)
    done = look("schema")
    assert (done.status, done.stdout) == (ExitStatus.INTERRUPTED, "")
    assert done.stderr == "interrupted\n"


def test_no_memory_is_no_traceback(look: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_arguments: object) -> int:
        raise MemoryError

    monkeypatch.setattr(schema, "run", greedy)
    done = look("schema")
    assert (done.status, done.stdout) == (ExitStatus.FAILED, "")
    assert done.stderr.startswith("error: the system refused: memory ran out; ")


def test_reader_that_leaves_is_no_traceback(look: Cli) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "fotabuild", "schema"],
            cwd=look.folder,
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_debug_shows_where_an_error_comes_from(look: Cli) -> None:
    with pytest.raises(FotabuildError, match="cannot read the manifest"):
        main(["--debug", "manifest", "parse", "none"])


def test_text_that_the_terminal_cannot_show(look: Cli) -> None:
    done = run_fotabuild(
        "config", "--set", "device.model-name=Gr\u00f6\u00dfe \u2603", cwd=look.folder,
        env={"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.status == 0
    assert "Gr\\xf6\\xdfe \\u2603" in done.stdout


def test_flags_before_the_command_do_not_hide_it(look: Cli) -> None:
    for flags in ((), ("-q",), ("--quiet", "--json"), ("--json", "--debug", "-q")):
        assert look(*flags, "schema").status == 0
        assert look(*flags, "schemas").status == 2


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 devices"), (1, "1 device"), (2, "2 devices"), (11, "11 devices")]
)
def test_counts_agree_with_their_nouns(count: int, text: str) -> None:
    assert counted(count, "device") == text
