"""Diagnostic notation, JSON, the explanation, and severing as people ask for it."""

from __future__ import annotations

import json

import pytest

from fotabuild.cli.suit.create import render
from fotabuild.cli.suit.view import View
from fotabuild.errors import CborError, SuitError, UsageError, VerificationError
from fotabuild.formats.suit.cbor_writer import Tagged, encode
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.diagnostic import diagnose
from fotabuild.formats.suit.explanation import explain
from fotabuild.formats.suit.json_view import to_json
from fotabuild.formats.suit.names import Element, Profile
from fotabuild.formats.suit.splicing import element_by_name, sever, sign_envelope
from fotabuild.signing.cose import open_cose_signer

from .golden import P256, component, make, manifest, public_keys, vector

SHORT = """\
107({
  / authentication-wrapper / 2: <<[
    <<[
      / sha256 / -16, h'"""


def test_diagnostic_notation_names_and_nests() -> None:
    text = diagnose(vector("current/31-ab-staged-slot.signed.suit"))
    assert text.startswith(SHORT)
    for line in (
        "    / manifest-sequence-number / 2: 39,",
        "        [h'02']",
        "          / vendor-id / 1: h'0637e301e05d505b8267486f5677de9b', "
        "/ 0637e301-e05d-505b-8267-486f5677de9b /",
        "        / directive-try-each / 15, [",
        "            / directive-set-component-index / 12, 0,",
        "      / directive-fetch / 21, 2,",
        '            / uri / 21: "http://fw.acme.example/slot-a.bin"',
        "        / alg / 1: -9",
    ):
        assert any(found.endswith(line.lstrip()) for found in text.splitlines()), line
    brackets = [text.count(pair[0]) - text.count(pair[1]) for pair in ("{}", "[]", "()")]
    assert brackets == [0, 0, 0]
    assert text.count("<<") == text.count(">>")


def test_diagnostic_notation_of_draft_09_uses_its_names() -> None:
    text = diagnose(vector("draft-09/03-fetch-install-run.signed.suit"))
    assert "/ run / 12: <<[" in text
    assert "/ directive-run / 23, 2" in text
    assert "/ alg / 1: -7" in text


@pytest.mark.parametrize("view", View)
def test_what_is_no_suit_is_refused_in_every_form(view: View) -> None:
    for data in (encode({1: [True, None, -5, "\x1b"], 5: b"ab"}), encode(Tagged(107, {}))):
        with pytest.raises(SuitError, match="this is no SUIT envelope"):
            render(data, view)
    with pytest.raises(CborError):
        render(b"\xff", view)


def test_the_explanation_says_what_the_device_does() -> None:
    text = explain(decode_envelope(vector("current/31-ab-staged-slot.signed.suit")))
    for line in (
        "SUIT manifest, profile current",
        "sequence number 39",
        "component 1: [02]",
        "Download (payload-fetch):",
        "    component 1 [02]: uri http://fw.acme.example/slot-b.bin",
        "  download from the stated URI into component 1 [02]",
        "Install (install):",
        "  component 0 [00]: source is component 1 [02]",
        "  if that stops, try:",
    ):
        assert line in text.splitlines(), line


def test_the_explanation_shows_words_and_uuids() -> None:
    value = manifest(component(install_id=[{"text": "usr"}, "00", "\u001b[2J"]))
    lines = explain(decode_envelope(make(value))).splitlines()
    assert "component 0: ['usr' 00 1b5b324a]" in lines
    assert any(line.endswith(": vendor-id 0637e301-e05d-505b-8267-486f5677de9b") for line in lines)


def test_the_explanation_cannot_steer_a_terminal() -> None:
    value = manifest(component(uri="http://a.example/\x1b[2J"), update_description="\x07\u202e")
    text = explain(decode_envelope(make(value)))
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_json_of_a_signed_and_severed_envelope() -> None:
    values = to_json(decode_envelope(vector("current/22-text-severable.signed.suit")))
    json.dumps(values)
    manifest_values = values["manifest"]
    assert isinstance(manifest_values, dict)
    assert manifest_values["install"] == {
        "algorithm-id": "sha256",
        "digest-bytes": "71872958f59710ee27ae619442ea25a5e5594d122f67435473ed5e2b9f783c1c",
    }
    install = values["install"]
    assert isinstance(install, list)
    assert {"directive-fetch", "condition-image-match"} <= {
        entry["command-id"] for entry in install if isinstance(entry, dict)
    }


def test_severing_leaves_every_other_byte() -> None:
    signed = vector("current/22-text-severable.signed.suit")
    everything = sever(signed)
    assert sever(sever(signed, [Element.TEXT]), [Element.INSTALL]) == everything
    assert sever(everything) == everything
    assert sever(signed, []) == signed


def test_severing_checks_the_digest_that_stays() -> None:
    with pytest.raises(VerificationError, match=r"text.*not the one that the manifest states"):
        sever(vector("current/bad/severed-text-changed.suit"))
    with pytest.raises(VerificationError, match="not the one"):
        sign_envelope(
            vector("current/bad/severed-install-changed.suit"), open_cose_signer(str(P256))
        )


def test_elements_have_long_and_short_names() -> None:
    assert element_by_name("install") is Element.INSTALL
    assert element_by_name("fetch") is element_by_name("payload-fetch") is Element.PAYLOAD_FETCH
    assert element_by_name("deres") is Element.DEPENDENCY_RESOLUTION
    with pytest.raises(UsageError, match="unknown element 'txt'; write one of"):
        element_by_name("txt")


def test_integrated_payloads_stay_in_the_envelope() -> None:
    value = manifest(component(integrate=True, uri="#app.bin"), severable=True)
    data = sign_envelope(make(value), open_cose_signer(str(P256)))
    assert list(decode_envelope(data).integrated) == ["#app.bin"]
    assert sever(data) == data
    from fotabuild.device.suit_acceptance import accept_envelope

    assert accept_envelope(data, public_keys()).accepted
    place = (
        data.index(b"#app.bin", data.index(b"#app.bin") + 1) if data.count(b"#app.bin") > 1 else 0
    )
    assert place
    changed = data[:-1] + bytes([data[-1] ^ 1])
    names = [f.name for f in accept_envelope(changed, public_keys()).failures]
    assert names == ["integrated-payloads"]
    assert decode_envelope(changed).profile is Profile.CURRENT
