"""The 18 defects of suit-tool 0.0.2 (suit specification, section 2.4), each by its number.

Those of its command line are in ``test_suit_tool_command.py`` too: the tests here show what the
command line stands on.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from fotabuild.cli.suit.streams import write_output
from fotabuild.device.suit_acceptance import accept_envelope, verify_envelope
from fotabuild.device.suit_processor import run_manifest
from fotabuild.device.suit_self_check import check_envelope, device_for
from fotabuild.errors import (
    FileError,
    SuitError,
    SuitInputError,
    SuitProfileError,
    VerificationError,
)
from fotabuild.formats.suit import model
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.description import Description
from fotabuild.formats.suit.digests import compute_digest
from fotabuild.formats.suit.json_node import parse_json
from fotabuild.formats.suit.json_view import to_json
from fotabuild.formats.suit.names import Element, Name, Parameter, Profile
from fotabuild.formats.suit.node_values import component_id
from fotabuild.formats.suit.splicing import sever, sign_envelope
from fotabuild.signing.cose import open_cose_signer
from fotabuild.signing.cose_algorithm import CoseAlgorithm

from . import test_suit_tool_command
from .golden import (
    APP,
    BOTH,
    CLASS,
    ED25519,
    GZIP,
    OTHER_CLASS,
    P256,
    P384,
    P521,
    RADIO,
    VENDOR,
    component,
    describe,
    make,
    manifest,
    public_keys,
    sha,
    vector,
)

#: Defects that a command line can have on top of these.
COMMAND_LINE = {10, 12, 13, 14, 15, 16}


def accepted(value: dict[str, object], profile: Profile) -> model.Envelope:
    data = make(value, profile)
    report = check_envelope(describe(value), data)
    assert report.accepted, report.failures
    return decode_envelope(data)


def acts(envelope: model.Envelope, element: Element) -> list[model.Command]:
    value = envelope.element(element)
    assert isinstance(value, tuple)
    return list(value)


def locations(envelope: model.Envelope, element: Element, name: Name) -> list[object]:
    """Return the component ids that a command is about."""
    found: list[object] = []
    index = 0
    for command in acts(envelope, element):
        if isinstance(command, model.SelectComponent):
            assert isinstance(command.index, int)
            index = command.index
        if isinstance(command, model.Act) and command.name is name:
            found.append(envelope.manifest.components[index])
    return found


def test_defect_1_compression_without_decompress_on_load() -> None:
    value = manifest(
        component(compression_info="gzip", uri="http://a.example/app.gz", download_digest=sha(GZIP))
    )
    envelope = accepted(value, Profile.DRAFT_09)
    assert model.SetParameters(
        {Parameter.URI: "http://a.example/app.gz", Parameter.COMPRESSION_INFO: 1}, override=False
    ) in acts(envelope, Element.INSTALL)
    assert accepted(value | {"compression-parameter": -300}, Profile.CURRENT)


@pytest.mark.parametrize("profile", BOTH)
def test_defect_2_load_section_of_the_last_component(profile: Profile) -> None:
    value = manifest(
        component(loadable=True, load_id=["02"], bootable=True),
        component(install_id=["01"], file="payloads/radio.bin", uri="http://fw.acme.example/r"),
    )
    envelope = accepted(value, profile)
    (parameters,) = [
        c.values for c in acts(envelope, Element.LOAD) if isinstance(c, model.SetParameters)
    ]
    assert parameters[Parameter.SOURCE_COMPONENT] == 0
    assert parameters[Parameter.IMAGE_SIZE] == len(APP) != len(RADIO)


@pytest.mark.parametrize("profile", BOTH)
@pytest.mark.parametrize("kind", ["download", "load"])
def test_defect_3_download_and_load_components_without_digest(profile: Profile, kind: str) -> None:
    staged = component(install_on_download=False, download_id=["02"])
    loaded = component(loadable=True, load_id=["02"])
    envelope = accepted(manifest(staged if kind == "download" else loaded), profile)
    element = Element.PAYLOAD_FETCH if kind == "download" else Element.LOAD
    assert any(
        isinstance(c, model.SetParameters) and Parameter.IMAGE_DIGEST in c.values
        for c in acts(envelope, element)
    )


@pytest.mark.parametrize("profile", BOTH)
def test_defect_4_two_bootable_entries(profile: Profile) -> None:
    key = "slot" if profile is Profile.CURRENT else "offset"
    alternatives = [component(bootable=True, **{key: number}) for number in (0, 1)]
    envelope = accepted(manifest(*alternatives), profile)
    assert locations(envelope, Element.INVOKE, Name.INVOKE) == [(b"\x00",)]
    two = manifest(
        component(bootable=True),
        component(install_id=["01"], bootable=True, loadable=True, load_id=["02"]),
    )
    found = locations(accepted(two, profile), Element.INVOKE, Name.INVOKE)
    assert found == [(b"\x00",), (b"\x02",)]


@pytest.mark.parametrize("profile", BOTH)
def test_defect_5_staged_alternatives(profile: Profile) -> None:
    key = "slot" if profile is Profile.CURRENT else "offset"
    value = manifest(
        *(
            component(
                file=f"payloads/slot-{name}.bin",
                uri=f"http://a.example/{name}",
                install_on_download=False,
                download_id=["02"],
                **{key: place * 4096},
            )
            for place, name in enumerate("ab")
        )
    )
    envelope = accepted(value, profile)
    (tried,) = [c for c in acts(envelope, Element.PAYLOAD_FETCH) if isinstance(c, model.TryEach)]
    for alternative in tried.alternatives:
        assert alternative[0] == model.SelectComponent(0)
        policies = [c.policy for c in alternative if isinstance(c, model.Act)]
        assert policies == [5]


@pytest.mark.parametrize("profile", BOTH)
@pytest.mark.parametrize("key", ["class-id", "vendor-id"])
def test_defect_6_alternatives_that_differ_by_class_or_vendor(profile: Profile, key: str) -> None:
    other = component(file="payloads/slot-b.bin", uri="http://a.example/b") | {key: OTHER_CLASS}
    envelope = accepted(manifest(component(), other), profile)
    name = Name.CLASS_IDENTIFIER if key == "class-id" else Name.VENDOR_IDENTIFIER
    (tried,) = [c for c in acts(envelope, Element.INSTALL) if isinstance(c, model.TryEach)]
    for alternative in tried.alternatives:
        assert [c.name for c in alternative if isinstance(c, model.Act)] == [name]


@pytest.mark.parametrize("profile", BOTH)
def test_defect_7_loadable_false(profile: Profile) -> None:
    for value in (manifest(component(loadable=False)), manifest(component(load_id=["02"]))):
        assert Element.LOAD not in accepted(value, profile).manifest.elements


@pytest.mark.parametrize("profile", BOTH)
def test_defect_8_texts_and_reference_uri(profile: Profile) -> None:
    texts = {
        "vendor-name": "Acme",
        "model-name": "Sensor",
        "vendor-domain": "acme.example",
        "model-info": "v2",
        "component-description": "Main",
        "component-version": "2.4.0",
        "version-required": "2.0.0",
    }
    value = manifest(
        component() | texts, reference_uri="http://a.example/m", update_description="x"
    )
    envelope = accepted(value, profile)
    assert envelope.manifest.reference_uri == "http://a.example/m"
    text = envelope.element(Element.TEXT)
    assert isinstance(text, model.Text)
    (language,) = text.languages.values()
    found = {key.value: entry for key, entry in language.components[(b"\x00",)].items()}
    assert found == texts
    digest = envelope.manifest.elements[Element.TEXT]
    assert isinstance(digest, model.Digest)
    # With its head, as the other severed elements.
    assert envelope.severed_bytes[Element.TEXT][0] >> 5 == 2
    assert digest == compute_digest(digest.algorithm, envelope.severed_bytes[Element.TEXT])


@pytest.mark.parametrize("profile", BOTH)
@pytest.mark.parametrize("key", [P384, P521], ids=["P-384", "P-521"])
def test_defect_9_keys_on_larger_curves(profile: Profile, key: object) -> None:
    signer = open_cose_signer(str(key), older_ids=profile is Profile.DRAFT_09)
    data = sign_envelope(make(manifest(), profile), signer)
    envelope = verify_envelope(data, public_keys())
    assert envelope.digest.algorithm.value == "sha256"
    invalid = vector("draft-09/02-fetch-install.signed-es384-INVALID.suit")
    assert not accept_envelope(invalid, public_keys()).accepted


@pytest.mark.parametrize("profile", BOTH)
def test_defect_10_the_key_id_is_written(profile: Profile) -> None:
    data = sign_envelope(make(manifest(), profile), open_cose_signer(str(ED25519)), b"key 7")
    (block,) = verify_envelope(data, public_keys()).blocks
    assert block.key_id == b"key 7"


@pytest.mark.parametrize("profile", BOTH)
def test_defect_11_the_digest_is_checked_before_signing(profile: Profile) -> None:
    data = make(manifest(), profile)
    changed = data.replace(b"fw.acme.example", b"fw.evil.example")
    with pytest.raises(VerificationError, match="its digest is"):
        sign_envelope(changed, open_cose_signer(str(P256)))


@pytest.mark.parametrize("profile", BOTH)
def test_defect_12_json_of_signed_envelopes(profile: Profile) -> None:
    data = sign_envelope(make(manifest(), profile), open_cose_signer(str(P256)))
    values = json.loads(json.dumps(to_json(decode_envelope(data))))
    assert values["authentication-wrapper"][1]["structure"] == "COSE_Sign1"
    assert values["manifest"]["manifest-sequence-number"] == 7


@pytest.mark.parametrize("profile", BOTH)
def test_defect_13_only_the_named_elements_are_removed(profile: Profile) -> None:
    value = manifest(component(uri="http://a.example/" + "x" * 60), update_description="text")
    data = make(value, profile, severable=True)
    signed = sign_envelope(data, open_cose_signer(str(P256)))
    assert set(decode_envelope(signed).severed) == {Element.INSTALL, Element.TEXT}
    severed = sever(signed, [Element.TEXT])
    left = verify_envelope(severed, public_keys())
    assert set(left.severed) == {Element.INSTALL}
    assert isinstance(left.element(Element.TEXT), model.Digest)
    with pytest.raises(SuitError, match="text: this element is not severed"):
        sever(severed, [Element.TEXT])
    # An element whose digest does not stay behind is never taken out.
    with pytest.raises(SuitError, match="no digest of this severed element"):
        sever(_with_stray_element(data, profile))


def _with_stray_element(data: bytes, profile: Profile) -> bytes:
    import cbor2

    values = cbor2.loads(data)
    values = values.value if isinstance(values, cbor2.CBORTag) else values
    key = 16 if profile is Profile.CURRENT else 8
    entries = dict(sorted({**values, key: cbor2.dumps([3, 15])}.items()))
    head = b"\xd8\x6b" if profile is Profile.CURRENT else b""
    return head + cbor2.dumps(entries)


def test_defect_14_coordinates_with_leading_zeros_have_their_full_length() -> None:
    """The signature's r and s are what this room writes; public keys are the command line's."""
    signer = open_cose_signer(str(P256))
    sizes = {len(signer.sign(number.to_bytes(2, "big"))) for number in range(600)}
    assert sizes == {64}
    short = [n for n in range(600) if signer.sign(n.to_bytes(2, "big"))[0] == 0]
    assert short, "no signature with a leading zero was made"


def test_defect_15_an_id_is_data_and_no_code() -> None:
    node = parse_json(b"[\"__import__('os').getcwd()\"]")
    assert component_id(node) == (b"__import__('os').getcwd()",)
    for text in (b"['00']", b"__import__('os')", b"[1]"):
        with pytest.raises(SuitInputError):
            component_id(parse_json(text))


def _half_an_output() -> Iterator[bytes]:
    yield make(manifest())
    raise SuitInputError("the rest cannot be made")


@pytest.mark.parametrize("before", [None, b"an earlier manifest"])
@pytest.mark.parametrize("full_disk", [False, True])
def test_defect_16_a_failure_in_the_middle_leaves_the_output_as_it_was(
    before: bytes | None, full_disk: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older tool opens its output first; what fails then leaves it empty."""
    output = tmp_path / "a.suit"
    if before is not None:
        output.write_bytes(before)

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if full_disk:
        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(FileError, match="No space left"):
            write_output(output, [make(manifest())])
    else:
        with pytest.raises(SuitInputError, match="the rest"):
            write_output(output, _half_an_output())
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([before] if before else [])
    monkeypatch.undo()
    write_output(output, [make(manifest())])
    assert output.read_bytes() == make(manifest())


