"""What an earlier statement says is believed of the files that it was about, and of no others."""

from __future__ import annotations

import base64
import json

import pytest

from fotabuild.errors import ProvenanceError
from fotabuild.provenance.claims import Claims
from fotabuild.provenance.earlier import read_earlier
from fotabuild.provenance.envelope import seal
from fotabuild.provenance.statement import INSTALLED_IMAGE, Material, Statement
from fotabuild.signing.signer import open_signer

from ..formats.golden import KEY
from .test_envelope import OTHER_KEY
from .test_statement import STATEMENT

SIGNER = open_signer(str(KEY))
SOURCE, FILE = STATEMENT.materials
CLAIMS = Claims("https://ci.acme.com/builder", "run 7", (SOURCE,), (FILE,))


def test_all_that_was_said_comes_back() -> None:
    found = read_earlier(seal(STATEMENT.encode(), SIGNER), SIGNER.public_key(), STATEMENT.subjects)
    assert (found.claims, found.doubt) == (CLAIMS, "")


def test_what_was_found_and_not_said_is_left_out() -> None:
    plain = Statement(
        subjects=STATEMENT.subjects, materials=(Material({"sha256": "2" * 64}, INSTALLED_IMAGE),)
    )
    found = read_earlier(seal(plain.encode(), SIGNER), SIGNER.public_key(), plain.subjects)
    assert found.claims == Claims()


@pytest.mark.parametrize(
    ("present", "doubt"),
    [
        ({}, "is no longer here"),
        ({"a.bin": b"\1" * 32}, "b.bin is no longer here"),
        ({"a.bin": b"\1" * 32, "b.bin": b"\3" * 32}, "b.bin is another one now"),
        ({**STATEMENT.subjects, "new.bin": b"\4" * 32}, ""),
    ],
    ids=str,
)
def test_other_files_are_a_reason_for_doubt(present: dict[str, bytes], doubt: str) -> None:
    found = read_earlier(seal(STATEMENT.encode(), SIGNER), SIGNER.public_key(), present)
    assert found.claims == CLAIMS
    assert found.doubt.endswith(doubt)
    assert bool(found.doubt) == bool(doubt)


def test_so_is_another_build_in_the_same_folder() -> None:
    sealed = seal(STATEMENT.encode(), SIGNER)
    present = {**STATEMENT.subjects, "c.manifest": b"\4" * 32}
    found = read_earlier(sealed, SIGNER.public_key(), present, ["a.bin", "c.manifest"])
    assert found.doubt == "c.manifest was built since"
    assert not read_earlier(sealed, SIGNER.public_key(), present, ["a.bin"]).doubt


def test_so_is_another_key() -> None:
    sealed = seal(STATEMENT.encode(), open_signer(str(OTHER_KEY)))
    for key in (SIGNER.public_key(), None):
        found = read_earlier(sealed, key, STATEMENT.subjects)
        assert (found.claims, found.doubt) == (CLAIMS, "it is no statement of the update key")


def _sealed(payload: object) -> bytes:
    return seal(json.dumps(payload).encode(), SIGNER)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[" * 100_000,
        json.dumps({"payload": base64.b64encode(b"x").decode()}).encode(),
        _sealed({}),
        _sealed({"predicate": {"buildDefinition": {}, "runDetails": {"builder": {}}}}),
        _sealed({"predicate": {"buildDefinition": {"resolvedDependencies": [1]}}}),
    ],
    ids=range(6),
)
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    with pytest.raises(ProvenanceError):
        read_earlier(data, SIGNER.public_key(), {})


def test_what_is_said_now_counts_more() -> None:
    now = Claims(builder="urn:me", files=(SOURCE,))
    assert now.completed(CLAIMS) == Claims("urn:me", "run 7", (SOURCE,), (SOURCE,))
    assert now.lacking(CLAIMS) == ("--invocation-id", "--source")
    assert CLAIMS.lacking(CLAIMS) == ()
    assert Claims().lacking(CLAIMS) == (
        "--builder-id", "--invocation-id", "--source", "--material",
    )  # fmt: skip
