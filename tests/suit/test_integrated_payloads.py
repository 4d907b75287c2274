"""Payloads in the envelope, which no signature covers, are compared with the signed digests."""

from __future__ import annotations

import pytest

from fotabuild.device.report import AcceptanceReport, Verdict
from fotabuild.device.suit_acceptance import accept_envelope
from fotabuild.formats.suit import model
from fotabuild.formats.suit.digests import compute_digest
from fotabuild.formats.suit.envelope import encode_envelope
from fotabuild.formats.suit.names import DigestAlgorithm, Element, Name, Parameter, Profile
from fotabuild.formats.suit.splicing import sign_envelope
from fotabuild.signing.cose import open_cose_signer

from .golden import P256, public_keys

PAYLOADS = {"#a": b"payload a", "#b": b"payload b"}
WAIT: model.Commands = (model.Act(Name.WAIT, 0),)
HINT: model.Parameters = {-300: 7}
ENCRYPTED: model.Parameters = {Parameter.ENCRYPTION_INFO: b"x"}


def sets(index: int, uri: str, more: model.Parameters | None = None) -> model.Commands:
    digest = compute_digest(DigestAlgorithm.SHA256, PAYLOADS[uri])
    values: model.Parameters = {Parameter.URI: uri, Parameter.IMAGE_DIGEST: digest}
    return (
        model.SelectComponent(index),
        model.SetParameters({**values, **(more or {})}),
        model.Act(Name.FETCH, 2),
        model.Act(Name.IMAGE_MATCH, 15),
    )


def accept(
    install: model.Commands,
    payloads: dict[str, bytes],
    *,
    load: model.Commands = WAIT,
) -> AcceptanceReport:
    value = model.Manifest(
        sequence_number=1,
        components=((b"a",), (b"b",), (b"c",)),
        elements={Element.INSTALL: install, Element.LOAD: load},
    )
    data = encode_envelope(value, Profile.CURRENT, integrated=payloads)
    return accept_envelope(sign_envelope(data, open_cose_signer(str(P256))), public_keys())


def verdicts(report: AcceptanceReport) -> dict[str, Verdict]:
    """Return what is said of each payload."""
    return {
        r.detail.partition(":")[0]: r.verdict
        for r in report.results
        if r.name == "integrated-payloads"
    }


CHANGED = {"#a": b"payload A", "#b": b"payload B"}
SEVERAL = model.OverrideMultiple({0: HINT})
COPIED = (
    model.SelectComponent(2),
    model.SetParameters(HINT),
    model.SelectComponent(0),
    model.CopyParameters({2: (-300,)}),
)


@pytest.mark.parametrize(
    "install",
    [
        (*sets(0, "#a", HINT), *sets(1, "#b")),
        (*sets(0, "#a", ENCRYPTED), *sets(1, "#b")),
        (model.RunSequence(sets(0, "#a", HINT)), *sets(1, "#b")),
        (model.TryEach((sets(0, "#a", HINT), sets(0, "#a"))), *sets(1, "#b")),
        (SEVERAL, *sets(0, "#a"), *sets(1, "#b")),
        (*COPIED, *sets(0, "#a"), *sets(1, "#b")),
    ],
    ids=["private", "encrypted", "sequence", "alternative", "several", "copied"],
)
def test_a_private_parameter_is_about_its_own_component(install: model.Commands) -> None:
    good = accept(install, PAYLOADS)
    assert good.accepted
    assert verdicts(good) == {"#a": Verdict.PASSED, "#b": Verdict.PASSED}
    changed = accept(install, CHANGED)
    assert not changed.accepted
    assert verdicts(changed) == {"#a": Verdict.SKIPPED, "#b": Verdict.FAILED}


def test_what_may_change_a_payload_is_named() -> None:
    report = accept(sets(0, "#a", {**HINT, **ENCRYPTED}), {"#a": b"other"})
    (detail,) = [r.detail for r in report.results if r.name == "integrated-payloads"]
    assert detail == ("#a: encryption-info, the private parameter -300 may change it on its way")


def test_a_private_parameter_of_another_element_changes_no_download() -> None:
    """Such as decompression while an image is loaded."""
    load = (model.SelectComponent(0), model.SetParameters(HINT), model.Act(Name.COPY, 2))
    assert accept(sets(0, "#a"), {"#a": PAYLOADS["#a"]}, load=load).accepted
    report = accept(sets(0, "#a"), {"#a": b"other"}, load=load)
    assert verdicts(report) == {"#a": Verdict.FAILED}


def test_a_private_parameter_does_not_hide_a_payload_that_nobody_fetches() -> None:
    report = accept(sets(0, "#a", HINT), PAYLOADS)
    assert [r.detail for r in report.failures] == ["#b: no command fetches it", "#b: 9 bytes"]


def test_parameters_of_all_components_count_for_each() -> None:
    every = (model.SelectComponent(True), model.SetParameters(HINT))
    report = accept((*every, *sets(0, "#a"), *sets(1, "#b")), CHANGED)
    assert verdicts(report) == {"#a": Verdict.SKIPPED, "#b": Verdict.SKIPPED}
