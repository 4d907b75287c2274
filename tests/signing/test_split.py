"""Signing on another machine: prepare here, sign there with OpenSSL's way, attach here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fotabuild.cli.main import main
from fotabuild.digest import sha256
from fotabuild.formats.manifest_v3 import decode_signed, encode_signed, join_signature
from fotabuild.signing.foreign_signature import raw_from_der

from ..conftest import VECTORS
from ..formats.golden import KEY, OTHER_KEY
from .scene import write_project

RAW = ("--format", "raw-binary", "-p", "app.bin", "-v", "1.1.0", "--set", "sign-image=false",
       "--set", "device.features=delta,combined,encrypted")  # fmt: skip
ATTACH = ("manifest", "attach", "tbs", "--signature", "sig", "-o", "m")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path, "passphrase: prompt")
    (tmp_path / "key.pem").unlink()
    return tmp_path


def elsewhere(data: bytes, key: Path = KEY) -> bytes:
    """Sign where there is nothing of ours: DER, not deterministic."""
    private = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return private.sign(data, ec.ECDSA(hashes.SHA256()))


def test_prepare_prints_what_to_sign(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "manifest", "prepare", *RAW, "-o", "tbs"]) == 0
    data = Path("tbs").read_bytes()
    assert json.loads(capsys.readouterr().out)["prepared"] == {
        "file": "tbs",
        "size": len(data),
        "digest-algorithm": "sha256",
        "digest": sha256(data).hex(),
    }
    assert main(["manifest", "prepare", *RAW, "-o", "tbs"]) == 0
    assert capsys.readouterr().out == f"{sha256(data).hex()}  tbs\n"


@pytest.mark.parametrize("encoding", ["DER", "raw"])
def test_the_manifest_is_that_of_create(encoding: str, project: Path) -> None:
    assert main(["manifest", "prepare", *RAW, "-o", "tbs"]) == 0
    signature = elsewhere(Path("tbs").read_bytes())
    raw = raw_from_der(signature)
    Path("sig").write_bytes(raw if encoding == "raw" else signature)
    assert main([*ATTACH, "-p", "app.bin", "--set", "device.features=delta"]) == 0
    assert main(["manifest", "create", *RAW, "-k", str(KEY), "-o", "created"]) == 0
    ours, created = (decode_signed(Path(name).read_bytes()) for name in ("m", "created"))
    assert ours.signature == raw != created.signature
    assert (ours.manifest, ours.signed_bytes) == (created.manifest, created.signed_bytes)


def test_a_patch_with_a_signed_image(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["delta", "-c", "old.bin", "-n", "app.bin", "-o", "p.patch"]) == 0
    options = ["-p", "p.patch", "--format", "arm-patch-stream", "-v", "1.1.0",
               "--current-fw", "old.bin", "--current-version", "1.0.0"]  # fmt: skip
    assert main(["manifest", "prepare", *options, "-o", "tbs"]) == 1
    image = Path("app.bin").read_bytes()
    assert f"its SHA-256 is {sha256(image).hex()}" in capsys.readouterr().err
    Path("image.sig").write_bytes(elsewhere(image))
    assert (
        main(["manifest", "prepare", *options, "--image-signature", "image.sig", "-o", "tbs"]) == 0
    )
    Path("sig").write_bytes(elsewhere(Path("tbs").read_bytes()))
    known = ("-p", "p.patch", "--current-fw", "old.bin", "--current-version", "1.0.0")
    assert main([*ATTACH, *known]) == 0
    assert decode_signed(Path("m").read_bytes()).manifest.installed_digest == sha256(image)


def test_an_image_signature_of_another_key_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("image.sig").write_bytes(elsewhere(Path("app.bin").read_bytes(), OTHER_KEY))
    options = ("--format", "raw-binary", "-p", "app.bin", "-v", "1.1.0")
    prepare = ["manifest", "prepare", *options, "--image-signature", "image.sig", "-o", "tbs"]
    assert main(prepare) == 1
    assert "image.sig: this is not a signature of the certificate's key over the image" in (
        capsys.readouterr().err
    )
    assert not Path("tbs").exists()


@pytest.mark.parametrize(
    ("signature", "problem"),
    [
        (lambda data: elsewhere(data, OTHER_KEY), "not a signature of the certificate's key"),
        (lambda data: elsewhere(sha256(data)), "not a signature of the certificate's key"),
        (lambda data: elsewhere(data + b"\0"), "not a signature of the certificate's key"),
        (lambda data: bytes(64), "not a signature of the certificate's key"),
        (lambda data: elsewhere(data) + b"\0", "not DER"),
        (lambda data: elsewhere(data).hex().encode(), "not DER"),
        (lambda data: b"", "not DER"),
    ],
    ids=["other key", "hashed twice", "other bytes", "zeros", "trailing", "hex", "empty"],
)
def test_signatures_that_do_not_fit(
    signature: object, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(signature)
    assert main(["manifest", "prepare", *RAW, "-o", "tbs"]) == 0
    Path("sig").write_bytes(signature(Path("tbs").read_bytes()))
    Path("m").write_bytes(b"a good one of before")
    assert main([*ATTACH, "--set", "device.features=delta"]) == 1
    error = capsys.readouterr().err
    assert "error: sig: " in error
    assert problem in error
    assert "[FB0602]" in error
    assert Path("m").read_bytes() == b"a good one of before"


def test_bytes_that_are_no_manifest_are_refused_even_when_signed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["manifest", "prepare", *RAW, "-o", "tbs"]) == 0
    good = Path("tbs").read_bytes()
    for bad in (b"", good[:-1], good + b"\0", b"\x30\x00", b"x"):
        Path("tbs").write_bytes(bad)
        Path("sig").write_bytes(elsewhere(bad))
        assert main(ATTACH) == 1
        assert "error: tbs: " in capsys.readouterr().err
        assert not Path("m").exists()


def test_what_a_device_would_refuse_is_found_before_anybody_signs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["manifest", "prepare", *RAW, "--component", "THERMOMETER", "-o", "tbs"]) == 3
    assert "component-name" in capsys.readouterr().err
    assert not Path("tbs").exists()


def test_attach_checks_the_payload(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manifest", "prepare", *RAW, "-o", "tbs"]) == 0
    Path("sig").write_bytes(elsewhere(Path("tbs").read_bytes()))
    assert main([*ATTACH, "-p", "old.bin", "--set", "device.features=delta"]) == 3
    assert "payload-digest" in capsys.readouterr().err
    assert not Path("m").exists()


def test_prepare_needs_no_key_but_the_certificate(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = project / "fotabuild.yaml"
    config.write_text(config.read_text().replace("  certificate: cert.der\n", ""))
    assert main(["manifest", "prepare", *RAW, "-o", "tbs"]) == 1
    assert "certificate is needed" in capsys.readouterr().err
    assert main(["manifest", "prepare", *RAW, "-o", "tbs", "--update-certificate", "cert.der"]) == 0


GOLDEN = sorted((VECTORS / "v3").glob("*.tbs.der"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_joined_manifests_are_those_that_are_encoded_whole(path: Path) -> None:
    data, signature = path.read_bytes(), bytes(range(64))
    joined = join_signature(data, signature)
    signed = decode_signed(joined)
    assert (signed.signed_bytes, signed.signature) == (data, signature)
    assert encode_signed(signed.manifest, signature) == joined


@pytest.mark.parametrize(
    "name", ["fotabuild.yaml", "key.pem", "cert.der", "app.bin", "old.bin", "tbs", "sig"]
)
def test_attach_replaces_nothing_of_the_project(name: str, project: Path) -> None:
    assert main(["manifest", "prepare", *RAW, "-o", "tbs"]) == 0
    Path("sig").write_bytes(elsewhere(Path("tbs").read_bytes()))
    Path("key.pem").write_bytes(KEY.read_bytes())
    before = Path(name).read_bytes()
    settings = ["--set", "device.features=delta", "--set", "credentials.key=key.pem"]
    options = ["-p", "app.bin", "--current-fw", "old.bin", *settings]
    assert main([*ATTACH[:-1], name, *options]) == 1
    assert Path(name).read_bytes() == before


def test_attach_checks_an_empty_payload_too(project: Path) -> None:
    assert main(["manifest", "prepare", *RAW, "-o", "tbs"]) == 0
    Path("sig").write_bytes(elsewhere(Path("tbs").read_bytes()))
    Path("empty").write_bytes(b"")
    settings = ["--set", "sign-image=false", "--set", "device.features=delta"]
    assert main([*ATTACH, "-p", "empty", *settings]) == 3
    assert not Path("m").exists()
