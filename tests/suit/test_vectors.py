"""Bytes that are the same to the last one: suit-tool's where it is right, or corrected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from fotabuild.device.suit_acceptance import accept_envelope
from fotabuild.device.suit_self_check import check_envelope
from fotabuild.errors import CborError, SuitError, SuitInputError, SuitProfileError
from fotabuild.formats.suit.cbor_writer import encode
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.encoder import encode_manifest
from fotabuild.formats.suit.json_view import to_json
from fotabuild.formats.suit.names import Profile
from fotabuild.formats.suit.splicing import sever

from .golden import INDEX, SUIT, all_keys, describe, make, vector

DRAFT_09: list[dict[str, Any]] = INDEX["draft-09"]
CURRENT: list[dict[str, Any]] = INDEX["current"]
MATCHING = [case for case in DRAFT_09 if case["match-upstream"]]
FIXED = [case for case in DRAFT_09 if "fixed" in case]
#: suit-tool writes an offset as a reporting policy here (defect 5).
UNREADABLE = {"draft-09/31-ab-staged-offset"}
ENVELOPES = sorted(
    str(path.relative_to(SUIT))
    for path in SUIT.rglob("*.suit")
    if "bad" not in path.parts and path.name.split(".")[0] != "31-ab-staged-offset"
)


def of(case: dict[str, Any]) -> str:
    return str(case["id"])


def test_the_index_has_as_many_cases_as_its_readme_says() -> None:
    assert (len(MATCHING), len(DRAFT_09), len(FIXED), len(CURRENT)) == (25, 38, 11, 28)
    for case in MATCHING:
        entry = case["upstream"]["unsigned.suit"]
        assert hashlib.sha256(vector(entry["path"])).hexdigest() == entry["sha256"]


@pytest.mark.parametrize("case", MATCHING, ids=of)
def test_draft_09_has_the_bytes_of_suit_tool(
    case: dict[str, Any], record_property: Callable[[str, object], None]
) -> None:
    wanted = vector(case["upstream"]["unsigned.suit"]["path"])
    made = make(vector(case["input"]), Profile.DRAFT_09, severable="-s" in case.get("options", ()))
    record_property("tally", ("draft-09 vectors byte-identical to suit-tool", made == wanted))
    assert made == wanted


@pytest.mark.parametrize("case", FIXED, ids=of)
def test_draft_09_has_the_corrected_bytes_where_suit_tool_is_wrong(
    case: dict[str, Any], record_property: Callable[[str, object], None]
) -> None:
    made = make(vector(case["input"]), Profile.DRAFT_09)
    wanted = vector(case["fixed"]["path"])
    record_property("tally", ("corrected draft-09 vectors byte-identical", made == wanted))
    assert made == wanted


@pytest.mark.parametrize("case", CURRENT, ids=of)
def test_current_has_the_bytes_of_the_independent_encoder(
    case: dict[str, Any], record_property: Callable[[str, object], None]
) -> None:
    made = make(vector(case["input"]))
    wanted = vector(case["outputs"]["unsigned.suit"]["path"])
    record_property("tally", ("current vectors byte-identical", made == wanted))
    assert made == wanted


@pytest.mark.parametrize("case", [*DRAFT_09, *CURRENT], ids=of)
def test_every_vector_ends_on_a_device_as_its_input_says(case: dict[str, Any]) -> None:
    if case["id"] == "27-uri-without-digest":
        with pytest.raises(SuitInputError, match=r"components\[0\]: the key 'install-digest'"):
            describe(vector(case["input"]))
        return
    profile = Profile.CURRENT if case in CURRENT else Profile.DRAFT_09
    description = describe(vector(case["input"]))
    report = check_envelope(description, make(vector(case["input"]), profile))
    assert report.accepted, report.failures
    assert not report.warnings


@pytest.mark.parametrize("path", ENVELOPES)
def test_decoding_and_encoding_gives_the_same_manifest(path: str) -> None:
    envelope = decode_envelope(vector(path))
    assert envelope.profile is Profile(path.partition("/")[0])
    assert encode(encode_manifest(envelope.manifest, envelope.profile)) == envelope.manifest_bytes


def test_the_policy_that_is_an_offset_is_refused_by_name() -> None:
    with pytest.raises(SuitError, match=r"payload-fetch.*offset 0xfb: reporting policy 32768"):
        decode_envelope(vector("draft-09/31-ab-staged-offset.unsigned.suit"))


@pytest.mark.parametrize(
    "path", sorted(p.name for p in (SUIT / "draft-09").glob("*.parse.json")), ids=str
)
def test_json_is_that_of_suit_tool(path: str) -> None:
    name = path.removesuffix(".parse.json")
    if f"draft-09/{name}" in UNREADABLE:
        with pytest.raises(SuitError, match="policy"):
            decode_envelope(vector(f"draft-09/{name}.unsigned.suit"))
        return
    envelope = decode_envelope(vector(f"draft-09/{name}.unsigned.suit"))
    assert to_json(envelope) == json.loads((SUIT / "draft-09" / path).read_text())


#: What a device refuses, and at which check.
REFUSED = {
    "draft-09/02-fetch-install.signed-es384-INVALID.suit": "signature-1",
    "draft-09/22-text-severable.signed.suit": "severed-digests",
    "current/bad/bad-signature.suit": "signature-1",
    "current/bad/manifest-changed.suit": "manifest-digest",
    "current/bad/digest-recomputed-not-resigned.suit": "signature-1",
    "current/bad/no-signature.suit": "signed",
    "current/bad/severed-install-changed.suit": "severed-digests",
    "current/bad/severed-text-changed.suit": "severed-digests",
    "current/bad/truncated.suit": "envelope",
    "current/bad/trailing-byte.suit": "envelope",
}
SIGNED = [p for p in ENVELOPES if "unsigned" not in p and p not in REFUSED]


@pytest.mark.parametrize("path", SIGNED)
def test_signed_vectors_verify(path: str) -> None:
    report = accept_envelope(vector(path), all_keys())
    assert report.accepted, report.failures


@pytest.mark.parametrize("path", REFUSED)
def test_bad_vectors_are_refused_at_a_named_check(path: str) -> None:
    report = accept_envelope(vector(path), all_keys())
    assert REFUSED[path] in [result.name for result in report.failures]


def test_every_bad_vector_has_its_check() -> None:
    assert {p.name for p in (SUIT / "current/bad").iterdir()} == {
        p.rpartition("/")[2] for p in REFUSED if "/bad/" in p
    }


@pytest.mark.parametrize("case", ["current/22-text-severable", "current/23-severable-flag"])
def test_severing_gives_the_bytes_of_the_vectors(case: str) -> None:
    signed, severed = (vector(f"{case}.{form}.suit") for form in ("signed", "severed-signed"))
    assert sever(signed) == severed
    assert accept_envelope(severed, all_keys()).accepted


@pytest.mark.parametrize("case", INDEX["invalid"], ids=lambda case: str(case["input"]))
@pytest.mark.parametrize("profile", list(Profile))
def test_invalid_inputs_are_refused_by_name(
    case: dict[str, str], profile: Profile, record_property: Callable[[str, object], None]
) -> None:
    if case["expect"].startswith("accept"):
        envelope = decode_envelope(make(vector(case["input"]), profile))
        assert [element.value for element in envelope.manifest.elements] == ["validate"]
        return
    with pytest.raises((SuitInputError, SuitProfileError, CborError)) as caught:
        make(vector(case["input"]), profile)
    record_property("tally", ("invalid inputs refused with path and code", True))
    assert caught.value.code == "FB0422"
    field = caught.value.field or ""
    assert field.startswith(("components", "manifest-")) or "manifest-version" in str(caught.value)
