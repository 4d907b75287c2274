"""HSS/LMS keys (RFC 8554), whose every signature uses up a part of the key.

Signing twice with one part gives the key away. The file therefore advances first: it is locked,
written beside its place, flushed and renamed, and only then is the signature released. Files are
those of pyhsslms, as suit-tool has them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from fotabuild.errors import FileError, HssLmsError
from fotabuild.files.locks import HAS_LOCKS, wait_for_lock
from fotabuild.files.reading import read_file
from fotabuild.files.writing import write_file
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.cose_algorithm import KeyKind
from fotabuild.signing.cose_verify import VerificationKey

_WORD = 4
#: How long others may sign with a key: a signature of a large one takes many seconds.
LOCK_SECONDS = 600.0
_MAX_LEVELS = 8
_MARK = bytes.fromhex("11111111")
#: Trees of height 5 and 10, by their LMS types. Others take minutes to hours in Python.
_SMALL_TREES = {0x05, 0x06, 0x0A, 0x0B, 0x0F, 0x10, 0x14, 0x15}
_ALL_TREES = range(0x05, 0x19)
_BAD_DATA = (ValueError, IndexError, KeyError, TypeError, OverflowError)


def is_hss_private_key(data: bytes) -> bool:
    """Return whether a file looks like a private key of pyhsslms."""
    if len(data) < 4 * _WORD or not 1 <= _word(data, 0) <= _MAX_LEVELS:
        return False
    start = 3 if data[_WORD : 2 * _WORD] == _MARK else 2
    return _word(data, start) in _ALL_TREES


def hss_verification_key(data: bytes) -> VerificationKey:
    """Read a serialised HSS public key.

    Raises:
        HssLmsError: it is damaged, or the extra is missing.
    """
    try:
        key: Any = _library().HssPublicKey.deserialize(data)
        whole = key.serialize() == data
    except _BAD_DATA:
        whole = False
    if not whole:
        raise HssLmsError("this is no HSS public key")

    def check(signed: bytes, signature: bytes) -> None:
        if len(signature) < 2 * _WORD or _word(signature, 0) >= _MAX_LEVELS:
            raise ValueError
        try:
            valid = _is_canonical(key, signature) and key.verify(signed, signature)
        except _BAD_DATA:
            valid = False
        if valid is not True:
            raise ValueError

    return VerificationKey(KeyKind.HSS_LMS, data, check)


@dataclass(frozen=True)
class HssLmsKey:
    """A private key in a file.

    Attributes:
        path: the file; it is rewritten by every signature.
        verification_key: verifies the signatures.
    """

    path: Path
    verification_key: VerificationKey

    @classmethod
    def open(cls, path: Path) -> HssLmsKey:
        """Read the key.

        Raises:
            HssLmsError: it is damaged, its trees are too large, or the extra is missing.
            FileError: the file cannot be read.
        """
        private = _load(path)
        return cls(path, hss_verification_key(private.publicKey().serialize()))

    @classmethod
    def generate(cls, levels: int = 2) -> tuple[bytes, bytes]:
        """Make a new key with trees of height 5 and LM-OTS W8.

        Args:
            levels: 1 to 8; the key makes 32 to the power of ``levels`` signatures.

        Returns:
            the content of the private file and that of the public one.

        Raises:
            HssLmsError: another number of levels, or the extra is missing.
        """
        if not 1 <= levels <= _MAX_LEVELS:
            raise HssLmsError(f"{levels} levels; an HSS key has 1 to {_MAX_LEVELS}")
        private: Any = _library().HssPrivateKey(levels=levels)
        return private.serialize(), private.publicKey().serialize()

    def sign(self, data: bytes) -> bytes:
        """Advance the file, then return the signature over ``data``.

        Raises:
            HssLmsError: the key is used up, or its next state cannot be stored.
        """
        with _locked(self.path):
            private = _load(self.path)
            if private.publicKey().serialize() != self.verification_key.public_bytes:
                raise HssLmsError("another key was put in this file", file=self.path)
            if private.is_exhausted():
                raise HssLmsError(
                    "this key has made all of its signatures",
                    file=self.path,
                    remedy="make a new key and let the devices know it",
                )
            try:
                signature = bytes(private.sign(data))
            except _BAD_DATA:
                raise HssLmsError("this HSS private key is damaged", file=self.path) from None
            try:
                write_file(self.path, private.serialize(), private=True)
            except FileError as error:
                raise HssLmsError(
                    f"the next state of the key cannot be stored, so nothing is signed: "
                    f"{error.problem}",
                    file=self.path,
                ) from None
        return signature


def _is_canonical(key: Any, signature: bytes) -> bool:
    """Return whether a signature has no byte too many and the LM-OTS types of the keys.

    pyhsslms 2.0 checks neither; RFC 8554, section 5.4.2 demands the second.
    """
    parsed: Any = _library().HssSignature.deserialize(signature)
    signatures, keys = [*parsed.sig, parsed.lms_sig], [key.pub, *parsed.pub]
    return parsed.serialize() == signature and all(
        one.lmots_type == public.lmots_type for one, public in zip(signatures, keys, strict=True)
    )


def _load(path: Path) -> Any:
    data = read_file(path, READ_LIMITS.key, "private key")
    if not is_hss_private_key(data):
        raise HssLmsError("this is no HSS private key", file=path)
    start = 3 if data[_WORD : 2 * _WORD] == _MARK else 2
    if _word(data, start) not in _SMALL_TREES:
        raise HssLmsError(
            "trees of a height above 10 take too long here",
            file=path,
            remedy="use more levels of lower trees",
        )
    try:
        private: Any = _library().HssPrivateKey.deserialize(data)
        intact = _is_whole(private, data)
    except _BAD_DATA:
        intact = False
    if not intact:
        raise HssLmsError("this HSS private key is damaged", file=path)
    return private


def _is_whole(private: Any, data: bytes) -> bool:
    """Return whether nothing is missing in a private key file, and nothing too much.

    pyhsslms 2.0 reads a counter that is cut off as a lower one, and would sign twice with one part.
    """
    if data[_WORD : 2 * _WORD] == _MARK:
        return bool(private.serialize() == data)
    # The older form holds the root key and how many signatures are left.
    return len(data) == 2 * _WORD + len(private.prv[0].serialize())


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep everybody else from signing with this key, on this machine."""
    if not HAS_LOCKS:
        raise HssLmsError(
            "this system cannot lock the key file, and two builds at once could sign with one "
            "state of the key",
            file=path,
            remedy="sign on Linux or macOS",
        )
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise FileError(f"cannot read the private key: {error.strerror}", file=path) from None
        try:
            # Ends with the descriptor, also when the process is killed.
            wait_for_lock(descriptor, path, LOCK_SECONDS, HssLmsError)
            # The file may have advanced, under a new inode, while we waited.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                yield
                return
        finally:
            os.close(descriptor)


def _word(data: bytes, place: int) -> int:
    return int.from_bytes(data[place * _WORD : (place + 1) * _WORD], "big")


def _library() -> ModuleType:
    try:
        from pyhsslms import pyhsslms
    except ImportError:
        raise HssLmsError(
            "HSS/LMS keys need the package pyhsslms", remedy="pip install 'fotabuild[hss-lms]'"
        ) from None
    return pyhsslms  # type: ignore[no-any-return]
