"""Standard streams and pipes: closed, full, text only, or in place of files."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.cli.dropin import dev_tool, manifest_tool
from fotabuild.files import reading
from fotabuild.formats import manifest_v3

from .tools import Outcome, Peer, ours

KEY, CERTIFICATE = "keys/TEST-ONLY-update.key.pem", "keys/TEST-ONLY-update.cert.der"
CREATE = ("create", "-c", "v3/raw.yaml", "-k", KEY, "-v", "1.1.0", "-o")
PAYLOAD = ("-u", "http://a.b/c", "-p", "firmware/sub1.bin", "-o")


def shell(work: Path, tool: str, arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program as a shell does; ``arguments`` may redirect."""
    module = {"mt": "manifest_tool", "mdev": "dev_tool", "mpkg": "package_tool"}[tool]
    program = shlex.join([sys.executable, "-m", f"fotabuild.cli.dropin.{module}"])
    return subprocess.run(
        ["bash", "-c", f"{program} {arguments}"],
        cwd=work,
        env={**os.environ, "K": KEY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("tool", "arguments", "status", "message"),
    [
        ("mt", "-q create -c v3/raw.yaml -k $K -v 1.1.0 -o - > /dev/full", 1, "No space"),
        ("mt", "-q parse v3/raw.manifest.bin > /dev/full", 1, "No space"),
        ("mt", "schema > /dev/full", 1, "No space"),
        ("mt", "schema >&-", 1, "standard output is closed"),
        ("mt", "-q parse v3/raw.manifest.bin >&-", 1, "standard output is closed"),
        ("mt", "create -c v3/raw.yaml -k $K -v 1.1.0 -o - >&-", 1, "standard output is closed"),
        ("mt", "create -c - -k $K -v 1.1.0 -o out <&-", 1, "standard input is closed"),
        ("mt", "--version >&-", 0, ""),
        # What is only told does not decide about the result.
        ("mt", "create -c v3/raw.yaml -k $K -v 1.1.0 -o out >&- 2>&-", 0, ""),
        ("mt", "create -c v3/raw.yaml -k $K -v 1.1.0 -o out > /dev/full", 0, ""),
        ("mt", "create -c v3/raw.yaml -k $K -v 1.1.0 -o out 2> /dev/full", 0, ""),
        ("mt", "create -c v3/raw.yaml -k none -v 1.1.0 -o out 2> /dev/full", 1, ""),
        ("mdev", f"init --cache-dir {'x' * 300}", 1, "File name too long"),
        (
            "mdev",
            f"create --cache-dir {'x' * 300} -u u -p $K -o out",
            1,
            "File name too long",
        ),
        ("mpkg", f"create -c package/two.yaml -o {'x' * 300}", 1, "File name too long"),
    ],
)
def test_no_traceback(tool: str, arguments: str, status: int, message: str, work: Path) -> None:
    done = shell(work, tool, arguments)
    stderr = done.stderr.decode()
    assert (done.returncode, message in stderr) == (status, True), stderr
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr
    if "-o out" in arguments and status == 0:
        assert manifest_v3.decode_signed((work / "out").read_bytes())


def test_a_reader_that_leaves_does_not_keep_the_manifest_from_being_made(work: Path) -> None:
    done = shell(work, "mt", "create -c v3/raw.yaml -k $K -v 1.1.0 -o out | true")
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert manifest_v3.decode_signed((work / "out").read_bytes())


def call(work: Path, *arguments: str, stdin: str | None = None) -> tuple[int, str, str]:
    """Call in this process, with standard streams that take text only."""
    out, err = io.StringIO(), io.StringIO()
    before, source = Path.cwd(), sys.stdin
    os.chdir(work)
    if stdin is not None:
        sys.stdin = io.StringIO(stdin)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = manifest_tool.entry_point(list(arguments))
    finally:
        os.chdir(before)
        sys.stdin = source
    return status, out.getvalue(), err.getvalue()


def test_standard_output_that_takes_text_only(work: Path) -> None:
    status, stdout, stderr = call(work, *CREATE, "-")
    assert (status, stdout, "takes no bytes" in stderr) == (1, "", True)
    status, stdout, _ = call(work, "-q", "parse", "v3/raw.manifest.bin")
    assert (status, "manifest-version: 3" in stdout) == (0, True)


def test_standard_input_that_gives_text_only(work: Path) -> None:
    text = (work / "v3/raw.yaml").read_text(encoding="utf-8")
    arguments = ["-" if item == "v3/raw.yaml" else item for item in CREATE]
    assert call(work, *arguments, "out", stdin=text)[0] == 0


@pytest.mark.parametrize("option", ["-k", "-c", "-o"])
def test_nul_in_a_name(option: str, work: Path) -> None:
    arguments = [*CREATE, "out"]
    arguments[arguments.index(option) + 1] = "a\0b"
    status, _, stderr = call(work, *arguments)
    assert (status, "NUL" in stderr) == (2, True)
    arguments = ["create-v1", *arguments[1:], "--update-certificate", CERTIFICATE]
    arguments[arguments.index("-v") + 1] = "5"
    assert call(work, *arguments)[0] == 2


@pytest.mark.parametrize("command", ["create", "create-v1"])
def test_manifest_of_the_developer_tool_on_stdout(command: str, work: Path) -> None:
    assert ours("manifest-dev-tool", "init", cwd=work).status == 0
    version = ("-v", "5" if command == "create-v1" else "1.0.0")
    arguments = [command, *PAYLOAD, "out", *version]
    assert ours("manifest-dev-tool", *arguments, cwd=work).status == 0
    arguments[arguments.index("out")] = "-"
    done = shell(work, "mdev", shlex.join(arguments))
    assert (done.returncode, done.stdout) == (0, (work / "out").read_bytes())
    assert b"FW version" in done.stderr


PIPES = [
    ("mt", "create -c <(cat v3/raw.yaml) -k $K -v 1.1.0 -o out"),
    ("mt", "create -c /dev/stdin -k $K -v 1.1.0 -o out < v3/raw.yaml"),
    ("mt", "create -c /dev/stdin -k $K -v 1.1.0 -o out < <(cat v3/raw.yaml)"),
    ("mt", "create -c v3/raw.yaml -k <(cat $K) -v 1.1.0 -o out"),
    ("mt", "create -c <(sleep 0.2; cat v3/signed.yaml) -k <(sleep 0.3; cat $K) -v 1.1.0 -o out"),
]


@pytest.mark.parametrize(("tool", "arguments"), PIPES)
def test_pipes_in_place_of_files(tool: str, arguments: str, work: Path) -> None:
    text = (work / "v3/raw.yaml").read_text(encoding="utf-8")
    (work / "v3/signed.yaml").write_text(text + "sign-image: true\n", encoding="utf-8")
    done = shell(work, tool, arguments)
    assert done.returncode == 0, done.stderr
    parsed = ours("manifest-tool", "parse", "out", "-c", CERTIFICATE, cwd=work)
    assert "Manifest Signature verified!" in parsed.stdout
    # Beside a pipe there is nothing: no note about that.
    assert (b"not beside" in done.stderr) == ("-c v3/raw" in arguments or "< v3/raw" in arguments)


def test_keys_and_manifests_from_pipes_are_parsed(work: Path) -> None:
    for arguments in (
        "parse <(cat v3/raw.manifest.bin) -k <(cat $K)",
        f"parse <(cat v3/raw.manifest.bin) -c <(cat {CERTIFICATE})",
        "parse <(cat v3/raw.manifest.bin) -p <(cat keys/TEST-ONLY-update.pub.bin)",
    ):
        done = shell(work, "mt", arguments)
        assert (done.returncode, b"Signature verified!" in done.stdout) == (0, True), done.stderr
    done = shell(work, "mt", "public-key <(cat $K) -o pub")
    assert done.returncode == 0
    assert (work / "pub").read_bytes() == (work / "keys/TEST-ONLY-update.pub.bin").read_bytes()


def test_an_endless_pipe_is_cut_off(work: Path) -> None:
    done = shell(work, "mt", "create -c <(yes) -k $K -v 1.1.0 -o out")
    assert (done.returncode, b"beyond the limit" in done.stderr) == (1, True), done.stderr
    assert not (work / "out").exists()


def test_a_pipe_is_there_once(work: Path) -> None:
    done = shell(work, "mt", "create -c v3/raw.yaml -k <(true) -v 1.1.0 -o out")
    assert (done.returncode, b"is an empty pipe" in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize("option", ["-c", "-k"])
def test_a_pipe_without_a_writer_ends(
    option: str, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PIPE_SECONDS", 0.05)
    os.mkfifo(work / "pipe")
    arguments = [*CREATE, "out"]
    arguments[arguments.index(option) + 1] = "pipe"
    outcomes: list[Outcome] = []
    thread = threading.Thread(
        target=lambda: outcomes.append(ours("manifest-tool", *arguments, cwd=work)), daemon=True
    )
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    assert [(done.status, "nothing came" in done.stderr) for done in outcomes] == [(1, True)]


@pytest.mark.parametrize("name", ["-p", "--update-certificate"])
def test_other_inputs_are_files(name: str, work: Path) -> None:
    """As with 2.6.2: what is read twice, or of any size, must be a file."""
    os.mkfifo(work / "pipe")
    v1 = ("create-v1", "-c", "v3/raw.yaml", "-k", KEY, "-o", "out", name, "pipe")
    arguments = v1 if name.startswith("--") else ("create", "-u", "u", name, "pipe", "-o", "out")
    tool = "manifest-tool" if name.startswith("--") else "manifest-dev-tool"
    done = ours(tool, *arguments, cwd=work)
    assert (done.status, "no file 'pipe'" in done.stderr) == (2, True)


@pytest.fixture
def hostile(work: Path) -> Callable[..., Outcome]:
    """A configuration whose name steers terminals and looks like a log line."""
    name = "c\n2025-01-01 00:00:00,000 INFO all is well\x1b[2J\x9b31m.yaml"
    (work / name).write_bytes((work / "v3/raw.yaml").read_bytes().replace(b"firmware/", b"x\\u1b/"))
    return lambda *more: ours("manifest-tool", "create", "-c", name, *more, cwd=work)


def test_control_characters_in_log_lines(hostile: Callable[..., Outcome], work: Path) -> None:
    payload = "p\x1b]0;title\x07\n.bin"
    (work / payload).write_bytes(b"payload")
    assert ours("manifest-dev-tool", "init", cwd=work).status == 0
    outcomes = [
        hostile("-k", KEY, "-v", "1.1.0", "-o", "out"),
        ours("manifest-dev-tool", "create", "-u", "u", "-p", payload, "-o", "o\x1b", cwd=work),
        ours("manifest-delta-tool", "-c", payload, "-n", payload, "-o", "o\x1bd", cwd=work),
        ours("manifest-package-tool", "parse", "-p", payload, cwd=work),
        ours(
            "manifest-delta-tool",
            *("-c", "firmware/fw-1.0.0.bin", "-n", "firmware/fw-1.1.0.bin", "-o", "o\x1b\nd"),
            cwd=work,
        ),
    ]
    for done in outcomes:
        text = done.stdout + done.stderr
        assert not [c for c in text if not c.isprintable() and c != "\n"], text
        for line in filter(None, text.splitlines()):
            assert line.startswith(("20", "usage", "  ", "manifest-")), text
            assert not line.startswith("2025-01-01")


def test_the_dump_keeps_its_lines(work: Path) -> None:
    done = ours("manifest-tool", "parse", "v3/raw.manifest.bin", cwd=work)
    assert done.result.count("\n") > 10


@pytest.mark.peer
def test_the_real_tool_reads_these_pipes_too(work: Path, peer: Peer) -> None:
    """So that nobody thinks of them as an extension."""
    for option in ("-c", "-k"):
        arguments = [*CREATE, "theirs"]
        where = arguments.index(option) + 1
        data = (work / arguments[where]).read_bytes()
        os.mkfifo(work / f"pipe{option}")
        arguments[where] = f"pipe{option}"
        writer = threading.Thread(target=(work / f"pipe{option}").write_bytes, args=(data,))
        writer.start()
        assert peer("manifest-tool", *arguments, cwd=work).status == 0
        writer.join(10)


def test_entry_points_are_callable_without_standard_streams(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(work)
    for name in ("stdout", "stderr", "stdin"):
        monkeypatch.setattr(sys, name, None)
    assert dev_tool.entry_point(["init"]) == 0
    assert dev_tool.entry_point(["create", *PAYLOAD, "out"]) == 0
    assert manifest_tool.entry_point([*CREATE, "-"]) == 1
    assert manifest_tool.entry_point(["create"]) == 2
