"""The real tool of manifest-tool 2.6.2 runs a whole update against our server."""

from __future__ import annotations

import os
import random
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from fotabuild.formats.encrypted_payload import decrypt_payload
from fotabuild.formats.manifest_v3 import decode_signed

from ..conftest import peer_folder
from .harness import CLASS, VENDOR, Answer, Client, registration
from .program import Program, serving

pytestmark = pytest.mark.peer
PAYLOAD = random.Random(3).randbytes(40_000)


def tool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run manifest-dev-tool."""
    return subprocess.run(
        [peer_folder() / "manifest-dev-tool", *arguments],
        cwd=folder,
        env={**os.environ, "NETRC": os.devnull, "NO_PROXY": "*"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@dataclass
class SimpleDevice:
    """Registers, waits for one manifest, downloads its payload, and reports."""

    program: Program
    event: str
    thread: threading.Thread = field(init=False)
    update: Answer | None = None
    payload: bytes = b""

    def __post_init__(self) -> None:
        anybody = Client(self.program.port, None)
        answer = anybody("POST", "/device/v1/register", values=registration("thermometer"))
        self.client = Client(self.program.port, answer.json["token"])
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while self.update is None or self.update.status != 200:
            self.update = self.client("GET", "/device/v1/update?wait=5")
        campaign = self.update.headers["fota-campaign"]
        if self.event.startswith("UPD4"):
            images = self.program.client.good("GET", "/v3/firmware-images").json["data"]
            self.payload = self.client("GET", images[-1]["short_datafile"]).body
        values = {"campaign": campaign, "event": self.event}
        assert self.client("POST", "/device/v1/report", values=values).status == 204


@pytest.fixture
def program(tmp_path: Path):  # type: ignore[no-untyped-def]
    with serving(tmp_path / "data") as found:
        (tmp_path / "fw.bin").write_bytes(PAYLOAD)
        done = tool(
            tmp_path, "init", "--access-key", found.key, "--api-url", found.url,
            "--vendor-id", VENDOR, "--class-id", CLASS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        yield found


def left_over(program: Program) -> int:
    paths = ("firmware-images", "firmware-manifests", "update-campaigns")
    return sum(len(program.client.good("GET", f"/v3/{path}").json["data"]) for path in paths)


@pytest.mark.parametrize("encrypted", [False, True])
def test_update_and_wait(tmp_path: Path, program: Program, encrypted: bool) -> None:
    device = SimpleDevice(program, "UPD4_OK_100")
    done = tool(
        tmp_path, "update", "--payload-path", "fw.bin", "--fw-version", "1.1.0",
        "--wait-for-completion", *(["--encrypt-payload"] if encrypted else []),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED: 0" in done.stdout.upper() or "SUCCESS" in done.stdout.upper(), done.stdout
    device.thread.join(30)
    assert device.update is not None
    signed = decode_signed(device.update.body)
    if encrypted:
        assert signed.encryption_key is not None
        assert decrypt_payload(device.payload, signed.encryption_key) == PAYLOAD
    else:
        assert device.payload == PAYLOAD
    certificate = x509.load_der_x509_certificate(
        (tmp_path / ".manifest-dev-tool" / "dev.cert.der").read_bytes()
    )
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    r, s = (int.from_bytes(signed.signature[n : n + 32], "big") for n in (0, 32))
    key.verify(utils.encode_dss_signature(r, s), signed.signed_bytes, ec.ECDSA(hashes.SHA256()))
    assert left_over(program) == 0


def test_update_that_a_device_refuses(tmp_path: Path, program: Program) -> None:
    device = SimpleDevice(program, "UPD4_FAIL_210")
    done = tool(
        tmp_path, "update", "--payload-path", "fw.bin", "--fw-version", "1.1.0",
        "--wait-for-completion",
    )  # fmt: skip
    device.thread.join(30)
    assert done.returncode == 1, done.stdout
    assert "signature" in done.stdout
    assert left_over(program) == 0


def test_update_without_a_matching_device(tmp_path: Path, program: Program) -> None:
    done = tool(
        tmp_path, "update", "--payload-path", "fw.bin", "--fw-version", "1.1.0",
        "--wait-for-completion",
    )  # fmt: skip
    # The tool saw the campaign start, and takes one that is back in draft for a finished one.
    assert "finished in state: draft" in done.stdout
    assert "Campaign state: active" not in done.stdout
    assert left_over(program) == 0


def test_update_of_schema_v1(tmp_path: Path, program: Program) -> None:
    device = SimpleDevice(program, "UPD4_OK_100")
    done = tool(
        tmp_path, "update-v1", "--payload-path", "fw.bin", "--fw-version", "7",
        "--wait-for-completion",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    device.thread.join(30)
    assert device.payload == PAYLOAD
    assert left_over(program) == 0
