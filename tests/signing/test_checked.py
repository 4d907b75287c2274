"""No backend's signature is used before it was verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.digest import sha256
from fotabuild.errors import SignatureError, SigningError
from fotabuild.signing.checked import CheckedSigner
from fotabuild.signing.pem import PemSigner
from fotabuild.signing.signer import open_signer

from ..formats.golden import KEY, OTHER_KEY

GOOD, OTHER = PemSigner.open(KEY), PemSigner.open(OTHER_KEY)


class Faulty:
    """A backend that returns whatever it was told to."""

    def __init__(self, signature: bytes, public_key: bytes | None = None) -> None:
        self._signature = signature
        self._public_key = public_key

    def public_key(self) -> bytes:
        return self._public_key or GOOD.public_key()

    def sign(self, data: bytes) -> bytes:
        return self._signature

    def sign_digest(self, digest: bytes, data: bytes | None = None) -> bytes:
        return self._signature


RIGHT = GOOD.sign(b"x")
WRONG = {
    "empty": b"",
    "zeros": bytes(64),
    "short": RIGHT[:-1],
    "long": RIGHT + b"\0",
    "one bit": bytes([RIGHT[0] ^ 1]) + RIGHT[1:],
    "swapped": RIGHT[32:] + RIGHT[:32],
    "other data": GOOD.sign(b"y"),
    "other key": OTHER.sign(b"x"),
}


def test_right_signatures_pass() -> None:
    checked = CheckedSigner(Faulty(RIGHT))
    assert checked.sign(b"x") == checked.sign_digest(sha256(b"x")) == RIGHT


@pytest.mark.parametrize("name", WRONG)
def test_wrong_signatures_do_not(name: str) -> None:
    checked = CheckedSigner(Faulty(WRONG[name]))
    with pytest.raises(SignatureError, match="not a signature of the update key"):
        checked.sign(b"x")
    with pytest.raises(SignatureError, match="not a signature of the update key"):
        checked.sign_digest(sha256(b"x"))


def test_a_backend_s_public_key_is_checked_first() -> None:
    with pytest.raises(SigningError, match="not a P-256 public key"):
        CheckedSigner(Faulty(RIGHT, b"\4" + bytes(64)))


def test_every_opened_signer_is_checked(tmp_path: Path) -> None:
    assert isinstance(open_signer(str(KEY)), CheckedSigner)
