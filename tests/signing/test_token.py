"""Keys in real PKCS#11 tokens (SoftHSM)."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fotabuild.digest import sha256
from fotabuild.errors import FotabuildError, SecretError, TokenError
from fotabuild.formats.manifest_v3 import decode_signed
from fotabuild.signing.pem import PemSigner
from fotabuild.signing.signer import KeyAccess, open_signer
from fotabuild.signing.token import TokenSigner
from fotabuild.signing.verify import verify, verify_digest

from ..command import run_fotabuild
from ..conftest import softhsm_module
from ..formats.golden import KEY, OTHER_KEY, PUBLIC_KEY
from .scene import write_project
from .tokens import PIN, SO_PIN, Tokens, make_tokens

pytestmark = pytest.mark.softhsm
POINT = PUBLIC_KEY.read_bytes()
OTHER_POINT = PemSigner.open(OTHER_KEY).public_key()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tokens]:
    made = make_tokens(tmp_path_factory.mktemp("softhsm"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        yield made


@pytest.mark.parametrize(
    ("path", "point"),
    [
        ("token=updates;object=update", POINT),
        ("token=updates;id=%01", POINT),
        ("token=updates;object=update;id=%01;type=private", POINT),
        ("token=updates;object=other", OTHER_POINT),
        ("token=updates;object=twin;id=%04", OTHER_POINT),
        ("token=spare;object=update", OTHER_POINT),
    ],
)
def test_keys_are_found_and_sign(path: str, point: bytes, tokens: Tokens) -> None:
    signer = open_signer(tokens.uri(path))
    assert signer.public_key() == point
    for data in (b"", b"x" * 100_000):
        verify(point, data, signer.sign(data))
        verify_digest(point, sha256(data), signer.sign_digest(sha256(data)))


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("token=none;object=update", "there is no token 'none'"),
        ("token=double;object=update", "2 tokens fit this URI"),
        ("object=update", "4 tokens fit this URI"),
        ("token=updates;serial=none;object=update", "there is no token 'updates'"),
        ("token=updates;object=none", "token 'updates' holds no such private key"),
        ("token=updates;object=update;id=%02", "holds no such private key"),
        ("token=updates;object=twin", "2 private keys in token 'updates' fit this URI"),
        ("token=updates;object=p384", "not on P-256"),
    ],
)
def test_what_is_missing_or_not_unique_is_named(path: str, problem: str, tokens: Tokens) -> None:
    with pytest.raises(TokenError, match=problem) as caught:
        open_signer(tokens.uri(path))
    assert PIN not in str(caught.value)


def test_pin_from_the_environment_and_from_the_setting(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_PIN", PIN)
    uri = tokens.uri("token=updates;object=update", pin=False)
    assert open_signer(f"{uri}&pin-source=env:OUR_PIN").public_key() == POINT
    assert open_signer(uri, KeyAccess(passphrase="env:OUR_PIN")).public_key() == POINT
    # The URI's own source is the nearer one.
    assert open_signer(f"{uri}&pin-source=env:OUR_PIN", KeyAccess(passphrase="env:NONE")).sign(b"")


def test_wrong_and_missing_pins(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = tokens.uri("token=updates;object=update", pin=False)
    for wrong in ("9999", "canary-wrong-pin"):
        monkeypatch.setenv("OUR_PIN", wrong)
        with pytest.raises(SecretError, match="the PIN of token 'updates' is wrong") as caught:
            open_signer(f"{uri}&pin-source=env:OUR_PIN")
        assert "canary" not in str(caught.value)
    monkeypatch.setenv("OUR_PIN", "")
    with pytest.raises(SecretError, match="is empty"):
        open_signer(f"{uri}&pin-source=env:OUR_PIN")
    with pytest.raises(TokenError, match="without a PIN most tokens show none"):
        open_signer(uri)
    with pytest.raises(SecretError, match="is not set"):
        open_signer(f"{uri}&pin-source=env:NOT_SET_ANYWHERE")
    monkeypatch.setenv("OUR_PIN", PIN)
    assert open_signer(f"{uri}&pin-source=env:OUR_PIN").sign(b"x")


def test_a_refused_pin_is_shown_to_the_token_once(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens lock themselves after a few wrong PINs, and a build has many manifests."""
    uri = tokens.uri("token=spare;object=update", pin=False)
    shown = []
    found = TokenSigner._find_token

    def counted(signer: TokenSigner) -> object:
        token = found(signer)
        shown.append(token)
        return token

    monkeypatch.setattr(TokenSigner, "_find_token", counted)
    monkeypatch.setenv("OUR_PIN", "7777")
    for _ in range(3):
        with pytest.raises(SecretError, match="the PIN of token 'spare' is wrong"):
            open_signer(f"{uri}&pin-source=env:OUR_PIN")
    assert len(shown) == 1


def test_a_token_by_its_maker_and_model(tokens: Tokens) -> None:
    path = "token=updates;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;object=update"
    assert open_signer(tokens.uri(path)).public_key() == POINT
    with pytest.raises(TokenError, match="there is no token"):
        open_signer(tokens.uri("token=updates;model=other;object=update"))


def test_a_lost_session_is_opened_again(tokens: Tokens) -> None:
    """The library forgets all sessions and logins, as when a token was pulled out and put back."""
    import pkcs11

    signer = open_signer(tokens.uri("token=updates;object=update"))
    pkcs11.lib(str(softhsm_module())).reinitialize()
    verify(POINT, b"x", signer.sign(b"x"))


