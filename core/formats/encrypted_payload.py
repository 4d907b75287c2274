"""Encrypted payloads as devices download them (manifest-v3, section 2).

A payload is cut into pieces of 1016 bytes, the last one shorter. Each becomes a block: 8 bytes of
CCM tag, then the AES-128-CCM ciphertext. The nonce is the number of the block, from 1, so that a
device can decrypt and verify each block as it arrives. The nonces are the same for every payload:
a key must never encrypt two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fotabuild.errors import EncryptionError

KEY_SIZE = 16
BLOCK_SIZE = 1024
_TAG_SIZE = 8
_PIECE_SIZE = BLOCK_SIZE - _TAG_SIZE
_NONCE_SIZE = 8
#: Tag (context 1, primitive) and length of the element that carries the key behind a manifest.
KEY_TLV_HEADER = b"\x81\x10"


def encrypt_payload(payload: bytes, key: bytes) -> bytes:
    """Return the blocks of ``payload``.

    Args:
        payload: the image or package.
        key: 16 random bytes that encrypt nothing else.

    Raises:
        EncryptionError: the key has another size.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    cipher = AESCCM(_checked(key), tag_length=_TAG_SIZE)
    blocks = []
    for number, start in enumerate(range(0, len(payload), _PIECE_SIZE), 1):
        sealed = cipher.encrypt(_nonce(number), payload[start : start + _PIECE_SIZE], None)
        blocks += [sealed[-_TAG_SIZE:], sealed[:-_TAG_SIZE]]
    return b"".join(blocks)


def decrypt_payload(data: bytes, key: bytes) -> bytes:
    """Return the payload of its blocks, every one of them verified.

    Raises:
        EncryptionError: another key, changed, reordered or cut-off blocks.
    """
    blocks = (data[start : start + BLOCK_SIZE] for start in range(0, len(data), BLOCK_SIZE))
    return b"".join(decrypt_blocks(blocks, key))


def decrypt_blocks(blocks: Iterable[bytes], key: bytes) -> Iterator[bytes]:
    """Yield the plain bytes of each block as it comes, verified.

    Args:
        blocks: of ``BLOCK_SIZE`` bytes, the last one shorter.
        key: the 16 bytes that encrypted them.

    Raises:
        EncryptionError: as :func:`decrypt_payload`.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    cipher = AESCCM(_checked(key), tag_length=_TAG_SIZE)
    for number, block in enumerate(blocks, 1):
        start = (number - 1) * BLOCK_SIZE
        if len(block) <= _TAG_SIZE:
            raise EncryptionError(f"block {number} has {len(block)} bytes", offset=start)
        try:
            yield cipher.decrypt(_nonce(number), block[_TAG_SIZE:] + block[:_TAG_SIZE], None)
        except InvalidTag:
            raise EncryptionError(
                f"block {number} is not what this key encrypted", offset=start
            ) from None


def encode_key(key: bytes) -> bytes:
    """Return the element that the service, or a factory, puts behind a manifest.

    Raises:
        EncryptionError: the key has another size.
    """
    return KEY_TLV_HEADER + _checked(key)


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_SIZE, "little")


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_SIZE:
        raise EncryptionError(f"an AES-128 key has {KEY_SIZE} bytes, not {len(key)}")
    return key
