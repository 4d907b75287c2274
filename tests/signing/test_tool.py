"""The external signing tool: what is handed to it, and what is taken from it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from fotabuild.config.kept_files import key_access
from fotabuild.config.model import Credentials, Publish
from fotabuild.digest import sha256
from fotabuild.errors import SignatureError, SigningError, SigningToolError
from fotabuild.publish.access_key import VARIABLE
from fotabuild.signing.signer import KeyAccess, Signer, open_signer
from fotabuild.signing.verify import verify, verify_digest

from ..formats.golden import PUBLIC_KEY
from .tools import SECRET, make_tool, make_tool_of_another_key

POINT = PUBLIC_KEY.read_bytes()
DATA = b"data to be signed"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, with nothing else in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def opened(tool: Path | str, seconds: int = 60, key: str = "id") -> Signer:
    return open_signer(key, KeyAccess(tool=str(tool), tool_seconds=seconds), POINT)


def test_it_signs_and_gets_its_four_arguments(tmp_path: Path, temporary: Path) -> None:
    log = tmp_path / "log"
    signer = opened(make_tool(tmp_path / "tool", "logging", log=log), key="slot 7; rm -rf /")
    verify(POINT, DATA, signer.sign(DATA))
    verify_digest(POINT, sha256(DATA), signer.sign_digest(sha256(DATA), DATA))
    assert log.read_text() == "['sha256', 'slot 7; rm -rf /']\n" * 2
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "kind", "problem"),
    [
        ("exit 7", SigningToolError, "ended with exit status 7"),
        ("killed", SigningToolError, "ended with signal 9"),
        ("empty", SigningToolError, "wrote no signature"),
        ("garbage", SignatureError, "not DER"),
        ("huge", SigningToolError, "100000 bytes, the limit is"),
        ("raw", SignatureError, "64 bytes: perhaps raw r and s"),
        ("removed", SigningToolError, "output cannot be used: cannot read the signature"),
        ("trailing", SignatureError, "not DER"),
        ("hanging", SigningToolError, "did not finish within 1 seconds"),
        ("chatty and failing", SigningToolError, "ended with exit status 1"),
    ],
)
def test_failures_are_named_and_leave_nothing(
    body: str, kind: type[SigningError], problem: str, tmp_path: Path, temporary: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    signer = opened(make_tool(tmp_path / "tool", body), seconds=1 if body == "hanging" else 60)
    with pytest.raises(kind, match=problem) as caught:
        signer.sign(DATA)
    assert SECRET not in str(caught.value)
    assert capfd.readouterr() == ("", "")
    assert list(temporary.iterdir()) == []


def test_signature_of_another_key_is_refused(tmp_path: Path, temporary: Path) -> None:
    signer = opened(make_tool_of_another_key(tmp_path / "tool"))
    with pytest.raises(SignatureError, match="not a signature of the update key"):
        signer.sign(DATA)
    assert list(temporary.iterdir()) == []


def test_what_it_prints_is_dropped_unless_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tool = make_tool(tmp_path / "tool", "chatty")
    opened(tool).sign(DATA)
    assert capfd.readouterr() == ("", "")
    open_signer("id", KeyAccess(tool=str(tool), show_tool=True), POINT).sign(DATA)
    stdout, stderr = capfd.readouterr()
    assert (stdout, stderr) == ("", f"{SECRET}\n" * 2)


def test_missing_and_not_executable_tools_are_named(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("not a program")
    folder = tmp_path / "folder"
    folder.mkdir()
    plain.chmod(0o644)
    nonsense = tmp_path / "nonsense"
    nonsense.write_bytes(b"\x7fnonsense")
    nonsense.chmod(0o755)
    for tool in (tmp_path / "none", plain, folder, nonsense):
        with pytest.raises(SigningToolError, match="cannot be started") as caught:
            opened(tool).sign(DATA)
        assert str(caught.value).startswith(f"{tool}: ")
    with pytest.raises(SigningToolError, match="nor on PATH"):
        opened("no-such-program-anywhere").sign(DATA)


def test_bare_names_are_found_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tool(tmp_path / "our-signing-tool", "good")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    verify(POINT, DATA, opened("our-signing-tool").sign(DATA))


def test_a_certificate_is_needed(tmp_path: Path) -> None:
    with pytest.raises(SigningError, match="needs the update certificate") as caught:
        open_signer("id", KeyAccess(tool=str(make_tool(tmp_path / "tool", "good"))))
    assert caught.value.field == "credentials.certificate"


def test_a_digest_alone_cannot_be_signed(tmp_path: Path) -> None:
    signer = opened(make_tool(tmp_path / "tool", "good"))
    with pytest.raises(SigningToolError, match="the new image is not at hand"):
        signer.sign_digest(sha256(DATA))


@pytest.mark.parametrize(
    ("number", "ending"),
    [(signal.SIGINT, (130, "interrupted")), (signal.SIGTERM, (143, "terminated"))],
)
def test_an_interrupted_build_leaves_nothing(
    number: signal.Signals, ending: tuple[int, str], tmp_path: Path, temporary: Path
) -> None:
    from .scene import write_project

    tool = make_tool(tmp_path / "tool", "hanging")
    text = tool.read_text()
    tool.write_text(
        text.replace("import time\n", "print('ready', file=sys.stderr, flush=True)\nimport time\n")
    )
    write_project(tmp_path, f"signing-tool: {tool}\n  show-signing-tool: true\n  key: id")
    process = subprocess.Popen(
        [sys.executable, "-m", "fotabuild", "build", "app.bin", "-v", "1.1.0", "-o", "out"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line == "ready\n":
            break
    assert len(list(temporary.iterdir())) == 1
    process.send_signal(number)
    _, rest = process.communicate(timeout=60)
    assert (process.returncode, rest.splitlines()[-1]) == ending
    assert list(temporary.iterdir()) == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["app-1.1.0.bin"]


def test_the_access_key_of_the_service_is_not_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither from its usual variable nor from the one that the project names."""
    seen = tmp_path / "seen"
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\nenv > {seen}\nexit 1\n")
    tool.chmod(0o755)
    place = msgspec.convert({"access-key": "env:OUR_SERVICE_KEY"}, Publish)
    credentials = Credentials(signing_tool=str(tool))
    for name in (VARIABLE, "OUR_SERVICE_KEY"):
        monkeypatch.setenv(name, "ak_canary")
    monkeypatch.setenv("TOKEN_OF_THE_TOOL", "needed")
    with pytest.raises(SigningToolError, match="exit status 1"):
        open_signer("id", key_access(credentials, place.access_key), POINT).sign(DATA)
    assert "TOKEN_OF_THE_TOOL=needed" in seen.read_text()
    assert "ak_canary" not in seen.read_text()


@pytest.mark.parametrize("place", [None, "file:key.txt", "fd:3"])
def test_without_a_variable_of_its_own_the_usual_one_is_withheld(place: str | None) -> None:
    assert key_access(Credentials(), place).withheld == (VARIABLE,)
