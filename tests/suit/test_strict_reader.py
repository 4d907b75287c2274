"""What is refused, under which name and at which byte."""

from __future__ import annotations

from collections.abc import Mapping

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.errors import CborError, SuitError
from fotabuild.formats.suit.cbor_reader import Item, Kind, Reader
from fotabuild.formats.suit.cbor_writer import CborValue, Tagged, encode
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.names import Profile

from ..formats.strategies import QUICK
from .golden import make, manifest

BAD_CBOR = {
    "": "offset 0x0: the data ends where an item is expected",
    "18": "offset 0x0: the data ends within the head",
    "1817": "offset 0x0: 23 is not in its shortest form",
    "190018": "offset 0x0: 24 is not in its shortest form",
    "1a0000ffff": "offset 0x0: 65535 is not in its shortest form",
    "1b00000000ffffffff": "offset 0x0: 4294967295 is not in its shortest form",
    "5818" + "00" * 23: "offset 0x0: a byte string of 24 bytes where 23 are left",
    "63ffffff": "offset 0x1: text that is not UTF-8",
    "8201f7": "offset 0x2: floating-point number, or a simple value",
    "f93c00": "offset 0x0: floating-point number",
    "1c": "offset 0x0: reserved first byte",
    "5f4100ff": "offset 0x0: indefinite length",
    "9fff": "offset 0x0: indefinite length",
    "bf0000ff": "offset 0x0: indefinite length",
    "ff": "offset 0x0: indefinite length, or a break",
    "0000": "offset 0x1: 1 bytes follow the end",
    "a201000100": "offset 0x3: this key of the map is there twice",
    "a202000100": "offset 0x3: the keys of the map are not in their order",
    "a2613a006000": "offset 0x4: the keys of the map are not in their order",
    "9bffffffffffffffff": "offset 0x0: an array of 18446744073709551615 entries where 0 bytes",
    "bbffffffffffffffff": "offset 0x0: a map of 18446744073709551615 entries",
    "81" * 60 + "00": "offset 0x29: nested deeper than 40 levels",
    "c1" * 60 + "00": "offset 0x29: nested deeper than 40 levels",
}


@pytest.mark.parametrize("data", BAD_CBOR)
def test_cbor_is_refused_with_its_offset(data: str) -> None:
    with pytest.raises(CborError) as caught:
        Reader(bytes.fromhex(data)).read_all()
    assert str(caught.value).startswith(BAD_CBOR[data])


def test_the_number_of_items_is_limited() -> None:
    with pytest.raises(CborError, match="more items than any manifest has"):
        Reader(encode([0] * 60_000)).read_all()


def unwrap(data: bytes) -> None:
    reader = Reader(data)
    item = reader.read_all()
    while item.kind is Kind.BYTES:
        item = reader.embedded(item)


def test_embedded_items_count_as_nesting() -> None:
    data = encode(0)
    for _ in range(40):
        data = encode(data)
    unwrap(data)
    with pytest.raises(CborError, match="nested deeper than 40 levels"):
        unwrap(encode(data))


scalars = st.integers(-(2**64), 2**64 - 1) | st.binary() | st.text() | st.booleans() | st.none()
keys = st.integers(-(2**64), 2**64 - 1) | st.text() | st.lists(st.binary(), max_size=3).map(tuple)
values: st.SearchStrategy[CborValue] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.builds(Tagged, st.integers(100_000, 2**64 - 1), inner)
    ),
    max_leaves=12,
)


def plain(item: Item) -> object:
    """Return an item as cbor2 gives it."""
    if item.kind is Kind.ARRAY:
        return [plain(each) for each in item.items]
    if item.kind is Kind.MAP:
        return {
            tuple(k.value for k in key.items) if key.kind is Kind.ARRAY else key.value: plain(value)
            for key, value in zip(item.items[::2], item.items[1::2], strict=True)
        }
    if item.kind is Kind.TAG:
        return (item.value, plain(item.items[0]))
    return item.value


