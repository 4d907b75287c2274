"""Keys in AWS KMS: signing, whole builds, and every way in which it can fail."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fotabuild.cli.main import main
from fotabuild.digest import sha256
from fotabuild.errors import CloudKeyError, SignatureError
from fotabuild.formats.manifest_v3 import decode_signed
from fotabuild.signing import kms
from fotabuild.signing.kms_uri import KmsUri
from fotabuild.signing.signer import key_file, open_signer
from fotabuild.signing.verify import verify, verify_digest

from ..command import run_fotabuild
from ..formats.golden import KEY, OTHER_KEY, PUBLIC_KEY
from .kms_server import REGION, SECRET_KEY, SESSION_TOKEN, Service, environment, running
from .scene import write_project

POINT = PUBLIC_KEY.read_bytes()
DATA = b"some manifest"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:{REGION}:111122223333:key/{KEY_ID}"
URI = f"awskms:alias/update?region={REGION}"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The service with the golden key under its three names."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    key = load_pem_private_key(KEY.read_bytes(), None)
    with running(Service({KEY_ID: key, ARN: key, "alias/update": key})) as made:
        for name, value in environment(made).items():
            monkeypatch.setenv(name, value)
        yield made


def problem_of(uri: str = URI) -> CloudKeyError:
    """The error of opening a key and signing with it, which tells no secret."""
    with pytest.raises(CloudKeyError) as caught:
        open_signer(uri).sign(DATA)
    text = str(caught.value)
    assert SECRET_KEY not in text
    assert SESSION_TOKEN not in text
    return caught.value


@pytest.mark.parametrize(
    "uri",
    [URI, f"awskms:{KEY_ID}?region={REGION}", f"awskms:{ARN}", f"awskms:{ARN}?region={REGION}"],
)
def test_it_signs_digests(uri: str, service: Service) -> None:
    signer = open_signer(uri)
    assert signer.public_key() == POINT
    verify(POINT, DATA, signer.sign(DATA))
    verify_digest(POINT, sha256(b"an image"), signer.sign_digest(sha256(b"an image"), b"an image"))
    assert [action for action, _ in service.requests] == ["GetPublicKey", "Sign", "Sign"]
    # What is signed does not leave this machine.
    sent = [base64.b64decode(body["Message"]) for _, body in service.requests[1:]]
    assert sent == [sha256(DATA), sha256(b"an image")]


def test_the_region_of_the_configuration(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no AWS region is given" in str(problem_of("awskms:alias/update"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert open_signer("awskms:alias/update").public_key() == POINT


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("awskms:", "names no key"),
        ("awskms:?region=eu-west-3", "names no key"),
        ("awskms:a b", "names no key"),
        ("awskms:arn:aws:s3:eu-west-3:111122223333:key/x", "names no key"),
        ("awskms:x?region=", "not understood"),
        ("awskms:x?region=eu-west-3&secret=hush", "not understood"),
        ("awskms:x?aws_secret_access_key=hush", "not understood"),
        (f"awskms:{ARN}?region=us-east-1", "of another region"),
    ],
)
def test_uris_that_are_refused(uri: str, problem: str) -> None:
    with pytest.raises(CloudKeyError, match=problem) as caught:
        KmsUri.parse(uri)
    assert "hush" not in str(caught.value)
    assert key_file(uri) is None


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("NotFoundException", "there is no such key; is it in this region"),
        ("DisabledException", "this key is disabled; enable it"),
        ("KMSInvalidStateException", "state of this key"),
        ("InvalidKeyUsageException", "this key does not sign"),
        ("UnsupportedOperationException", "this key does not sign"),
        ("AccessDeniedException", "allow kms:GetPublicKey and kms:Sign"),
        ("UnrecognizedClientException", "AWS refuses these credentials"),
        ("ExpiredTokenException", "AWS refuses these credentials"),
        ("SomethingNewException", "AWS KMS reports SomethingNewException"),
    ],
)
@pytest.mark.parametrize("calls_before", [0, 1], ids=["opening", "signing"])
def test_what_the_service_refuses_is_named(
    code: str, problem: str, calls_before: int, service: Service
) -> None:
    service.failures = [""] * calls_before + [code]
    error = problem_of()
    assert str(error).startswith(f"key alias/update in {REGION}: ")
    assert problem in str(error)
    assert error.code == "FB0607"
    # Tried once: none of these gets better.
    assert len(service.requests) == calls_before + 1


def test_a_busy_service_is_asked_again(service: Service) -> None:
    service.failures = ["", "ThrottlingException"]
    verify(POINT, DATA, open_signer(URI).sign(DATA))
    assert [action for action, _ in service.requests] == ["GetPublicKey", "Sign", "Sign"]


def test_a_busy_service_is_not_asked_for_ever(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kms, "_ATTEMPTS", 2)
    service.failures = ["ThrottlingException"] * 10
    assert "busy or does not answer; try again" in str(problem_of())
    assert len(service.requests) == 2


def test_a_service_that_stalls(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kms, "_ATTEMPTS", 1)
    monkeypatch.setattr(kms, "_SECONDS_TO_ANSWER", 0.2)
    service.stalls = True
    assert "AWS KMS cannot be reached" in str(problem_of())


def test_nobody_there(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kms, "_ATTEMPTS", 1)
    # The port of discarded data, where nobody listens.
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    assert "AWS KMS cannot be reached" in str(problem_of())


def test_credentials_that_are_missing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no AWS credentials" in str(problem_of())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    assert "no AWS credentials" in str(problem_of())
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "no such AWS profile" in str(problem_of())
    assert service.requests == []


@pytest.mark.parametrize(
    ("key", "spec", "problem"),
    [
        (ec.generate_private_key(ec.SECP256K1()), "ECC_SECG_P256K1", "of the kind ECC_SECG_P256K1"),
        (ec.generate_private_key(ec.SECP384R1()), "ECC_NIST_P384", "of the kind ECC_NIST_P384"),
        (rsa.generate_private_key(65537, 1024), "RSA_2048", "of the kind RSA_2048"),
    ],
    ids=["secp256k1", "P-384", "RSA"],
)
def test_keys_that_no_device_accepts(
    key: object, spec: str, problem: str, service: Service
) -> None:
    service.keys["alias/update"], service.spec = key, spec
    assert f"{problem}; devices accept ECC_NIST_P256 only" in str(problem_of())


def test_a_key_for_something_else(service: Service) -> None:
    service.usage, service.algorithms = "KEY_AGREEMENT", ()
    assert "this key does not sign" in str(problem_of())


@pytest.mark.parametrize("signature", [b"", b"x" * 70, bytes(64)], ids=["empty", "text", "raw"])
def test_signatures_that_are_none(signature: bytes, service: Service) -> None:
    service.signature = signature
    with pytest.raises(SignatureError):
        open_signer(URI).sign(DATA)


def test_a_signature_of_another_key_is_never_used(service: Service) -> None:
    signer = open_signer(URI)
    service.keys["alias/update"] = load_pem_private_key(OTHER_KEY.read_bytes(), None)
    with pytest.raises(SignatureError, match="not a signature of the update key"):
        signer.sign(DATA)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(CloudKeyError, match=r"pip install 'fotabuild\[aws-kms\]'"):
        open_signer(URI)


def test_a_whole_build_in_a_process(service: Service, tmp_path: Path) -> None:
    write_project(tmp_path, f"key: '{URI}'")
    done = run_fotabuild("build", "app.bin", "-v", "1.1.0", "-o", "out", cwd=tmp_path)
    assert done.status == 0, done.stderr
    manifests = sorted((tmp_path / "out").glob("*.manifest"))
    assert len(manifests) == 3
    for path in manifests:
        signed = decode_signed(path.read_bytes())
        verify(POINT, signed.signed_bytes, signed.signature)
        verify_digest(POINT, signed.manifest.image_digest, signed.manifest.installed_signature)


def test_the_certificate_of_another_key(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path, f"key: '{URI}'")
    service.keys["alias/update"] = load_pem_private_key(OTHER_KEY.read_bytes(), None)
    assert main(["build", "app.bin", "-v", "1.1.0", "-o", "out"]) == 1
    assert "[FB0601]" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.manifest"))
    assert main(["keys", "check"]) != 0
    assert "pair" in capsys.readouterr().out
