"""``fotabuild serve`` and its keys."""

from __future__ import annotations

import json
import logging
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ..command import run_fotabuild
from ..server.harness import Client, registration, wait_until
from ..server.program import Program, serving
from .conftest import Cli, MakeCli


@pytest.fixture
def program(tmp_path: Path):  # type: ignore[no-untyped-def]
    with serving(tmp_path / "data", "--port-file", tmp_path / "port") as found:
        yield found


@pytest.fixture
def here(cli_in: MakeCli, tmp_path: Path) -> Cli:
    return cli_in(tmp_path)


def test_others_read_nothing_even_in_a_folder_that_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    with serving(folder) as program:
        program.client.upload(b"firmware")
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert {path.name for path in files} >= {"server.sqlite3", "server.sqlite3-wal"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_it_serves_and_says_where(program: Program, tmp_path: Path) -> None:
    assert program.client("GET", "/v3/api-keys/me").status == 200
    assert program.url == f"http://127.0.0.1:{program.port}"
    assert (tmp_path / "port").read_text() == f"{program.port}\n"
    assert stat.S_IMODE((program.folder / "access-key").stat().st_mode) == 0o600
    assert stat.S_IMODE(program.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_stops_when_told_to(program: Program, number: int, status: int) -> None:
    answer = Client(program.port, None)("POST", "/device/v1/register", values=registration("one"))
    device = Client(program.port, answer.json["token"])
    statuses: list[int] = []
    thread = threading.Thread(
        target=lambda: statuses.append(device("GET", "/device/v1/update?wait=60").status)
    )
    thread.start()
    page = "<b>1</b> devices waiting"
    wait_until(lambda: page in Client(program.port, None)("GET", "/").body.decode(), "the device")
    assert program.stop(number) == status
    thread.join(10)
    assert statuses == [204]  # A device that waits is let go with an answer.


def test_url_on_stdout_and_the_file_of_the_key_on_stderr(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "fotabuild", "serve", "--data", "d", "--port", "0"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    url = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    rest, stderr = process.communicate(timeout=60)
    assert url.startswith("http://127.0.0.1:")
    assert (rest, process.returncode) == ("", 0)
    key = (tmp_path / "d" / "access-key").read_text().strip()
    assert "d/access-key" in stderr
    assert key not in stderr


def test_a_second_server_on_the_same_data(program: Program, tmp_path: Path) -> None:
    done = run_fotabuild("serve", "--data", program.folder, "--port", "0", cwd=tmp_path)
    assert done.status == 1
    assert "another server works with this data folder" in done.stderr
    assert done.stderr.endswith("[FB0921]\n")
    assert program.client("GET", "/v3/api-keys/me").status == 200


def test_a_port_that_is_taken(here: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = here("serve", "--data", "d", "--port", str(taken.getsockname()[1]))
    assert done.status == 1
    assert done.stderr.endswith("[FB0920]\n")


def test_the_log_is_as_before_when_it_ended(here: Cli) -> None:
    logs = [logging.getLogger(name) for name in ("fotabuild.server", "uvicorn")]
    before = [(log.handlers.copy(), log.propagate, log.level) for log in logs]
    (here.folder / "d").write_text("no folder")
    assert here("serve", "--data", "d", "--port", "0", "--quiet").status == 1
    assert [(log.handlers, log.propagate, log.level) for log in logs] == before


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--host", "0.0.0.0"], "--allow-network"),
        (["--host", "192.0.2.1"], "--allow-network"),
        (["--host", "::"], "--allow-network"),
        (["--host", "0.0.0.0", "--allow-network"], "--public-url"),
        (["--host", "0", "--allow-network"], "--public-url"),
        (["--host", "::", "--allow-network"], "--public-url"),
        (["--public-url", "http://0.0.0.0:8000"], "--public-url"),
        (["--public-url", "http://[::]:8000"], "--public-url"),
        (["--tls-cert", "x.pem"], "--tls-key"),
        (["--port", "70000"], "port"),
        (["--port", "http"], "port"),
        (["--limit", "nothing=1"], "nothing"),
        (["--limit", "images=0"], "images"),
        (["--limit", "images"], "images"),
        (["--public-url", "ftp://x"], "--public-url"),
        (["--public-url", "http://user@x"], "--public-url"),
        (["--public-url", "http://x/?q"], "--public-url"),
        (["--tls-cert", "no.pem", "--tls-key", "no.pem"], "TLS"),
    ],
)
def test_wrong_wishes(here: Cli, options: list[str], text: str) -> None:
    done = here("serve", "--data", "d", "--port", "0", *options)
    assert done.status == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_data_of_a_newer_release(here: Cli) -> None:
    import sqlite3

    (here.folder / "d").mkdir()
    with sqlite3.connect(here.folder / "d" / "server.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    done = here("serve", "--data", "d", "--port", "0")
    assert done.status == 1
    assert "newer release" in done.stderr


def test_data_that_is_damaged(here: Cli) -> None:
    (here.folder / "d").mkdir()
    (here.folder / "d" / "server.sqlite3").write_bytes(b"no database" * 1000)
    done = here("serve", "--data", "d", "--port", "0")
    assert done.status == 1
    assert done.stderr.endswith("[FB0921]\n")


NETWORK = ("--host", "0.0.0.0", "--allow-network", "--public-url")


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        ((*NETWORK, "http://192.0.2.1:8000"), True),
        # Something in front of it speaks TLS.
        ((*NETWORK, "https://updates.example"), False),
        (("--public-url", "http://192.0.2.1:8000"), False),
    ],
)
def test_keys_in_the_open_are_warned_of(
    tmp_path: Path, options: tuple[str, ...], warned: bool
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "fotabuild", "serve", "--data", "d", "--port", "0", *options],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == f"{options[-1]}\n"
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert ("warning: without TLS" in stderr) is warned


def test_network_needs_an_enrolment_token(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with serving(folder, *NETWORK, "http://192.0.2.1:8000") as program:
        token = (folder / "enrolment-token").read_text().strip()
        values = registration("one")
        assert (
            Client(program.port, None)("POST", "/device/v1/register", values=values).status == 401
        )
        assert (
            Client(program.port, token)("POST", "/device/v1/register", values=values).status == 201
        )


def test_tls(tmp_path: Path) -> None:
    import datetime
    import ssl
    import urllib.request

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "c.pem").write_bytes(certificate.public_bytes(pem))
    (tmp_path / "k.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    options = ("--tls-cert", tmp_path / "c.pem", "--tls-key", tmp_path / "k.pem")
    with serving(tmp_path / "data", *options) as program:
        assert program.url.startswith("https://")
        context = ssl.create_default_context(cafile=str(tmp_path / "c.pem"))
        url = f"https://localhost:{program.port}/v3/api-keys/me"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {program.key}"})
        with urllib.request.urlopen(request, context=context, timeout=20) as answer:
            assert answer.status == 200


def test_keys_add_works_at_once_in_a_running_server(program: Program, here: Cli) -> None:
    made = here.json(
        "serve", "keys", "add", "--data", "data", "--name", "ci", "--role", "read-only"
    )
    client = Client(program.port, made["key"])
    assert client("GET", "/v3/api-keys/me").json["name"] == "ci"
    assert client("POST", "/v3/firmware-images").status == 403


def test_keys_add_prints_the_key_once_and_keeps_a_hash(program: Program, here: Cli) -> None:
    key = here.good("serve", "keys", "add", "--data", "data").stdout.strip()
    assert program.stop() == 0
    assert key.startswith("ak_")
    for path in program.folder.rglob("*"):
        if path.is_file():
            assert key.encode() not in path.read_bytes(), path


def test_keys_list_shows_no_key(program: Program, here: Cli) -> None:
    here.good("serve", "keys", "add", "--data", "data", "--name", "evil\x1b[31m\nname")
    done = here.good("serve", "keys", "list", "--data", "data")
    assert len(done.stdout.splitlines()) == 2
    assert "\x1b" not in done.stdout
    assert program.key not in done.stdout
    listed = here.json("serve", "keys", "list", "--data", "data")["keys"]
    assert listed[0]["name"] == "first"
    assert program.key not in json.dumps(listed)


def test_keys_list_needs_data_of_a_server(here: Cli) -> None:
    done = here("serve", "keys", "list", "--data", "nothing")
    assert done.status == 1
    assert done.stderr.endswith("[FB0921]\n")
    assert list(here.folder.iterdir()) == []


def test_keys_revoke_works_at_once(program: Program, here: Cli) -> None:
    key = program.client
    here.good("serve", "keys", "revoke", "--data", "data", "first")
    assert key("GET", "/v3/api-keys/me").status == 401
    listed = here.json("serve", "keys", "list", "--data", "data")["keys"]
    assert listed[0]["revoked-at"] is not None


@pytest.mark.parametrize("name", ["nobody", "twice"])
def test_keys_revoke_needs_one_key(program: Program, here: Cli, name: str) -> None:
    for _ in range(2):
        here.good("serve", "keys", "add", "--data", "data", "--name", "twice")
    done = here("serve", "keys", "revoke", "--data", "data", name)
    assert done.status == 1
    assert done.stderr.endswith("[FB0922]\n")


def test_a_missing_extra_is_named(here: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "starlette", None)
    done = here("serve", "--data", "d")
    assert done.status == 1
    assert "fotabuild[server]" in done.stderr
    assert not (here.folder / "d").exists()