def value_of(item: Item) -> CborValue:
    """Return an item as our writer takes it. There is one encoding, so that it must be the same."""
    if item.kind is Kind.TAG:
        assert isinstance(item.value, int)
        return Tagged(item.value, value_of(item.items[0]))
    if item.kind is Kind.ARRAY:
        return [value_of(each) for each in item.items]
    if item.kind is Kind.MAP:
        pairs = zip(item.items[::2], item.items[1::2], strict=True)
        return {value_of(key): value_of(value) for key, value in pairs}  # type: ignore[misc]
    return bytes(item.value) if isinstance(item.value, memoryview) else item.value


def same(value: object) -> object:
    if isinstance(value, cbor2.CBORTag):
        return (value.tag, same(value.value))
    if isinstance(value, list | tuple):
        return [same(each) for each in value]
    return {k: same(v) for k, v in value.items()} if isinstance(value, Mapping) else value


@QUICK
@given(values)
def test_what_we_write_we_read_and_another_library_reads_the_same(value: CborValue) -> None:
    data = encode(value)
    assert plain(Reader(data).read_all()) == same(cbor2.loads(data))


@QUICK
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_an_offset(data: bytes) -> None:
    error = None
    try:
        item = Reader(data).read_all()
    except CborError as caught:
        error = caught
    if error is not None:
        assert error.offset is not None
        assert 0 <= error.offset <= len(data)
        return
    assert item.end == len(data)
    assert encode(value_of(item)) == data


def rebuilt(change: object, profile: Profile = Profile.CURRENT) -> bytes:
    """Return an envelope in which ``change`` was let at the decoded map of the manifest."""
    data = make(manifest(), profile)
    values = cbor2.loads(data[2:] if profile is Profile.CURRENT else data)
    inner = cbor2.loads(values[3])
    assert callable(change)
    change(values, inner)
    values[3] = encode(inner)
    return encode(Tagged(107, values) if profile is Profile.CURRENT else values)


def section(number: int, *commands: object) -> object:
    return lambda _, m: m.update({number: encode(list(commands))})  # type: ignore[arg-type]


def common(number: int, value: CborValue) -> object:
    def change(_: object, m: dict[int, bytes]) -> None:
        m[3] = encode({**cbor2.loads(m[3]), number: value})

    return change


BAD_ENVELOPES = {
    "unknown element of the envelope": (lambda e, _: e.update({99: b""}), "unknown element 99"),
    "delegation": (lambda e, _: e.update({1: b"\x80"}), "delegation (key 1) is reserved"),
    "no manifest version": (lambda _, m: m.pop(1), "manifest: .*no manifest-version"),
    "version 2": (lambda _, m: m.update({1: 2}), "manifest-version: .*version 2 is not 1"),
    "sequence number": (lambda _, m: m.update({2: -1}), "sequence-number: .*an unsigned number"),
    "unknown element": (lambda _, m: m.update({99: 0}), "unknown element 99 of the manifest"),
    "old install": (lambda _, m: m.update({17: b"\x80"}), "number 17, as in drafts 17 to 27"),
    "unknown command": (section(7, 36, 0), r"validate\[0\]: .*unknown command 36"),
    "odd sequence": (section(7, 3), "a code and an argument for each"),
    "empty sequence": (section(7), "one at least"),
    "policy": (section(7, 3, 16), r"validate\[1\]: .*policy 16 is above 15"),
    "policy text": (section(7, 3, "15"), "expected an unsigned number, found a text"),
    "index false": (section(7, 12, False), "a number, a list of numbers, or true"),
    "index empty": (section(7, 12, []), "an empty list of component indices"),
    "one alternative": (section(7, 15, [encode([3, 15])]), "try-each with 1 sequences"),
    "alternatives end": (section(7, 15, [encode([3, 15])] * 2 + [True]), "expected null"),
    "unknown parameter": (section(7, 20, {99: 0}), "unknown parameter 99"),
    "short UUID": (section(7, 20, {1: b"x"}), "vendor-id: .*expected 16 bytes, found 1"),
    "unknown digest": (
        section(7, 20, {3: encode([-99, b"x"])}),
        r"image-digest\[0\]: .*algorithm -99",
    ),
    "digest length": (section(7, 20, {3: encode([-16, b"x"])}), "expected 32 bytes, found 1"),
    "digest elements": (section(7, 20, {3: encode([-16])}), "a digest has 2 elements"),
    "private null": (section(7, 20, {-300: None}), "a private parameter cannot be"),
    "private array": (section(7, -300, []), "expected bytes, text, a number or null"),
    "vendor tag": (section(7, 20, {1: Tagged(113, b"x")}), "tag 113 is not that of an enterprise"),
    "fetch in shared": (common(4, encode([21, 2])), "directive-fetch is not allowed in the shared"),
    "private in shared": (common(4, encode([-300, 0])), "private command in the shared"),
    "unknown common": (common(9, 0), "unknown element 9 of the common part"),
    "no components": (common(2, []), "an empty list of components"),
    "component twice": (common(2, [[b"0"], [b"0"]]), "this component id is there twice"),
    "long component id": (common(2, [[b"0" * 1024]]), "a component id of more than 1024 bytes"),
    "many components": (common(2, [[b"%d" % n] for n in range(1025)]), "1025 components; at most"),
    "many indices": (section(7, 12, [0] * 257), "257 component indices; at most 256"),
    "many signatures": (
        lambda e, _: e.update({2: encode([cbor2.loads(e[2])[0], *[b"x"] * 17])}),
        "17 signatures; at most 16",
    ),
    "stray element": (
        lambda e, _: e.update({16: encode([3, 15])}),
        "no digest of this severed element",
    ),
    "no authentication": (lambda e, _: e.pop(2), "no digest of the manifest"),
    "empty authentication": (lambda e, _: e.update({2: encode([])}), "no digest of the manifest"),
    "COSE_Sign": (
        lambda e, _: e.update({2: encode([cbor2.loads(e[2])[0], encode(Tagged(98, []))])}),
        "found COSE_Sign",
    ),
    "text number": (
        lambda e, m: (
            e.update({23: encode({"en": {9: "x"}})}),
            m.update({23: [-16, bytes(32)]}),
        ),
        "severed text.*unknown text 9",
    ),
}


