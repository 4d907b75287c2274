"""Deterministic signatures: the vectors of RFC 6979, A.2.5, for P-256 with SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fotabuild.signing.pem import PemSigner
from fotabuild.signing.signer import open_signer
from fotabuild.signing.verify import verify, verify_digest

PRIVATE = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
PUBLIC_X = 0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6
PUBLIC_Y = 0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299
SIGNATURES = {
    b"sample": (
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    ),
    b"test": (
        0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
        0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
    ),
}


@pytest.fixture
def signer() -> PemSigner:
    return PemSigner(ec.derive_private_key(PRIVATE, ec.SECP256R1()))


def raw(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def test_public_key(signer: PemSigner) -> None:
    assert signer.public_key() == b"\x04" + raw(PUBLIC_X, PUBLIC_Y)


@pytest.mark.parametrize("message", SIGNATURES)
def test_signature(signer: PemSigner, message: bytes) -> None:
    expected = raw(*SIGNATURES[message])
    assert signer.sign(message) == expected
    assert signer.sign_digest(hashlib.sha256(message).digest()) == expected
    verify(signer.public_key(), message, expected)
    verify_digest(signer.public_key(), hashlib.sha256(message).digest(), expected)


def test_small_s_is_padded_to_its_half(signer: PemSigner) -> None:
    """The second vector's s begins with a zero nibble; a leading zero byte must stay as well."""
    messages = (str(number).encode() for number in range(10_000))
    short = next(m for m in messages if 0 in (signer.sign(m)[0], signer.sign(m)[32]))
    assert len(signer.sign(short)) == 64
    verify(signer.public_key(), short, signer.sign(short))


def test_key_from_a_file_signs_the_same(signer: PemSigner, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(signer.to_pem())
    opened = open_signer(str(tmp_path / "key.pem"))
    assert opened.sign(b"sample") == raw(*SIGNATURES[b"sample"])
    assert opened.public_key() == signer.public_key()