@pytest.mark.parametrize("profile", BOTH)
def test_defect_17_parameters_that_are_set_already(profile: Profile) -> None:
    """Strictly read, draft-09 keeps the offset of the shared sequence; override does not."""
    key = "slot" if profile is Profile.CURRENT else "offset"
    value = manifest(
        *(
            component(
                file=f"payloads/slot-{name}.bin",
                uri=f"http://a.example/{name}",
                **{key: place * 4096},
            )
            for place, name in enumerate("ab")
        )
    )
    description: Description = describe(value)
    envelope = decode_envelope(make(value, profile))
    device = device_for(description, [description.components[1]])
    device.set_replaces = False
    run = run_manifest(envelope, device)
    assert run.succeeded is (profile is Profile.CURRENT)
    used = {
        c.override
        for element in envelope.manifest.elements
        for c in acts(envelope, element)
        if isinstance(c, model.SetParameters)
    }
    assert used <= {profile is Profile.CURRENT}
    assert check_envelope(description, make(value, profile)).accepted


@pytest.mark.parametrize("name", ["sha224", "sha256", "sha384", "sha512"])
def test_defect_18_digests_of_a_wrong_length(name: str) -> None:
    digest = sha(APP, name)
    given = component(file=None, install_size=4096)
    with pytest.raises(SuitInputError, match=rf"digest-bytes: {name} has \d+ bytes, not \d+"):
        describe(
            manifest(
                given | {"install-digest": digest | {"digest-bytes": digest["digest-bytes"][:-2]}}
            )
        )
    whole = manifest(given | {"install-digest": digest})
    if name == "sha224":
        with pytest.raises(
            SuitProfileError, match="no sha224; use sha256, or the profile draft-09"
        ):
            make(whole, Profile.CURRENT)
    else:
        assert accepted(whole, Profile.CURRENT)
    assert accepted(whole, Profile.DRAFT_09)


def _numbers(names: Iterable[str]) -> set[int]:
    return {int(n.split("_")[2]) for n in names if n.startswith("test_defect_")}


def test_every_defect_has_a_test() -> None:
    assert _numbers(globals()) == set(range(1, 19))
    assert _numbers(vars(test_suit_tool_command)) == COMMAND_LINE
    assert VENDOR != CLASS
    assert CoseAlgorithm.ES384.number == -35
