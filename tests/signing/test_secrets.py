"""Where passphrases come from, and that no message holds one."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from fotabuild.errors import SecretError
from fotabuild.signing import secret
from fotabuild.signing.secret import read_pin, read_secret
from fotabuild.signing.signer import KeyAccess, open_signer

from ..formats.golden import KEY, PUBLIC_KEY
from .scene import write_project

SECRET = "canary 7d2a pässword"


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    secret._kept.clear()
    yield
    secret._kept.clear()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """An encrypted key."""
    path = tmp_path / "encrypted.pem"
    private = load_pem_private_key(KEY.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    encryption = BestAvailableEncryption(SECRET.encode())
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return path


def pipe_with(data: bytes) -> int:
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return reader


def test_from_the_environment(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_PASSPHRASE", SECRET)
    signer = open_signer(str(key), KeyAccess(passphrase="env:OUR_PASSPHRASE"))
    assert signer.public_key() == PUBLIC_KEY.read_bytes()


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_from_a_descriptor_that_is_read_once(end: str, key: Path) -> None:
    number = pipe_with((SECRET + end).encode())
    for _ in range(3):
        assert open_signer(str(key), KeyAccess(passphrase=f"fd:{number}")).sign(b"x")
    os.close(number)


def test_a_key_that_is_not_encrypted_needs_no_passphrase() -> None:
    assert open_signer(str(KEY), KeyAccess(passphrase="env:NOT_SET_ANYWHERE")).sign(b"x")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("env:NOT_SET_ANYWHERE", "the environment variable that should hold it is not set"),
        ("fd:999", "cannot read file descriptor 999: Bad file descriptor"),
        (SECRET, "not a source of secrets"),
        (f"pass:{SECRET}", "not a source of secrets"),
        ("fd:-1", "not a source of secrets"),
        ("fd:", "not a source of secrets"),
        ("", "not a source of secrets"),
    ],
)
def test_sources_without_a_secret(source: str, problem: str, key: Path) -> None:
    with pytest.raises(SecretError, match=problem) as caught:
        open_signer(str(key), KeyAccess(passphrase=source))
    assert "passphrase of encrypted.pem" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "problem"), [(b"", "there is nothing in"), (b"x" * 2000, "there is too much in")]
)
def test_descriptors_without_a_secret(data: bytes, problem: str) -> None:
    number = pipe_with(data)
    with pytest.raises(SecretError, match=problem):
        read_secret(f"fd:{number}", "passphrase")
    os.close(number)


def test_a_wrong_passphrase_is_said_and_not_kept(key: Path) -> None:
    wrong = pipe_with(b"canary but wrong")
    access = KeyAccess(passphrase=f"fd:{wrong}")
    with pytest.raises(SecretError, match="does not open this private key") as caught:
        open_signer(str(key), access)
    assert "canary" not in str(caught.value)
    right = pipe_with(SECRET.encode())
    os.dup2(right, wrong)
    assert open_signer(str(key), access).sign(b"x")
    os.close(wrong)
    os.close(right)


def test_a_pin_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.write_text("1234\n")
    assert {read_pin(s, "PIN") for s in (str(path), f"file:{path}", f"file://{path}")} == {b"1234"}
    with pytest.raises(SecretError, match="programs as PIN sources are not run"):
        read_pin("|cat /etc/passwd", "PIN")
    with pytest.raises(SecretError, match="cannot read the PIN source: No such file") as caught:
        read_pin(str(tmp_path / "canary"), "PIN")
    assert "canary" not in str(caught.value)


_ON_TERMINAL = """\
import fcntl, os, sys, termios
terminal = os.open(sys.argv[1], os.O_RDWR)
fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "fotabuild", *sys.argv[2:]])
"""
_BUILD = ("build", "app.bin", "-v", "1.1.0", "-o", "out")


def test_from_a_terminal_once_for_a_whole_build(key: Path, tmp_path: Path) -> None:
    """With stdin, stdout and stderr elsewhere; what is typed is not shown."""
    write_project(tmp_path, "key: encrypted.pem\n  passphrase: prompt")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _ON_TERMINAL, os.ttyname(theirs), *_BUILD],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    shown = b""
    while not shown.endswith(b": "):
        assert select.select([ours], [], [], 60)[0], process.communicate(timeout=60)
        shown += os.read(ours, 1000)
    os.write(ours, f"{SECRET}\n".encode())
    stdout, stderr = process.communicate(timeout=60)
    os.close(theirs)
    shown += os.read(ours, 1000)
    os.close(ours)
    assert process.returncode == 0, stderr
    assert shown.replace(b"\r\n", b"") == b"Passphrase of encrypted.pem: "
    assert b"canary" not in stdout + stderr
    assert len(list((tmp_path / "out").glob("*.manifest"))) == 3


def test_without_a_terminal_nobody_is_asked(key: Path, tmp_path: Path) -> None:
    write_project(tmp_path, "key: encrypted.pem\n  passphrase: prompt")
    done = subprocess.run(
        [sys.executable, "-m", "fotabuild", *_BUILD],
        cwd=tmp_path,
        input=SECRET.encode(),
        capture_output=True,
        start_new_session=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert b"there is no terminal to ask on" in done.stderr
