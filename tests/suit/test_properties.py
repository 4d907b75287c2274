"""Random descriptions end on a device as they say; damage never crashes, hangs or verifies."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable

import lz4.frame
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.device.suit_acceptance import accept_envelope
from fotabuild.device.suit_device import Part, VirtualDevice
from fotabuild.device.suit_image import Image
from fotabuild.device.suit_processor import run_manifest
from fotabuild.device.suit_self_check import check_envelope
from fotabuild.errors import CborError, SuitError
from fotabuild.formats.suit.cbor_writer import encode
from fotabuild.formats.suit.compiler import compile_manifest
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.diagnostic import diagnose
from fotabuild.formats.suit.encoder import encode_manifest
from fotabuild.formats.suit.envelope import create_envelope
from fotabuild.formats.suit.explanation import explain
from fotabuild.formats.suit.json_view import to_json
from fotabuild.formats.suit.names import Profile
from fotabuild.formats.suit.splicing import sever, sign_envelope
from fotabuild.signing.cose import open_cose_signer

from ..formats.strategies import QUICK
from .golden import CLASS, ED25519, VENDOR, all_keys, describe, sha, vector

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bzip2": bz2.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}


@st.composite
def groups(
    draw: st.DrawFn, number: int, older: bool
) -> tuple[list[dict[str, object]], dict[str, bytes]]:
    """Alternatives for one location, with their files."""
    common: dict[str, object] = {"install-id": [{"hex": f"{number:02x}"}], "vendor-id": VENDOR}
    common["bootable"] = draw(st.booleans())
    if draw(st.booleans()):
        common |= {"install-on-download": False, "download-id": [{"hex": f"d0{number:02x}"}]}
    loadable, fetched = draw(st.booleans()), draw(st.booleans())
    if loadable:
        common |= {"loadable": True, "load-id": ["load", f"{number}"]}
    packing = draw(st.none() | st.sampled_from(sorted(PACK)))
    on_load = loadable and packing is not None and draw(st.booleans())
    if packing:
        common |= {"compression-info": packing, "decompress-on-load": on_load}
    by_class, count = draw(st.booleans()), draw(st.integers(1, 3))
    entries, files = [], {}
    for place in range(count):
        name = f"{number}-{place}.bin"
        image = draw(st.binary(max_size=40)) + name.encode()
        packed = PACK[packing](image) if packing else image
        files[name] = packed if on_load else image
        entry = common | {"file": name, "class-id": f"{place:032x}" if by_class else CLASS}
        if not by_class:
            entry["offset" if older else "slot"] = place * (4096 if older else 1)
        if fetched:
            entry["uri"] = f"http://a.example/{name}"
            entry |= {"download-digest": sha(packed)} if packing else {}
        if on_load:
            entry |= {"load-digest": sha(image), "load-size": len(image)}
        entries.append(entry)
    return entries, files


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, object], dict[str, bytes], Profile]:
    """A description, the files that it names, and a profile."""
    profile = draw(st.sampled_from(Profile))
    files: dict[str, bytes] = {}
    components: list[dict[str, object]] = []
    for number in range(draw(st.integers(1, 4))):
        entries, found = draw(groups(number, profile is Profile.DRAFT_09))
        components += entries
        files |= found
    value: dict[str, object] = {
        "manifest-version": 1,
        "manifest-sequence-number": draw(st.integers(0, 2**64 - 1)),
        "components": components,
        "severable": draw(st.booleans()),
    }
    if draw(st.booleans()):
        value["reference-uri"] = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=9))
        value["update-description"] = "text"
    if profile is Profile.CURRENT:
        value["compression-parameter"] = draw(st.integers(-(2**40), -256))
    return value, files, profile


@QUICK
@given(cases())
def test_what_is_described_is_what_a_device_ends_with(
    case: tuple[dict[str, object], dict[str, bytes], Profile],
) -> None:
    value, files, profile = case
    description = describe(value, files.__getitem__)
    compiled = compile_manifest(description, profile)
    data = create_envelope(description, profile).data
    assert create_envelope(description, profile).data == data
    decoded = decode_envelope(data)
    assert decoded.profile is profile
    assert decoded.whole_manifest() == compiled.manifest
    assert encode(encode_manifest(decoded.manifest, profile)) == decoded.manifest_bytes
    report = check_envelope(description, data)
    assert report.accepted, report.failures
    signed = sign_envelope(data, open_cose_signer(str(ED25519)))
    assert accept_envelope(signed, all_keys()).accepted
    assert accept_envelope(sever(signed), all_keys()).accepted
    assert diagnose(signed)
    assert explain(decode_envelope(sever(signed)))


SIGNED = [
    vector(f"{name}.suit")
    for name in (
        "current/37-text-two-languages.signed",
        "current/31-ab-staged-slot.signed",
        "current/60-integrated-payload.signed",
        "current/02-fetch-install.mac0-hmac256",
        "current/02-fetch-install.signed-esp256+ed25519",
        "draft-09/16-decompress-on-load-staged.signed",
        "draft-09/23-severable-flag.severed-signed",
    )
]
KEYS = all_keys()


def survives(data: bytes) -> None:
    """Give bytes to everything that reads envelopes: it refuses them by name, or copes."""
    assert not accept_envelope(data, KEYS).accepted
    error = None
    try:
        envelope = decode_envelope(data)
    except (CborError, SuitError) as caught:
        error = caught
    if error is not None:
        assert error.offset is not None
        return
    to_json(envelope)
    explain(envelope)
    diagnose(data)
    device = VirtualDevice(default=Part(bytes(16), bytes(16), 0, 0))
    device.payloads = {"http://fw.acme.example/app.bin": Image(b"x")}
    assert len(run_manifest(envelope, device, step_limit=500).steps) <= 501


@QUICK
@given(st.sampled_from(SIGNED), st.data())
def test_changed_bytes_never_verify(original: bytes, data: st.DataObject) -> None:
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place] ^= data.draw(st.integers(1, 255))
    if bytes(changed) != original:
        survives(bytes(changed))


def test_every_single_bit_matters(figure: Callable[[str], None]) -> None:
    """The exhaustive form of the above for one envelope, by the cheapest key."""
    original = vector("current/02-fetch-install.mac0-hmac256.suit")
    count = 0
    for place in range(len(original)):
        for bit in range(8):
            changed = bytearray(original)
            changed[place] ^= 1 << bit
            assert not accept_envelope(bytes(changed), KEYS).accepted, (place, bit)
            count += 1
    figure(f"{count} of {count} envelopes with one bit changed are refused")


@QUICK
@given(st.sampled_from(SIGNED), st.data())
def test_cut_inserted_and_moved_bytes_never_verify(original: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, len(original)))
    insert = data.draw(st.binary(max_size=20))
    changed = original[:start] + insert + original[end:]
    if changed != original:
        survives(changed)


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    survives(data)
