"""Encrypted payloads against golden files, and against those who change them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.errors import EncryptionError
from fotabuild.formats.encrypted_payload import (
    BLOCK_SIZE,
    decrypt_payload,
    encode_key,
    encrypt_payload,
)

from ..conftest import VECTORS

KEY = (VECTORS / "payload" / "TEST-ONLY-aes128.key.bin").read_bytes()
GOLDEN = {
    "fw-1.1.0.encrypted.bin": VECTORS / "firmware" / "fw-1.1.0.bin",
    "two.tar.encrypted.bin": VECTORS / "package" / "two.tar",
}
SIZES = (0, 1, 1015, 1016, 1017, 2032, 2033)


def test_all_golden_files_are_compared() -> None:
    assert set(GOLDEN) == {path.name for path in (VECTORS / "payload").glob("*.encrypted.bin")}


@pytest.mark.parametrize(("name", "plain"), GOLDEN.items(), ids=list(GOLDEN))
def test_golden_files(name: str, plain: Path) -> None:
    golden = (VECTORS / "payload" / name).read_bytes()
    assert encrypt_payload(plain.read_bytes(), KEY) == golden
    assert decrypt_payload(golden, KEY) == plain.read_bytes()


def test_the_key_element_is_that_of_a_delivered_manifest() -> None:
    manifest = (VECTORS / "v3" / "encrypted-raw.manifest.bin").read_bytes()
    delivered = (VECTORS / "v3" / "encrypted-raw.delivered.bin").read_bytes()
    assert manifest + encode_key(KEY) == delivered


@pytest.mark.parametrize("size", SIZES)
def test_sizes(size: int) -> None:
    plain = bytes(i % 251 for i in range(size))
    data = encrypt_payload(plain, KEY)
    blocks = -(-size // 1016)
    assert len(data) == size + 8 * blocks
    assert decrypt_payload(data, KEY) == plain


DATA = encrypt_payload(bytes(3000), KEY)
_FIRST, _SECOND, _LAST = (
    DATA[:BLOCK_SIZE],
    DATA[BLOCK_SIZE : 2 * BLOCK_SIZE],
    DATA[2 * BLOCK_SIZE :],
)


@pytest.mark.parametrize(
    ("data", "block"),
    [
        (bytes([DATA[0] ^ 1]) + DATA[1:], 1),
        (DATA[:8] + bytes([DATA[8] ^ 1]) + DATA[9:], 1),
        (DATA[:-1] + bytes([DATA[-1] ^ 1]), 3),
        (_SECOND + _FIRST + _LAST, 1),
        (_FIRST + _LAST, 2),
        (_FIRST + _FIRST + _LAST, 2),
        (DATA[:-1], 3),
        (DATA + b"\0", 3),
        (DATA[: 2 * BLOCK_SIZE + 8], 3),
        (DATA[: 2 * BLOCK_SIZE + 1], 3),
    ],
)
def test_changed_payloads_do_not_open(data: bytes, block: int) -> None:
    with pytest.raises(EncryptionError, match=f"block {block} ") as caught:
        decrypt_payload(data, KEY)
    assert caught.value.offset == (block - 1) * BLOCK_SIZE


@pytest.mark.parametrize("size", [0, 15, 17, 24, 32])
def test_keys_of_other_sizes_are_refused(size: int) -> None:
    for work in (encrypt_payload, decrypt_payload):
        with pytest.raises(EncryptionError, match="an AES-128 key has 16 bytes"):
            work(b"x" * 20, bytes(size))
    with pytest.raises(EncryptionError, match="an AES-128 key has 16 bytes"):
        encode_key(bytes(size))


def test_another_key_does_not_open() -> None:
    with pytest.raises(EncryptionError, match="block 1 is not what this key encrypted"):
        decrypt_payload(DATA, bytes(16))
