"""Signing v1 manifests on another machine: prepare-v1 here, sign there, attach here."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.cli.main import main
from fotabuild.digest import sha256
from fotabuild.formats.manifest_v1 import decode_resource, decode_signed
from fotabuild.signing.foreign_signature import raw_from_der

from ..conftest import VECTORS
from ..formats.golden import CERTIFICATE, KEY, OTHER_KEY
from .scene import write_project
from .test_split import elsewhere

VERSION = "1700000000"
RAW = ("--format", "raw-binary", "-p", "app.bin", "-v", VERSION, "--set", "sign-image=false")
PREPARE = ("manifest", "prepare-v1", *RAW, "-o", "tbs")
ATTACH = ("manifest", "attach", "tbs", "--signature", "sig", "-o", "m", "--set",
          "device.features=delta")  # fmt: skip


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path, "passphrase: prompt")
    (tmp_path / "key.pem").unlink()
    return tmp_path


@pytest.mark.parametrize("encoding", ["DER", "raw"])
def test_the_manifest_is_that_of_create_v1(encoding: str) -> None:
    assert main(PREPARE) == 0
    signature = elsewhere(Path("tbs").read_bytes())
    Path("sig").write_bytes(raw_from_der(signature) if encoding == "raw" else signature)
    assert main([*ATTACH, "-p", "app.bin"]) == 0
    assert main(["manifest", "create-v1", *RAW, "-k", str(KEY), "-o", "created"]) == 0
    ours, created = (decode_signed(Path(name).read_bytes()) for name in ("m", "created"))
    assert ours.signature == signature != created.signature
    assert (ours.manifest, ours.digest) == (created.manifest, created.digest)
    assert ours.fingerprint == created.fingerprint == sha256(CERTIFICATE.read_bytes())
    assert ours.manifest.timestamp == int(VERSION)


def test_a_patch(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["delta", "-c", "old.bin", "-n", "app.bin", "-o", "p.patch"]) == 0
    options = ("-p", "p.patch", "--format", "arm-patch-stream", "--fw-migrate-ver", "1.1.0",
               "--current-fw", "old.bin", "--set", "sign-image=false")  # fmt: skip
    assert main(["manifest", "prepare-v1", *options, "-o", "tbs"]) == 0
    Path("sig").write_bytes(elsewhere(Path("tbs").read_bytes()))
    known = ("-p", "p.patch", "--current-fw", "old.bin", "--current-version")
    assert main([*ATTACH, *known, "1.2.0"]) == 3
    assert "newer-version" in capsys.readouterr().err
    assert main([*ATTACH, *known, VERSION]) == 0
    manifest = decode_signed(Path("m").read_bytes()).manifest
    assert manifest.installed_digest == sha256(Path("app.bin").read_bytes())


@pytest.mark.parametrize(
    ("signature", "problem"),
    [
        (lambda data: elsewhere(data, OTHER_KEY), "not a signature of the certificate's key"),
        (lambda data: elsewhere(sha256(data)), "not a signature of the certificate's key"),
        (lambda data: bytes(64), "not a signature of the certificate's key"),
        (lambda data: elsewhere(data) + b"\0", "not DER"),
        (lambda data: b"", "not DER"),
    ],
    ids=["other key", "hashed twice", "zeros", "trailing", "empty"],
)
def test_signatures_that_do_not_fit(
    signature: object, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(signature)
    assert main(PREPARE) == 0
    Path("sig").write_bytes(signature(Path("tbs").read_bytes()))
    Path("m").write_bytes(b"a good one of before")
    assert main(ATTACH) == 1
    error = capsys.readouterr().err
    assert "error: sig: " in error
    assert problem in error
    assert Path("m").read_bytes() == b"a good one of before"


def test_bytes_that_are_no_manifest_are_refused_even_when_signed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(PREPARE) == 0
    good = Path("tbs").read_bytes()
    # Another resource type, and another schema version.
    other_type, other_version = good.replace(b"\x0a\x01\x00", b"\x0a\x01\x01", 1), bytearray(good)
    other_version[good.index(b"\x0a\x01\x01") + 2] = 2
    for bad in (good[:-1], good + b"\0", other_type, bytes(other_version), b"\x30\x03\x0a\x01\x00"):
        Path("tbs").write_bytes(bad)
        Path("sig").write_bytes(elsewhere(bad))
        assert main(ATTACH) == 1
        assert "error: tbs: " in capsys.readouterr().err
        assert not Path("m").exists()


@pytest.mark.parametrize(
    ("options", "check"),
    [
        (("--url", f"http://a.example/{'x' * 255}"), "payload-uri"),
        (("--set", "device.client=update-client-hub"), "hub-uri-scheme"),
        (("-p", "empty.bin"), "payload-not-empty"),
    ],
)
def test_what_a_device_would_refuse_is_found_before_anybody_signs(
    options: tuple[str, ...], check: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty.bin").touch()
    assert main([*PREPARE, *options]) == 3
    assert check in capsys.readouterr().err
    assert not Path("tbs").exists()


def test_what_this_schema_has_nothing_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PREPARE, "--set", "sign-image=true"]) == 1
    assert "sign-image" in capsys.readouterr().err


GOLDEN = sorted((VECTORS / "v1").glob("*.tbs.der"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_golden_signed_parts_are_attached(path: Path) -> None:
    golden = decode_signed(
        path.with_name(path.name.replace(".tbs.der", ".manifest.bin")).read_bytes()
    )
    assert decode_resource(path.read_bytes()) == golden.manifest
    identity = golden.manifest.identity
    Path("tbs").write_bytes(path.read_bytes())
    Path("sig").write_bytes(golden.signature)
    ids = (f"vendor.vendor-id={identity.vendor_id}", f"device.class-id={identity.class_id}",
           "device.limits.vendor-data-size=200")  # fmt: skip
    assert main([*ATTACH, *(part for setting in ids for part in ("--set", setting))]) == 0
    whole = path.with_name(path.name.replace(".tbs.der", ".manifest.bin"))
    assert Path("m").read_bytes() == whole.read_bytes()
