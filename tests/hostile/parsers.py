"""Every parser of foreign data, with good files to begin from and what must hold for its result."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fotabuild.cli.suit.component_option import component_entry
from fotabuild.config.loader import load_config
from fotabuild.config.yaml_reader import read_yaml
from fotabuild.delta import native_decoder
from fotabuild.delta.decoder import apply_patch_python
from fotabuild.device.manifest_acceptance import Device, accept_manifest
from fotabuild.device.manifest_v1_acceptance import accept_manifest_v1
from fotabuild.device.package_acceptance import accept_package
from fotabuild.device.profile import DeviceProfile
from fotabuild.device.suit_acceptance import accept_envelope
from fotabuild.device.suit_self_check import check_envelope
from fotabuild.digest import sha256
from fotabuild.errors import FotabuildError, SuitProfileError
from fotabuild.formats import manifest_v1
from fotabuild.formats.combined_package import decode_package, encode_package
from fotabuild.formats.elf_image import flatten
from fotabuild.formats.elf_symbols import read_map
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.identity import parse_uuid
from fotabuild.formats.manifest_v3 import decode_signed, encode_signed
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.description_reader import read_description
from fotabuild.formats.suit.diagnostic import diagnose
from fotabuild.formats.suit.envelope import create_envelope
from fotabuild.formats.suit.explanation import explain
from fotabuild.formats.suit.json_view import to_json
from fotabuild.formats.suit.names import Profile
from fotabuild.formats.suit.splicing import sever
from fotabuild.formats.update_resources import decode_arrays
from fotabuild.inspection import inspect_bytes, to_text
from fotabuild.plan.url import expand_url
from fotabuild.signing.certificate import public_key_of, read_certificate
from fotabuild.signing.cose_verify import load_verification_key
from fotabuild.signing.der_signature import der_to_raw, raw_to_der
from fotabuild.signing.pem import PemSigner
from fotabuild.signing.verify import load_public_key
from fotabuild.steps.description import describe_step, step_from_description
from fotabuild.steps.image import ImageStep

from ..conftest import VECTORS
from ..explain.scene import NEW_ELF
from ..formats.elf_linked_files import LAYOUTS, Part, Sym, make_linked
from .case import BASE

_OLD = (BASE / "old.bin").read_bytes()
_PUBLIC_KEY = (BASE / "keys" / "public.bin").read_bytes()
_PAYLOADS = {
    f"payloads/{path.name}": path.read_bytes() for path in (VECTORS / "suit/payloads").iterdir()
}
_SUIT_KEY = load_verification_key((BASE / "keys" / "cert.der").read_bytes())


@dataclass(frozen=True)
class Parser:
    """A way into the program.

    Attributes:
        name: what it reads.
        seeds: good files.
        read: reads bytes and checks what it gets; the path is a place for them.
        tokens: pieces that mean something in the format.
        repair: makes check sums right again, so that damage gets past them.
    """

    name: str
    seeds: tuple[bytes, ...] = field(repr=False)
    read: Callable[[bytes, Path], None] = field(repr=False)
    tokens: tuple[bytes, ...] = field(default=(), repr=False)
    repair: Callable[[bytes], bytes] = field(default=bytes, repr=False)


def _manifest(data: bytes, _: Path) -> None:
    signed = decode_signed(data)
    key = signed.encryption_key
    again = encode_signed(signed.manifest, signed.signature)
    # DER of this schema has one form only.
    assert again + (b"" if key is None else b"\x81\x10" + key) == data


def _manifest_v1(data: bytes, _: Path) -> None:
    signed = manifest_v1.decode_signed(data)
    again = manifest_v1.encode_signed(signed.manifest, signed.signature, signed.fingerprint)
    # The digest of the signed bytes may be wrong in the data, and is not in what we write.
    assert again == data.replace(signed.digest, sha256(signed.signed_bytes), 1)
    assert accept_manifest_v1(data, Device(public_key=_PUBLIC_KEY), data).results


def _signature(data: bytes, _: Path) -> None:
    assert raw_to_der(der_to_raw(data)) == data


def _acceptance(data: bytes, _: Path) -> None:
    report = accept_manifest(data, Device(public_key=_PUBLIC_KEY, installed_image=_OLD), data)
    assert report.results
    assert accept_package(data, DeviceProfile()).results


def _patch_header(data: bytes, _: Path) -> None:
    assert PatchHeader.decode(data).encode() == data[:HEADER_SIZE]


def _patch(data: bytes, _: Path) -> None:
    """Both decoders agree, however the patch is cut into chunks."""
    results = [_outcome(apply_patch_python, data, size) for size in (7, 1 << 20)]
    if native_decoder.available():
        results.append(_outcome(native_decoder.apply_patch, data, 7))
    assert results == results[:1] * len(results)


def _outcome(apply: Callable[[bytes, bytes, int], bytes], patch: bytes, chunk: int) -> bytes | None:
    try:
        return apply(_OLD, patch, chunk)
    except FotabuildError:
        return None


def _package(data: bytes, _: Path) -> None:
    images = decode_package(data)
    assert decode_package(encode_package(images)) == images


def _repair_tar(data: bytes) -> bytes:
    repaired = bytearray(data)
    for start in range(0, len(data) - 511, 512):
        header = repaired[start : start + 512]
        if header[257:262] == b"ustar":
            header[148:156] = b" " * 8
            repaired[start + 148 : start + 156] = b"%06o\0 " % sum(header)
    return bytes(repaired)


def _sidecar(data: bytes, _: Path) -> None:
    sidecar = PatchSidecar.from_values(read_yaml(data).values)
    assert PatchSidecar.from_values(read_yaml(sidecar.encode()).values) == sidecar


def _config(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    loaded = load_config(path, environ={})
    assert str(loaded.identity.vendor_id)
    assert str(loaded.project)


def _elf_symbols(data: bytes, _: Path) -> None:
    found = read_map(data)
    size = len(found.content)
    for item in (*found.sections, *found.symbols):
        assert 0 <= item.offset <= size - item.size
    assert all(symbol.name for symbol in found.symbols)


def _elf(data: bytes, _: Path) -> None:
    image = flatten(data)
    assert image.content
    assert image.address >= 0


def _resources(data: bytes, _: Path) -> None:
    assert all(symbol.isidentifier() for symbol in decode_arrays(data))


def _version(data: bytes, _: Path) -> None:
    text = data.decode("utf-8", "surrogateescape")
    version = FirmwareVersion.parse(text)
    assert str(version) == text
    assert FirmwareVersion.from_device_number(version.to_device_number()) == version


def _uuid(data: bytes, _: Path) -> None:
    text = data.decode("utf-8", "surrogateescape")
    assert parse_uuid(text).hex in text.lower().replace("-", "")


def _url(data: bytes, _: Path) -> None:
    text = data.decode("utf-8", "surrogateescape")
    # No system has longer file names than these.
    assert isinstance(expand_url(text, {"file": text[:255], "version": "1.0.0"}), str)


def _certificate(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    assert len(public_key_of(read_certificate(path))) == len(_PUBLIC_KEY)


def _key(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    signer = PemSigner.open(path)
    assert load_public_key(signer.public_key()) is not None


def _public_key(data: bytes, _: Path) -> None:
    assert load_public_key(data).curve.name == "secp256r1"


def _inspection(data: bytes, _: Path) -> None:
    found = inspect_bytes(data)
    json.dumps(found.fields)
    assert all(line.isprintable() for line in to_text(found.fields).split("\n"))


def _suit(data: bytes, _: Path) -> None:
    envelope = decode_envelope(data)
    json.dumps(to_json(envelope))
    shown = explain(envelope) + diagnose(data)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert accept_envelope(data, [_SUIT_KEY]).results
    assert decode_envelope(sever(data)).manifest == envelope.manifest


def _suit_description(data: bytes, _: Path) -> None:
    description = read_description(data, lambda name: _PAYLOADS.get(name, _OLD))
    try:
        created = create_envelope(description, Profile.CURRENT)
    except SuitProfileError:
        created = create_envelope(description, Profile.DRAFT_09)
    assert check_envelope(description, created.data).results


def _suit_component(data: bytes, _: Path) -> None:
    assert "file" in component_entry(data.decode("utf-8", "surrogateescape")).keys()  # noqa: SIM118


def _verification_key(data: bytes, _: Path) -> None:
    assert load_verification_key(data).kind


def _description(data: bytes, _: Path) -> None:
    step = step_from_description(data)
    assert step.signature()


def _files(*patterns: str) -> tuple[bytes, ...]:
    found = [path for pattern in patterns for path in sorted(VECTORS.glob(pattern))]
    assert found
    return tuple(path.read_bytes() for path in found)


def _base(*names: str) -> tuple[bytes, ...]:
    return tuple((BASE / name).read_bytes() for name in names)


_MANIFESTS_V1 = _files("v1/*.manifest.bin")
_MANIFESTS = _files("v3/*.manifest.bin", "v3/encrypted-raw.delivered.bin")
_YAML_TOKENS = (
    b"!!int ''", b"!!bool x", b"!!binary ", b"!!python/name:os", b"&a ", b"*a", b"<<: ", b"\t",
    b": ", b"- ", b"? ", b"{", b"[", b"\"\\0\"", b"1:1:1", b"0x" + b"f" * 70, b".nan", b"~",
    b"2024-01-01", b"---\n", b"%YAML 1.1\n", b"\xef\xbb\xbf", b"\x1b",
)  # fmt: skip
_PEMS = (BASE / "keys" / "key.pem", VECTORS / "keys" / "TEST-ONLY-update.key.pkcs8.pem")
_STEP = json.dumps(describe_step(ImageStep(source=Path("a.elf"), output=Path("a.bin")))).encode()

_SUIT_TOKENS = (b"\xd8\x6b", b"\xd2", b"\xf6", b"\x40", b"\x80", b"\xa0", b"\x0c\xf5", b"\x0f\x82")

PARSERS = (
    Parser("suit", _files("suit/current/*.signed.suit"), _suit, _SUIT_TOKENS),
    Parser(
        "suit-description",
        (*_files("suit/current/inputs/*.json"), *_base("app.json")),
        _suit_description,
        (b'"slot": 1,', b'["00"]', b'{"text": "a"}', b"true", b"-1", b'"loadable": true,'),
    ),
    Parser("suit-component", (b"file=a,inst=['00'],uri=b",), _suit_component, (b",inst=", b"[")),
    Parser(
        "verification-key",
        (*_files("suit/keys/*.pub.pem", "suit/keys/*.pub"),),
        _verification_key,
    ),
    Parser("manifest", _MANIFESTS, _manifest, (b"\x30\x80", b"\x04\x00", b"\x02\x01\x01")),
    Parser("manifest-v1", _MANIFESTS_V1, _manifest_v1, (b"\x30\x00", b"\x01\x01\xff", b"\x0c\x00")),
    Parser(
        "signature",
        tuple(manifest_v1.decode_signed(data).signature for data in _MANIFESTS_V1),
        _signature,
        (b"\x02\x21\x00", b"\x30\x44"),
    ),
    Parser("acceptance", (*_MANIFESTS, *_base("app.tar")), _acceptance),
    Parser("patch-header", _base("app.patch"), _patch_header),
    Parser("patch", _base("app.patch"), _patch, (b"\x80" * 7, b"\x1f\x01\x00", b"\xf0\xff")),
    Parser(
        "package",
        (*_files("package/*.tar"), *_base("app.tar")),
        _package,
        (b"././@PaxHeader", b"../", b"x", b"g", b"L", b"S", b"13 path=../a\n"),
        _repair_tar,
    ),
    Parser("side-file", _base("app.yaml"), _sidecar, _YAML_TOKENS),
    Parser("configuration", _base("fotabuild.yaml"), _config, _YAML_TOKENS),
    Parser("elf", _base("app.elf"), _elf),
    Parser(
        "elf symbols",
        (
            NEW_ELF,
            *(make_linked([Part("a", 0, bytes(9))], [Sym("b", 1, 4)], *how) for how in LAYOUTS),
        ),
        _elf_symbols,
    ),
    Parser("resources", _files("dev-tool/*.c"), _resources, (b"0x", b"{", b"};", b"const ")),
    Parser("version", (b"1.2.3", b"0.0.1", b"999.999.999"), _version, (b"\n", b".", b"0")),
    Parser("uuid", (b"fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", b"{" + b"0" * 32 + b"}"), _uuid),
    Parser("url", (b"https://example.com/{file}", b"coap://{{x}}/{from}"), _url, (b"{", b"}")),
    Parser("certificate", _base("keys/cert.der"), _certificate, (b"-----BEGIN CERTIFICATE-----",)),
    Parser("key", tuple(path.read_bytes() for path in _PEMS), _key, (b"\n", b"-----BEGIN ")),
    Parser("public-key", (_PUBLIC_KEY,), _public_key),
    Parser("step-description", (_STEP,), _description, (b'"', b"[", b"{", b"null", b"\\u0000")),
    Parser(
        "inspection",
        _base("app.patch", "app.elf", "app.manifest", "app.tar", "keys/cert.der", "app.yaml")
        + _base("fotabuild.yaml", "keys/key.pem", "keys/public.bin", "new.bin")
        + _files("dev-tool/*.c", "suit/draft-09/0*.signed.suit")
        + _base("app.suit"),
        _inspection,
        (b"arm_uc_vendor_id", b"precursor-digest", b"!!binary YQ==", b"ustar"),
    ),
)  # fmt: skip
