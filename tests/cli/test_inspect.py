"""``fotabuild inspect``: recognise any file, and keep secrets."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from ..conftest import VECTORS
from ..formats.golden import CERTIFICATE, DELTAS, KEY, MANIFESTS, PACKAGES, PKCS8_KEY, RESOURCES
from .conftest import Cli

GOLDEN = [
    *((path, "manifest v3") for path in MANIFESTS),
    *((path, "delta patch") for path in DELTAS),
    *((path.with_suffix(".yaml"), "patch side file") for path in DELTAS),
    *((path, "combined package") for path in PACKAGES),
    *((path, "firmware image") for path in sorted((VECTORS / "firmware").glob("*.bin"))),
    *((path, "project configuration") for path in sorted((VECTORS / "v3").glob("*.yaml"))),
    (VECTORS / "v3" / "raw.json", "project configuration"),
    (VECTORS / "v3" / "encrypted-raw.delivered.bin", "manifest v3"),
    (CERTIFICATE, "update certificate"),
    (KEY, "private key"),
    (PKCS8_KEY, "private key"),
    (VECTORS / "keys" / "TEST-ONLY-update.pub.bin", "public key"),
    (RESOURCES, "update resources"),
]


@pytest.mark.parametrize(("path", "kind"), GOLDEN, ids=lambda value: getattr(value, "name", ""))
def test_golden_files_are_recognised(path: Path, kind: str, look: Cli) -> None:
    found = look.json("inspect", path)
    assert (found["kind"], found["file"]) == (kind, str(path))
    assert look.good("inspect", path).stdout.startswith(f"{path}: {kind}\n")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.manifest", "manifest v3"),
        ("a.patch", "delta patch"),
        ("a.yaml", "patch side file"),
        ("a.tar", "combined package"),
        ("a.c", "update resources"),
        ("app.elf", "linked firmware (ELF)"),
        ("app.bin", "firmware image"),
        ("fotabuild.yaml", "project configuration"),
        ("keys/update.key.pem", "private key"),
        ("keys/update.cert.der", "update certificate"),
    ],
)
def test_our_files_are_recognised(name: str, kind: str, look: Cli) -> None:
    assert look.json("inspect", name)["kind"] == kind


def test_firmware_that_reads_keys_is_no_key(cli: Cli) -> None:
    """The TLS libraries of devices have these words in them."""
    words = b"-----BEGIN EC PRIVATE KEY-----\0-----END EC PRIVATE KEY-----\0"
    (cli.folder / "tls.bin").write_bytes(bytes(1000) + words + bytes(1000))
    assert cli.json("inspect", "tls.bin")["kind"] == "firmware image"
    cli.good("release", "add", "tls.bin", "-v", "3.0.0", "--store", "store")


def test_certificate_in_pem_form_is_one_too(cli: Cli) -> None:
    certificate = x509.load_der_x509_certificate(CERTIFICATE.read_bytes())
    (cli.folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    der, pem = (cli.json("inspect", path) for path in (CERTIFICATE, "cert.pem"))
    assert (pem["kind"], pem["fields"]) == (der["kind"], der["fields"])


def test_fields_are_those_of_the_file(look: Cli) -> None:
    patch = look.json("inspect", "a.patch")["fields"]
    assert (patch["block-size"], patch["device-memory"]) == (512, 1024)
    assert patch["new-size"] == (look.folder / "app.bin").stat().st_size
    image, elf = (look.json("inspect", name)["fields"] for name in ("app.bin", "app.elf"))
    assert elf == {**image, "address": "0x8000"}
    assert image["patch-decoder"] == ["PELION/BSDIFF001"]
    resources = look.json("inspect", RESOURCES)["fields"]
    assert resources["arm_uc_default_fingerprint"] == "00"


def secrets_of(pem: bytes) -> list[str]:
    """Everything that would give a private key away, in all usual spellings."""
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    number = key.private_numbers().private_value.to_bytes(32, "big")
    lines = [line for line in pem.decode().splitlines() if not line.startswith("-")]
    return [
        *lines,
        number.hex(),
        base64.b64encode(number).decode(),
        str(int.from_bytes(number, "big")),
    ]


@pytest.mark.parametrize("flags", [(), ("--json",), ("--debug",)], ids=["text", "json", "debug"])
@pytest.mark.parametrize("form", ["SEC1", "PKCS8", "with text before", "cut", "CRLF"])
def test_nothing_of_a_private_key_is_printed(flags: tuple[str, ...], form: str, cli: Cli) -> None:
    pem = {
        "SEC1": KEY.read_bytes(),
        "PKCS8": PKCS8_KEY.read_bytes(),
        "with text before": b"my key\n" * 50 + KEY.read_bytes(),
        "cut": KEY.read_bytes()[:150],
        "CRLF": KEY.read_bytes().replace(b"\n", b"\r\n"),
    }[form]
    (cli.folder / "k").write_bytes(pem)
    done = cli.good(*flags, "inspect", "k")
    assert "private key" in done.stdout
    output = (done.stdout + done.stderr).lower()
    assert not [secret for secret in secrets_of(KEY.read_bytes()) if secret.lower() in output]


def test_encrypted_private_key_is_one_too(cli: Cli) -> None:
    key = load_pem_private_key(KEY.read_bytes(), password=None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    (cli.folder / "k").write_bytes(pem)
    assert cli.json("inspect", "k") == {
        "schema_version": 1, "file": "k", "kind": "private key", "fields": {},
    }  # fmt: skip


@pytest.mark.parametrize("name", ["a.manifest", "a.patch", "a.tar", "app.elf", "a.yaml"])
def test_damaged_artifacts_are_recognised_and_refused(name: str, cli: Cli) -> None:
    data = (cli.folder / name).read_bytes()
    kept = 39 if name == "a.patch" else len(data) - 1 if name != "a.yaml" else data.index(b"\ninst")
    (cli.folder / "damaged").write_bytes(data[:kept] if name != "a.yaml" else data + b"more: 1\n")
    done = cli("inspect", "damaged")
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith("error: damaged: ")


@pytest.mark.parametrize("data", [b"", b"\0" * 1000, b"hello", b"\x30", b"\x30\x80\x0a", b"\x7fEL"])
def test_anything_else_is_an_image(data: bytes, cli: Cli) -> None:
    (cli.folder / "f").write_bytes(data)
    found = cli.json("inspect", "f")
    assert (found["kind"], found["fields"]["size"]) == ("firmware image", len(data))


def test_several_files_are_told_in_turn(look: Cli) -> None:
    names = ("a.manifest", "app.bin", "a.patch")
    alone = [look.good("inspect", name).stdout for name in names]
    assert look.good("inspect", *names).stdout == "".join(alone)
    values = look.json("inspect", *names)
    assert set(values) == {"schema_version", "files"}
    assert values["files"] == [
        {key: value for key, value in look.json("inspect", name).items() if key != "schema_version"}
        for name in names
    ]


def test_one_that_is_damaged_does_not_hide_the_others(cli: Cli) -> None:
    (cli.folder / "bad").write_bytes((cli.folder / "a.manifest").read_bytes()[:-1])
    done = cli("inspect", "none", "bad", "a.patch")
    assert done.status == 1
    assert done.stdout.startswith("a.patch: delta patch\n")
    first, second = done.stderr.splitlines()
    assert first.startswith("error: none: cannot read the file")
    assert second.startswith("error: bad: ")
    done = cli("--json", "inspect", "none", "a.patch")
    assert done.status == 1
    missing, patch = json.loads(done.stdout)["files"]
    assert (missing["file"], missing["error"]["code"]) == ("none", "FB0300")
    assert patch["kind"] == "delta patch"


def test_missing_file(look: Cli) -> None:
    done = look("inspect", "none")
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith("error: none: cannot read the file")


@pytest.mark.parametrize("profile", ["current", "draft-09"])
def test_suit_manifests_of_both_profiles(profile: str, cli: Cli) -> None:
    cli.good("suit", "create", "-i", "suit.json", "--profile", profile, "-o", "m.suit")
    found = cli.json("inspect", "m.suit")
    assert found["kind"] == "SUIT manifest"
    assert found["fields"]["profile"] == profile
    assert found["fields"]["severed"] == ["text"]
    assert found["fields"]["signatures"] == "none"
    text = cli.good("inspect", "a.suit").stdout
    assert "a.suit: SUIT manifest\n" in text
    assert "  signatures: ESP256\n" in text
    assert "  components: 00\n" in text


def test_damaged_suit_manifest_is_recognised_and_refused(cli: Cli) -> None:
    data = (cli.folder / "a.suit").read_bytes()
    (cli.folder / "bad").write_bytes(data[:-1])
    done = cli("inspect", "bad")
    assert (done.status, done.stdout) == (1, "")
    assert "error: bad: offset" in done.stderr
    # An image that begins like a map is an image.
    (cli.folder / "image").write_bytes(b"\xa2\x02\x41" + data[3:])
    assert cli.json("inspect", "image")["kind"] == "firmware image"
