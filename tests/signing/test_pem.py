"""Private keys from PEM files: which are taken, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from fotabuild.errors import FileError, SigningError
from fotabuild.signing.pem import PemSigner
from fotabuild.signing.signer import key_file, open_signer

from ..formats.golden import CERTIFICATE, KEY, OTHER_KEY, PKCS8_KEY, PUBLIC_KEY

P256 = ec.derive_private_key(12345, ec.SECP256R1())
PASSWORD = BestAvailableEncryption(b"correct horse")


def pem(key: object, encryption: KeySerializationEncryption | None = None) -> bytes:
    assert hasattr(key, "private_bytes")
    data: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return data


@pytest.mark.parametrize("path", [KEY, PKCS8_KEY], ids=["SEC1", "PKCS#8"])
def test_both_encodings_of_a_key_are_the_same_key(path: Path) -> None:
    signer = PemSigner.open(path)
    assert signer.public_key() == PUBLIC_KEY.read_bytes()
    assert signer.sign(b"x") == PemSigner.open(KEY).sign(b"x")


def test_sec1_pem_is_written() -> None:
    assert PemSigner.open(PKCS8_KEY).to_pem() == KEY.read_bytes()


def test_generated_keys_differ() -> None:
    keys = [PemSigner.generate() for _ in range(3)]
    assert len({key.public_key() for key in keys}) == 3
    assert all(key.to_pem().startswith(b"-----BEGIN EC PRIVATE KEY-----") for key in keys)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not a PEM private key"),
        (b"hello", "not a PEM private key"),
        (KEY.read_bytes()[:-60], "not a PEM private key"),
        (CERTIFICATE.read_bytes(), "not a PEM private key"),
        (
            P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "not a PEM private key",
        ),
        (pem(P256, PASSWORD), "this private key is encrypted"),
        (pem(ec.derive_private_key(5, ec.SECP384R1())), "this key is on secp384r1"),
        (pem(ec.derive_private_key(5, ec.SECP256K1())), "this key is on secp256k1"),
        (pem(rsa.generate_private_key(65537, 1024)), "this is a RSA key"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "this is a Ed25519 key"),
        (pem(x25519.X25519PrivateKey.generate()), "this is a X25519 key"),
        (pem(dsa.generate_private_key(1024)), "this is a DSA key"),
    ],
    ids=[
        "empty", "text", "cut", "certificate", "public", "encrypted",
        "P-384", "secp256k1", "RSA", "Ed25519", "X25519", "DSA",
    ],
)  # fmt: skip
def test_unusable_keys_are_named_and_not_shown(data: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(data)
    with pytest.raises(SigningError, match=problem) as caught:
        PemSigner.open(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert caught.value.remedy
    body = [line for line in data.splitlines() if line and not line.startswith(b"-----")]
    assert not any(line.decode("latin-1") in message for line in body)


def test_missing_key_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot read the private key"):
        PemSigner.open(tmp_path / "none.pem")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("keys/a.pem", "keys/a.pem"),
        ("/keys/a.pem", "/keys/a.pem"),
        ("file:keys/a.pem", "keys/a.pem"),
        ("file:/keys/a.pem", "/keys/a.pem"),
        ("file:///keys/a.pem", "/keys/a.pem"),
        ("C:\\keys\\a.pem", "C:\\keys\\a.pem"),
        ("./odd:name.pem", "./odd:name.pem"),
        ("pkcs11:object=update", None),
        ("awskms:alias/update", None),
        ("signing-tool:./sign", None),
    ],
)
def test_uris(uri: str, path: str | None) -> None:
    assert key_file(uri) == (None if path is None else Path(path))


def test_unknown_kind_of_key_is_named() -> None:
    with pytest.raises(SigningError, match="no signer for keys of the kind 'gcpkms:'"):
        open_signer("gcpkms:update")


def test_a_key_s_uri_opens_it() -> None:
    assert open_signer(f"file://{OTHER_KEY}").public_key() != PUBLIC_KEY.read_bytes()