def test_a_session_lost_while_signing_is_opened_again(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pkcs11

    from fotabuild.signing.token import TokenSigner

    signer = open_signer(tokens.uri("token=updates;object=update"))
    find, times = TokenSigner._find_key, []

    def find_and_lose(self: TokenSigner, session: pkcs11.Session) -> object:
        key = find(self, session)
        times.append(key)
        if len(times) == 1:
            session.close()
        return key

    monkeypatch.setattr(TokenSigner, "_find_key", find_and_lose)
    verify(POINT, b"x", signer.sign(b"x"))
    assert len(times) == 2


def test_a_token_that_is_gone_is_named(
    tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pkcs11

    module = pkcs11.lib(str(softhsm_module()))
    signer = open_signer(tokens.uri("token=updates;object=update"))
    empty = tmp_path / "softhsm2.conf"
    empty.write_text(f"directories.tokendir = {tmp_path}\n")
    with monkeypatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(empty))
        module.reinitialize()
        with pytest.raises(TokenError, match="there is no token 'updates'"):
            signer.sign(b"x")
    module.reinitialize()
    assert signer.sign(b"x")


def test_threads_share_a_token(tokens: Tokens) -> None:
    done: list[bytes] = []

    def work() -> None:
        signer = open_signer(tokens.uri("token=updates;object=update"))
        done.extend(signer.sign(b"x") for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 20
    for signature in done:
        verify(POINT, b"x", signature)


def test_modules_that_are_none(
    tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PKCS11_MODULE_PATH", raising=False)
    with pytest.raises(TokenError, match="PKCS#11 library"):
        open_signer("pkcs11:object=update")
    text = tmp_path / "module.so"
    text.write_text("not a library")
    for path in (text, tmp_path / "none.so"):
        with pytest.raises(TokenError, match="cannot be loaded") as caught:
            open_signer(f"pkcs11:object=update?module-path={path}")
        assert str(path) in str(caught.value)
    monkeypatch.setenv("PKCS11_MODULE_PATH", str(softhsm_module()))
    signer = open_signer(f"pkcs11:token=updates;object=update?pin-source={tokens.pin_file}")
    assert signer.public_key() == POINT


def test_without_the_binding_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(TokenError, match="python-pkcs11") as caught:
        open_signer("pkcs11:object=update?module-path=/x.so")
    assert caught.value.remedy == "pip install 'fotabuild[pkcs11]'"


def test_a_whole_build_with_signed_images(tokens: Tokens, tmp_path: Path) -> None:
    write_project(tmp_path, f"key: '{tokens.uri('token=updates;object=update')}'")
    done = run_fotabuild(
        "--json",
        "build",
        "app.bin",
        "-v",
        "1.1.0",
        "-o",
        "out",
        cwd=tmp_path,
        env=tokens.environment,
    )
    assert done.status == 0, done.stderr
    manifests = sorted((tmp_path / "out").glob("*.manifest"))
    assert len(manifests) == 3
    for path in manifests:
        signed = decode_signed(path.read_bytes())
        verify(POINT, signed.signed_bytes, signed.signature)
        manifest = signed.manifest
        verify_digest(POINT, manifest.image_digest, manifest.installed_signature)
    secrets = (PIN, SO_PIN)
    assert not any(secret in done.stdout + done.stderr for secret in secrets)


def test_a_token_key_of_another_certificate_is_refused(tokens: Tokens, tmp_path: Path) -> None:
    write_project(tmp_path, f"key: '{tokens.uri('token=updates;object=other')}'")
    done = run_fotabuild(
        "build", "app.bin", "-v", "1.1.0", "-o", "out", cwd=tmp_path, env=tokens.environment
    )
    assert done.status == 1
    assert "[FB0601]" in done.stderr
    assert list((tmp_path / "out").glob("*.manifest")) == []


def test_the_certificate_stands_in_for_a_missing_public_key(tokens: Tokens) -> None:
    """Many cards hold the private key and a certificate only."""
    uri = tokens.uri("token=spare;object=lonely")
    script = (
        "import sys, pkcs11\n"
        "from pkcs11 import Attribute\n"
        "token = pkcs11.lib(sys.argv[1]).get_token(token_label='spare')\n"
        "with token.open(rw=True, user_pin=sys.argv[2]) as session:\n"
        "    domain = session.create_domain_parameters(pkcs11.KeyType.EC, {Attribute.EC_PARAMS:\n"
        "        bytes.fromhex('06082a8648ce3d030107')}, local=True)\n"
        "    public, private = domain.generate_keypair(store=True, label='lonely', id=b'\\x09')\n"
        "    print(bytes(public[Attribute.EC_POINT])[2:].hex())\n"
        "    public.destroy()\n"
    )
    made = subprocess.run(
        [sys.executable, "-c", script, str(softhsm_module()), PIN],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    point = bytes.fromhex(made.stdout)
    with pytest.raises(TokenError, match="does not hold the public key"):
        open_signer(uri)
    verify(point, b"x", open_signer(uri, certificate_key=point).sign(b"x"))
    with pytest.raises(FotabuildError, match="not a signature of the update key"):
        open_signer(uri, certificate_key=PemSigner.open(KEY).public_key()).sign(b"x")
