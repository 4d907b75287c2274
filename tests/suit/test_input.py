"""The JSON input: conversions, rules of section 1.6, and what the messages say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.errors import FotabuildError, SuitInputError, SuitProfileError
from fotabuild.formats.suit import model
from fotabuild.formats.suit.byte_text import Spelling, doubt, read_bytes
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.description_reader import with_component
from fotabuild.formats.suit.envelope import create_envelope
from fotabuild.formats.suit.json_node import Node, parse_json
from fotabuild.formats.suit.names import Element, ManifestText, Profile

from ..formats.strategies import QUICK
from .golden import (
    APP,
    CLASS,
    GZIP,
    OTHER_CLASS,
    RADIO,
    component,
    describe,
    make,
    manifest,
    read_payload,
    sha,
    vector,
)


@pytest.mark.parametrize(
    ("text", "data", "spelling"),
    [
        ("00", "00", Spelling.HEX),
        ("0", "30", Spelling.TEXT),
        ("MTIzNA==", "31323334", Spelling.BASE64),
        ("example", "6578616d706c65", Spelling.TEXT),
        ("main", "99a8a7", Spelling.BASE64),
        ("AQID", "010203", Spelling.BASE64),
        ("deadbeef", "deadbeef", Spelling.HEX),
        ("café", "636166c3a9", Spelling.TEXT),
        ("", "", Spelling.TEXT),
        ("fw_ab", "66775f6162", Spelling.TEXT),
        ("MTIz=A==", "4d54497a3d413d3d", Spelling.TEXT),
        ("00 ", "303020", Spelling.TEXT),
        ("\u0660\u0660", "d9a0d9a0", Spelling.TEXT),
        ("00\n", "30300a", Spelling.TEXT),
    ],
)
def test_texts_become_bytes(text: str, data: str, spelling: Spelling) -> None:
    assert read_bytes(text) == (bytes.fromhex(data), spelling)


@pytest.mark.parametrize("word", ["main", "boot", "data", "deadbeef", "face"])
def test_words_that_are_read_as_something_else_are_doubted(word: str) -> None:
    assert f'write {{"text": "{word}"}}' in (doubt(word) or "")
    description = describe(manifest(component(install_id=[word])))
    assert any(f"the word {word!r}" in warning for warning in description.warnings)
    explicit = describe(manifest(component(install_id=[{"text": word}])))
    assert explicit.components[0].install_id == (word.encode(),)
    assert not explicit.warnings


def test_plain_ids_are_not_doubted() -> None:
    assert [doubt(text) for text in ("00", "01", "AQID", "example1", "0", "slot-a!")][:4] == [
        None
    ] * 4
    assert "suit-tool 0.0.2 reads it as base64" in (doubt("fw_ab") or "")


def test_ids_may_state_their_spelling() -> None:
    parts = [{"hex": "6162"}, {"base64": "YWI="}, {"text": "ab"}, "ab?"]
    description = describe(manifest(component(install_id=parts)))
    assert description.components[0].install_id == (b"ab", b"ab", b"ab", b"ab?")


A, B = (
    {"file": f"payloads/slot-{n}.bin", "uri": f"http://a.example/{n}", "slot": i}
    for i, n in enumerate("ab")
)
BAD = {
    "text": (b"{", "line 1: not JSON"),
    "twice": (b'{"a": 1, "a": 2}', "a: this key is there twice in one map"),
    "list": (b"[]", "expected a map, found a list"),
    "deep": (b"[" * 100_000, "nested too deep"),
    "long number": (b'{"a": ' + b"9" * 5000 + b"}", "number too long"),
    "not UTF-8": (b"\xff", "offset 0x0: not UTF-8"),
    "surrogate": (
        manifest(component(uri="\ud800")),
        "components[0].uri: not Unicode text",
    ),
    "version text": (manifest(manifest_version="1"), "manifest-version: expected a whole number"),
    "version true": (manifest(manifest_version=True), "manifest-version: expected a whole number"),
    "number": (manifest(manifest_sequence_number=2**64), "manifest-sequence-number: 184467"),
    "fraction": (manifest(manifest_sequence_number=1.5), "found a number with a fraction"),
    "top key": (manifest(severible=True), "unknown key 'severible'; did you mean 'severable'?"),
    "both": (manifest(component(slot=0, offset=0)), "'slot' and 'offset' exclude each other"),
    "empty id": (manifest(component(install_id=[])), "install-id: an empty component id"),
    "id of numbers": (manifest(component(install_id=[1])), "install-id[0]: expected a text"),
    "long id": (manifest(component(install_id=["?" * 1024])), "id of more than 1024 bytes"),
    "two spellings": (
        manifest(component(install_id=[{"hex": "00", "text": "x"}])),
        "one key is expected",
    ),
    "wrong hex": (manifest(component(install_id=[{"hex": "0"}])), "hex: not hexadecimal"),
    "wrong base64": (manifest(component(install_id=[{"base64": "="}])), "base64: not base64"),
    "digest of the file": (
        manifest(component(install_digest=sha(RADIO))),
        f"install-digest: the digest of the file is {sha(APP)['digest-bytes']}",
    ),
    "size of the file": (
        manifest(component(install_size=1)),
        "components[0].install-size: 1, but the file has 4096 bytes",
    ),
    "flag": (manifest(component(bootable=1)), "bootable: expected true or false, found a number"),
    "no compression": (
        manifest(component(loadable=True, load_id=["01"], decompress_on_load=True)),
        "decompress-on-load: there is no compression-info",
    ),
    "load digest": (
        manifest(
            component(
                loadable=True, load_id=["01"], decompress_on_load=True, compression_info="gzip"
            )
        ),
        "the key 'load-digest' is missing: the digest of the decompressed image",
    ),
    "download digest": (
        manifest(component(install_on_download=False, download_id=["01"], compression_info="gzip")),
        "the key 'download-digest' is missing: the digest of the compressed download",
    ),
    "same": (manifest(component(), component()), "nothing tells this alternative"),
    "half": (
        manifest(component(slot=0), component()),
        "components[1]: 'slot' is present in some alternatives",
    ),
    "half vendor": (
        manifest(component(**A), component(**B, vendor_id=None)),
        "'vendor-id' is present in some",
    ),
    "download ids": (
        manifest(
            component(**A, install_on_download=False, download_id=["01"]),
            component(**B, install_on_download=False, download_id=["02"]),
        ),
        "disagree on download-id",
    ),
    "load ids": (
        manifest(
            component(**A, loadable=True, load_id=["01"]),
            component(**B, loadable=True, load_id=["02"]),
        ),
        "disagree on load-id",
    ),
    "staging": (
        manifest(component(**A, install_on_download=False, download_id=["01"]), component(**B)),
        "disagree on install-on-download",
    ),
    "uris": (manifest(component(**A), component(**B | {"uri": None})), "disagree on a uri"),
    "download over": (
        manifest(
            component(install_on_download=False, download_id=["01"]), component(install_id=["01"])
        ),
        "'download-id' is the install-id of something else",
    ),
    "download to itself": (
        manifest(component(install_on_download=False, download_id=["00"])),
        "'download-id' is the install-id",
    ),
    "two downloads": (
        manifest(
            *(
                component(install_id=[i], install_on_download=False, download_id=["02"])
                for i in ("00", "01")
            )
        ),
        "'download-id' is the download-id of something else",
    ),
    "integrate": (manifest(component(integrate=True)), "needs a uri such as '#name'"),
    "integrate without file": (
        manifest(
            component(file=None, install_digest=sha(b""), install_size=0, integrate=True, uri="#a")
        ),
        "an integrated payload needs 'file'",
    ),
    "private label": (manifest(compression_parameter=-255), "-255 is not a private label"),
    "language": (manifest(text_language="x y"), "'x y' is not a language tag"),
    "text language": (manifest(description={"": {}}), "'' is not a language tag"),
    "text twice": (
        manifest(description={"en": {"update-description": "a"}}, update_description="b"),
        "this text is there twice in the language en",
    ),
    "text key": (manifest(description={"en": {"colour": "a"}}), "unknown key 'colour'"),
    "child source": (
        manifest(dependencies=[{"src-file": "x", "key-file": "y"}]),
        "a needed manifest is not made here; create and sign it first",
    ),
    "child": (manifest(dependencies=[{"file": "payloads/app.bin"}]), "file: not a SUIT envelope"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_its_path(name: str) -> None:
    value, problem = BAD[name]
    with pytest.raises(SuitInputError) as caught:
        describe(value)  # type: ignore[arg-type]
    assert problem in str(caught.value)
    assert caught.value.code == "FB0422"


def test_unknown_keys_may_be_allowed_and_are_named_then() -> None:
    value = manifest(component(instal_size=3), colour="red")
    description = describe(value, allow_unknown=True)
    assert description.warnings == (
        "unknown key 'colour' is ignored",
        "components[0]: unknown key 'instal-size' is ignored; did you mean 'install-size'?",
    )


def test_equal_digests_and_sizes_beside_a_file_pass() -> None:
    given = component(install_digest=sha(APP, "sha384"), install_size=4096)
    assert describe(manifest(given)).components[0].install_digest.algorithm.value == "sha384"


def test_the_description_can_go_into_the_manifest() -> None:
    data = json.dumps(manifest(include_json=True)).encode()
    text = decode_envelope(make(data)).element(Element.TEXT)
    assert isinstance(text, model.Text)
    assert text.languages["en"].manifest == {ManifestText.JSON_SOURCE: data.decode()}


def test_a_component_can_be_added_to_a_description() -> None:
    node = parse_json(
        b'{"install-id": ["01"], "file": "payloads/radio.bin", "uri": "http://a.example/r"}'
    )
    more = with_component(describe(manifest()), node, read_payload)
    assert [c.install_id for c in more.components] == [(b"\x00",), (b"\x01",)]
    with pytest.raises(SuitInputError, match="nothing tells this alternative"):
        with_component(describe(manifest()), Node(component(), "-c", []), read_payload)


WAYS_OUT = {
    "sha224": (
        component(file=None, install_digest=sha(APP, "sha224"), install_size=4096),
        Profile.CURRENT,
        "no sha224; use sha256, or the profile draft-09",
    ),
    "compression": (
        component(compression_info="gzip", download_digest=sha(GZIP)),
        Profile.CURRENT,
        "no compression-info; use the profile draft-09, let the device decompress while it "
        "downloads, or set compression-parameter",
    ),
    "offset": (component(offset=4096), Profile.CURRENT, "no offset; use 'slot', the index"),
    "slot": (component(slot=1), Profile.DRAFT_09, "no slot; use 'offset', the address"),
    "integrated": (
        component(integrate=True, uri="#app.bin"),
        Profile.DRAFT_09,
        "no integrated payloads; publish the payload",
    ),
    "languages": (
        component(description={t: {"vendor-name": "A"} for t in ("de", "en")}),
        Profile.DRAFT_09,
        "texts in one language only; keep one language",
    ),
}


@pytest.mark.parametrize("name", WAYS_OUT)
def test_what_a_profile_cannot_say_is_an_error_with_the_way_out(name: str) -> None:
    entry, profile, problem = WAYS_OUT[name]
    with pytest.raises(SuitProfileError) as caught:
        make(manifest(entry), profile)
    assert f"the profile {profile.value} has {problem}" in str(caught.value)
    assert caught.value.code == "FB0423"
    where = caught.value.field or ""
    assert where.startswith("components[0].") or name in ("integrated", "languages")
    (other,) = set(Profile) - {profile}
    assert make(manifest(entry), other)


def test_warnings_name_what_many_devices_cannot_do() -> None:
    entries = [component(install_id=[f"{n:02x}"], bootable=n < 2) for n in range(6)]
    entries[0]["install-digest"] = sha(APP, "sha512")
    warnings = create_envelope(describe(manifest(*entries)), Profile.CURRENT).warnings
    for part in ("6 component ids", "digests by sha512", "2 components are started", "install has"):
        assert any(part in warning for warning in warnings), part


def test_needed_manifests_of_both_profiles() -> None:
    for profile, path in (
        (Profile.CURRENT, "current/02-fetch-install.signed.suit"),
        (Profile.DRAFT_09, "draft-09/32-dependency-child.signed.suit"),
    ):
        entry = {"file": path, "uri": "http://a.example/child", "install-id": ["child!"]}
        found = decode_envelope(make(manifest(dependencies=[entry]), profile))
        (needed,) = found.manifest.dependencies
        child = decode_envelope(vector(path))
        assert needed.prefix == (b"child!",)
        assert needed.digest in (None, child.digest)
        assert Element.DEPENDENCY_RESOLUTION in found.manifest.elements
    with pytest.raises(SuitInputError, match=r"dependencies\[0\]: the key 'install-id' is missing"):
        make(manifest(dependencies=[{"file": path}]))
    with pytest.raises(SuitInputError, match="a component has this id already"):
        make(manifest(dependencies=[{"file": path, "install-id": ["00"]}]))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
KEYS = sorted(component() | manifest() | {"load-id": 0, "offset": 0, "dependencies": 0})


@QUICK
@given(
    st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4),
    st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4),
)
def test_any_values_are_taken_or_refused_by_name(
    top: dict[str, object], entry: dict[str, object]
) -> None:
    value = manifest(component() | entry) | top

    def payload(name: str) -> bytes:
        return name.encode("utf-8", "replace")

    error = None
    try:
        describe(value, payload)
    except FotabuildError as caught:
        error = caught
    assert error is None or isinstance(error, SuitInputError)


def test_class_ids_in_other_spellings() -> None:
    for text in (CLASS.replace("-", ""), f"{{{CLASS}}}", f"urn:uuid:{CLASS}"):
        assert make(manifest(component(class_id=text))) == make(manifest())
    assert make(manifest(component(class_id=OTHER_CLASS))) != make(manifest())
