"""Keys that others can read: one warning on stderr, whichever command uses them."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.cli.dropin import manifest_tool, suit_tool
from fotabuild.cli.main import main
from fotabuild.signing.key_file import key_warnings_told, open_to_others, warn_if_open
from fotabuild.signing.pem import PemSigner
from fotabuild.signing.signer import open_signer

from ..command import run_fotabuild
from ..formats.golden import KEY
from ..suit.golden import ED25519, HMAC, HSS, make, manifest
from .scene import write_project

CREATE = ("manifest", "create", "-p", "app.bin", "--format", "raw-binary", "-v", "1.1.0")
BUILD = ("build", "app.bin", "-v", "1.1.0", "--set", "formats=v3,suit", "-o", "out")
SIGN = ("suit", "sign", "-m", "a.suit", "-o", "b.suit", "-k")
INPUT = (
    '{vendor: {domain: acme.com}, priority: 1, device: {model-name: X}, payload: {url: "http://a", '
    "file-path: app.bin, format: raw-binary}}"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    Path("a.suit").write_bytes(make(manifest()))
    Path("in.yaml").write_text(INPUT)
    for name, source in (("ed.pem", ED25519), ("hss", HSS), ("hmac", HMAC)):
        shutil.copyfile(source, name)
    return tmp_path


COMMANDS: dict[str, tuple[Callable[[list[str]], int], tuple[str, ...], str]] = {
    "build": (main, BUILD, "key.pem"),
    "manifest create": (main, (*CREATE, "-o", "m"), "key.pem"),
    "keys check": (main, ("keys", "check"), "key.pem"),
    "suit sign, PEM": (main, (*SIGN, "ed.pem"), "ed.pem"),
    "suit sign, HSS/LMS": (main, (*SIGN, "hss"), "hss"),
    "suit sign, HMAC": (main, (*SIGN, "hmac", "--alg", "HMAC-256"), "hmac"),
    "suit pubkey": (main, ("suit", "pubkey", "-k", "ed.pem"), "ed.pem"),
    "manifest-tool": (
        manifest_tool.entry_point,
        ("create", "-c", "in.yaml", "-k", "key.pem", "-o", "m", "--fw-version", "1.1.0"),
        "key.pem",
    ),
    "suit-tool": (suit_tool.entry_point, (*SIGN[1:], "ed.pem"), "ed.pem"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_warns_once(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    program, arguments, key = COMMANDS[name]
    warned = (
        f"{key}: others can read this {'secret' if key == 'hmac' else 'private key'}; chmod 600 "
    )
    for mode, count in ((0o644, 1), (0o640, 1), (0o604, 1), (0o600, 0), (0o400, 0)):
        Path(key).chmod(mode)
        capsys.readouterr()
        status = program(list(arguments))
        captured = capsys.readouterr()
        # Only the check of keys says more than that.
        assert status == (3 if count and name == "keys check" else 0), captured.err
        lines = [line for line in captured.err.splitlines() if "others can read" in line]
        assert len(lines) == count, (oct(mode), captured.err)
        assert all(warned in line and line.endswith(f"{key}") for line in lines)


def test_nothing_is_said_where_only_errors_are_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    Path("key.pem").chmod(0o644)
    assert main(["-q", *CREATE, "-o", "m"]) == 0
    assert capsys.readouterr().err == ""


def test_results_for_programs_stay_clean(folder: Path) -> None:
    import json

    Path("key.pem").chmod(0o644)
    done = run_fotabuild("--json", *CREATE, "-o", "m", cwd=folder)
    assert done.status == 0
    json.loads(done.stdout)
    assert done.stderr.count("warning: ") == done.stderr.count("key.pem: others can read") == 1


def test_what_is_no_key_gives_an_error_and_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cert.der").chmod(0o644)
    assert main([*CREATE, "-k", "cert.der", "-o", "m"]) == 1
    assert "others" not in capsys.readouterr().err


def test_a_library_warns_on_stderr_once_for_each_file(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copyfile(KEY, "library.pem")
    Path("library.pem").chmod(0o644)
    Path("link.pem").symlink_to("library.pem")
    for name in ("library.pem", "library.pem", "link.pem", "file:library.pem"):
        open_signer(name)
    text = "library.pem: others can read this private key; chmod 600 library.pem"
    assert capsys.readouterr().err == f"fotabuild: warning: {text}\n"


def test_threads_warn_once() -> None:
    Path("key.pem").chmod(0o644)
    said: list[str] = []
    with key_warnings_told(said.append):
        threads = [threading.Thread(target=warn_if_open, args=[Path("key.pem")]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(said) == 1


def test_keys_in_pipes_are_nobody_elses(capsys: pytest.CaptureFixture[str]) -> None:
    reader, writer = os.pipe()
    os.write(writer, KEY.read_bytes())
    os.close(writer)
    try:
        PemSigner.open(Path(f"/dev/fd/{reader}"))
    finally:
        os.close(reader)
    assert capsys.readouterr().err == ""
    assert not open_to_others(Path("none.pem"))


def test_windows_has_no_such_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("key.pem")
    path.chmod(0o644)
    assert open_to_others(path)
    monkeypatch.setattr(os, "name", "nt")
    assert not open_to_others(path)


def test_without_stderr_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile(KEY, "silent.pem")
    Path("silent.pem").chmod(0o644)
    monkeypatch.setattr(sys, "stderr", None)
    assert PemSigner.open(Path("silent.pem")).sign(b"x")
