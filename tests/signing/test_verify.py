"""Verification raises for everything that is not exactly the signature."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.errors import SigningError, VerificationError
from fotabuild.signing.pem import PemSigner
from fotabuild.signing.verify import load_public_key, verify, verify_digest

from ..formats.golden import KEY, OTHER_KEY, PUBLIC_KEY
from ..formats.strategies import QUICK

PUBLIC = PUBLIC_KEY.read_bytes()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
DATA = b"the signed bytes"
SIGNATURE = PemSigner.open(KEY).sign(DATA)


def refused(data: bytes, signature: bytes, key: bytes = PUBLIC) -> None:
    with pytest.raises(VerificationError):
        verify(key, data, signature)
    with pytest.raises(VerificationError):
        verify_digest(key, hashlib.sha256(data).digest(), signature)


def test_good_signature_passes_without_an_answer() -> None:
    assert verify(PUBLIC, DATA, SIGNATURE) is None  # type: ignore[func-returns-value]


def test_every_flipped_bit_of_r_and_s_is_refused() -> None:
    """All 512 of them."""
    for bit in range(8 * len(SIGNATURE)):
        flipped = bytearray(SIGNATURE)
        flipped[bit // 8] ^= 1 << bit % 8
        refused(DATA, bytes(flipped))


def test_every_flipped_bit_of_the_data_is_refused() -> None:
    for bit in range(8 * len(DATA)):
        flipped = bytearray(DATA)
        flipped[bit // 8] ^= 1 << bit % 8
        refused(bytes(flipped), SIGNATURE)


@QUICK
@given(st.binary(max_size=200))
def test_what_we_sign_verifies(data: bytes) -> None:
    signature = PemSigner.open(KEY).sign(data)
    verify(PUBLIC, data, signature)
    verify_digest(PUBLIC, hashlib.sha256(data).digest(), signature)


def numbers(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


R, S = int.from_bytes(SIGNATURE[:32], "big"), int.from_bytes(SIGNATURE[32:], "big")


@pytest.mark.parametrize(
    "signature",
    [
        numbers(0, 0),
        numbers(0, S),
        numbers(R, 0),
        numbers(1, 1),
        numbers(R, ORDER),
        numbers(ORDER, S),
        numbers(2**256 - 1, 2**256 - 1),
        numbers(S, R),
    ],
    ids=lambda signature: signature.hex()[:8],
)
def test_numbers_out_of_range_or_order_are_refused(signature: bytes) -> None:
    refused(DATA, signature)


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 70, 72, 128])
def test_other_lengths_are_refused(length: int) -> None:
    refused(DATA, (SIGNATURE * 2)[:length])


def test_padded_numbers_are_refused() -> None:
    """The same r and s with more leading zeros: one signature, one spelling."""
    refused(DATA, SIGNATURE[:32] + b"\0" + SIGNATURE[32:])
    refused(DATA, b"\0" + SIGNATURE)


def test_signature_of_another_key_is_refused() -> None:
    refused(DATA, PemSigner.open(OTHER_KEY).sign(DATA))
    refused(DATA, SIGNATURE, PemSigner.open(OTHER_KEY).public_key())


@pytest.mark.parametrize(
    "key",
    [
        b"",
        PUBLIC[:-1],
        PUBLIC + b"\0",
        b"\x02" + PUBLIC[1:33],
        b"\x06" + PUBLIC[1:],
        b"\x04" + bytes(64),
        PUBLIC[:-1] + bytes([PUBLIC[-1] ^ 1]),
        b"\x04" + b"\xff" * 64,
    ],
    ids=["empty", "short", "long", "compressed", "hybrid", "zero", "off the curve", "too large"],
)
def test_texts_that_are_no_public_key_are_an_error_of_the_key(key: bytes) -> None:
    with pytest.raises(SigningError, match="not a P-256 public key"):
        load_public_key(key)
    with pytest.raises(SigningError):
        verify(key, DATA, SIGNATURE)
