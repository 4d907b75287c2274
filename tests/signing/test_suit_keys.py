"""SUIT manifests signed with every kind of key of the core, by builds and by hand."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fotabuild.cli.main import main
from fotabuild.device.suit_acceptance import verify_envelope
from fotabuild.formats.suit.names import Profile
from fotabuild.signing import secret
from fotabuild.signing.cose_verify import load_verification_key
from fotabuild.signing.pem import PemSigner

from ..formats.golden import CERTIFICATE, KEY
from ..suit.golden import make, manifest
from .kms_server import REGION, Service, environment, running
from .scene import write_project
from .tokens import PIN, Tokens, make_tokens
from .tools import make_tool, make_tool_of_another_key

TRUSTED = load_verification_key(CERTIFICATE.read_bytes())
BUILD = ("build", "app.bin", "-v", "1.1.0", "-o", "out")
SIGN = ("suit", "sign", "-m", "a.suit", "-o", "out/app-1.1.0.suit", "-k")
OUTPUT = Path("out/app-1.1.0.suit")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    secret._kept.clear()
    monkeypatch.chdir(tmp_path)
    Path("a.suit").write_bytes(make(manifest()))
    Path("old.suit").write_bytes(make(manifest(), Profile.DRAFT_09))
    yield tmp_path
    secret._kept.clear()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tokens]:
    made = make_tokens(tmp_path_factory.mktemp("softhsm"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        import pkcs11

        from ..conftest import softhsm_module

        pkcs11.lib(str(softhsm_module())).reinitialize()
        yield made


def project(folder: Path, credentials: str) -> None:
    config = write_project(folder, credentials)
    config.write_text(f"formats: [v3, suit]\n{config.read_text()}")


def assert_signed() -> None:
    envelope = verify_envelope(OUTPUT.read_bytes(), [TRUSTED])
    assert [block.algorithm for block in envelope.blocks] == [-9]


@pytest.mark.softhsm
def test_a_token_signs_builds(folder: Path, tokens: Tokens) -> None:
    project(folder, f"key: '{tokens.uri('token=updates;object=update')}'")
    assert main(BUILD) == 0
    assert_signed()


@pytest.mark.softhsm
def test_a_token_signs_by_hand(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    uri = tokens.uri("token=updates;object=update", pin=False)
    monkeypatch.setenv("OUR_PIN", PIN)
    assert main((*SIGN, uri, "--passphrase", "env:OUR_PIN")) == 0
    assert_signed()
    assert main(("suit", "pubkey", "-k", uri, "--passphrase", "env:OUR_PIN")) == 0
    assert capfd.readouterr().out.endswith("-----END PUBLIC KEY-----\n")
    monkeypatch.setenv("OUR_PIN", "canary-of-a-wrong-pin")
    OUTPUT.unlink()
    assert main((*SIGN, uri, "--passphrase", "env:OUR_PIN")) == 1
    assert not OUTPUT.exists()
    error = capfd.readouterr().err
    assert "the PIN of token 'updates' is wrong" in error
    assert "canary" not in error


@pytest.mark.softhsm
def test_a_token_with_the_key_of_another_certificate(
    tokens: Tokens, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "cert.der").write_bytes(CERTIFICATE.read_bytes())
    uri = tokens.uri("token=updates;object=other")
    assert main((*SIGN, uri, "--certificate", "cert.der")) == 1
    assert "not of the private key" in capfd.readouterr().err
    assert not OUTPUT.exists()


@pytest.mark.parametrize("by", ["build", "hand"])
def test_a_key_in_a_cloud_service(by: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = load_pem_private_key(KEY.read_bytes(), None)
    uri = f"awskms:alias/update?region={REGION}"
    with running(Service({"alias/update": key})) as service:
        for name, value in environment(service).items():
            monkeypatch.setenv(name, value)
        if by == "build":
            project(folder, f"key: '{uri}'")
        assert main(BUILD if by == "build" else (*SIGN, uri)) == 0
    assert_signed()


def test_a_signing_tool_signs_builds(folder: Path) -> None:
    project(folder, "signing-tool: ./tool\n  key: update/key")
    log = folder / "log"
    make_tool(folder / "tool", "logging", log=log)
    assert main(BUILD) == 0
    assert_signed()
    assert "['sha256', 'update/key']" in log.read_text()


def test_a_signing_tool_signs_by_hand(folder: Path) -> None:
    (folder / "cert.der").write_bytes(CERTIFICATE.read_bytes())
    make_tool(folder / "tool", "good")
    # A name that is also that of a file.
    assert main((*SIGN, "a.suit", "--signing-tool", "./tool", "--certificate", "cert.der")) == 0
    assert_signed()


@pytest.mark.parametrize("body", ["another key", "garbage", "exit 7"])
def test_a_signing_tool_that_fails(
    body: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "cert.der").write_bytes(CERTIFICATE.read_bytes())
    if body == "another key":
        make_tool_of_another_key(folder / "tool")
    else:
        make_tool(folder / "tool", body)
    assert main((*SIGN, "x", "--signing-tool", "./tool", "--certificate", "cert.der")) == 1
    assert capfd.readouterr().err.count("error: ") == 1
    assert not OUTPUT.exists()


def test_an_encrypted_key_in_a_build(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(folder, "key: locked.pem\n  passphrase: env:OUR_PASSPHRASE")
    locked = folder / "locked.pem"
    locked.write_bytes(PemSigner.open(KEY).to_pem(b"open sesame"))
    locked.chmod(stat.S_IRUSR)
    monkeypatch.setenv("OUR_PASSPHRASE", "open sesame")
    assert main(BUILD) == 0
    assert_signed()


def test_what_a_build_signs_is_what_is_signed_by_hand(folder: Path) -> None:
    project(folder, "key: key.pem")
    assert main(BUILD) == 0
    by_build = OUTPUT.read_bytes()
    values = verify_envelope(by_build, [TRUSTED])
    assert main(("suit", "sign", "-m", str(OUTPUT), "-k", "key.pem", "-o", "twice.suit")) == 0
    twice = verify_envelope(Path("twice.suit").read_bytes(), [TRUSTED])
    assert [b.value for b in twice.blocks] == 2 * [values.blocks[0].value]