@pytest.mark.parametrize("name", BAD_ENVELOPES)
def test_envelopes_are_refused_by_name_and_offset(name: str) -> None:
    change, problem = BAD_ENVELOPES[name]
    with pytest.raises(SuitError, match=problem.replace("(", r"\(").replace(")", r"\)")) as caught:
        decode_envelope(rebuilt(change))
    assert caught.value.offset is not None
    assert caught.value.code == "FB0421"


def block(protected: CborValue, unprotected: CborValue, payload: CborValue = None) -> object:
    def change(e: dict[int, bytes], _: object) -> None:
        inner = encode(Tagged(18, [encode(protected), unprotected, payload, b"x"]))
        e[2] = encode([cbor2.loads(e[2])[0], inner])

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (block({}, {}), "names no algorithm"),
        (block({1: -9, 2: [7]}, {}), "critical headers are not supported"),
        (block({1: -9}, {1: -9}), "header 1 is both protected and unprotected"),
        (block({4: b"k"}, {1: -9}), "names no algorithm"),
        (block({1: -9}, {}, b"x"), "the payload of a signature is attached"),
        (block({1: -9}, {}, []), "expected a byte string, found an array"),
        (block({1: "ES256"}, {}), "expected an unsigned number, found a text"),
        (block({1: -9}, {4: "k"}), "expected a byte string, found a text"),
    ],
    ids=range(8),
)
def test_signatures_are_refused_by_name(change: object, problem: str) -> None:
    with pytest.raises(SuitError, match=problem):
        decode_envelope(rebuilt(change))


def test_the_profile_is_recognised_and_may_be_demanded() -> None:
    for profile, other in (tuple(Profile), tuple(reversed(Profile))):
        data = make(manifest(), profile)
        assert decode_envelope(data).profile is profile
        with pytest.raises(SuitError, match=f"profile {profile.value}, not {other.value}"):
            decode_envelope(data, other)


def test_tags_are_those_of_the_profile() -> None:
    data = make(manifest())
    assert not decode_envelope(data[2:]).tagged
    older = make(manifest(), Profile.DRAFT_09)
    assert decode_envelope(b"\xd8\x30" + older).tagged
    for wrong in (b"\xd8\x30" + data[2:], b"\xd8\x6b" + older):
        with pytest.raises(SuitError, match="is not that of an envelope"):
            decode_envelope(wrong)


def test_the_size_is_limited() -> None:
    with pytest.raises(SuitError, match="at most 10 are read"):
        decode_envelope(make(manifest()), limit=10)
