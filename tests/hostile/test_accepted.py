"""What is accepted on purpose, and other tools refuse or get wrong."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fotabuild.cli.main import main
from fotabuild.formats.combined_package import decode_package

from ..conftest import VECTORS
from .case import BASE
from .rows import ROWS

_CONFIG = (BASE / "fotabuild.yaml").read_text("utf-8")
_DASHED = "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe"
_CREATE = "manifest create -p new.bin --format raw-binary -v 1.1.0 -o out.manifest"
_DER = (BASE / "keys" / "cert.der").read_bytes()
_PEM = x509.load_der_x509_certificate(_DER).public_bytes(Encoding.PEM)


@dataclass(frozen=True)
class Accepted:
    """An input, the weakness of older tools that it shows, and a part of the output."""

    name: str
    row: str
    command: str
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    output: str = ""
    message: str = ""


def _config(old: str = "", new: str = "") -> dict[str, bytes]:
    assert old in _CONFIG
    return {"good.yaml": _CONFIG.replace(old, new).encode()}


_TABLE = (
    Accepted("dashed-uuid", "C3", "config", output=_DASHED),
    *(
        Accepted(name, "C3", "config --config good.yaml", _config(_DASHED, text), output=_DASHED)
        for name, text in (
            ("plain-uuid", _DASHED.replace("-", "")),
            ("uuid-in-braces", f"'{{{_DASHED}}}'"),
            ("upper-case-uuid", _DASHED.upper()),
        )
    ),
    Accepted("pem-certificate", "A11", f"{_CREATE} --update-certificate a.pem", {"a.pem": _PEM}),
    Accepted("key-as-file-uri", "A5", f"{_CREATE} --key file:keys/key.pem"),
    Accepted(
        "encrypted-and-signed-image",
        "A9",
        "manifest verify a.manifest --config good.yaml",
        {
            **_config("[delta, combined]", "[encrypted, signed-image]"),
            "a.manifest": (VECTORS / "v3" / "encrypted-raw-signed.manifest.bin").read_bytes(),
        },
        output="passed   installed-signature",
    ),
    Accepted(
        "parse-says-what-it-does-not-do",
        "A10",
        "manifest parse app.manifest",
        message="the signature was not verified",
    ),
    Accepted("threshold-of-100", "D4", "delta -c old.bin -n new.bin -o out.patch -t 100"),
    Accepted(
        "new-image-without-marker",
        "D2",
        "delta -c old.bin -n radio.bin -o out.patch --skip-size-check",
        message="carries no patch decoder",
    ),
    Accepted(
        "path-relative-to-the-configuration",
        "C12",
        "resources --config sub/fotabuild.yaml -o out.c",
        {
            "sub/fotabuild.yaml": _CONFIG.encode(),
            "sub/keys/cert.der": _DER,
        },
    ),
    Accepted(
        "vendor-data-outside-latin-1",
        "E4",
        "package create --image new.bin -o out.tar --config good.yaml",
        _config("vendor-data: v2", "vendor-data: ☃"),
    ),
    Accepted(
        "image-through-a-link",
        "E3",
        "package create --image linked.bin -o out.tar",
        links={"linked.bin": "new.bin"},
    ),
    Accepted(
        "byte-order-mark",
        "C2",
        "config --config good.yaml",
        {"good.yaml": b"\xef\xbb\xbf" + _CONFIG.encode()},
    ),
    Accepted(
        "windows-line-ends",
        "C2",
        "config --config good.yaml",
        {"good.yaml": _CONFIG.replace("\n", "\r\n").encode()},
    ),
    Accepted(
        "json",
        "C2",
        "config --config good.json",
        {"good.json": b'{"vendor": {"domain": "acme.com"},\n"device": {"model-name": "board"}}'},
    ),
    Accepted(
        "certificate-with-negative-serial-number",
        "A8",
        "resources -o out.c --update-certificate a.der",
        {"a.der": _DER.replace(b"\x02\x14" + _DER[15:16], b"\x02\x14\x80", 1)},
    ),
    Accepted("quiet", "G", "-q manifest verify app.manifest"),
)


@pytest.mark.parametrize("accepted", _TABLE, ids=lambda accepted: accepted.name)
def test_accepted(accepted: Accepted, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert accepted.row in ROWS
    for name, content in accepted.files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, target in accepted.links.items():
        (base / name).symlink_to(target)
    status = main(accepted.command.split())
    stdout, stderr = capsys.readouterr()
    assert status == 0, stderr
    assert accepted.output in stdout
    assert accepted.message in stderr
    assert "Warning" not in stderr


def test_a_linked_image_is_packed_as_its_content(base: Path) -> None:
    (base / "linked.bin").symlink_to("new.bin")
    assert main(["package", "create", "--image", "linked.bin", "-o", "out.tar"]) == 0
    images = decode_package((base / "out.tar").read_bytes())
    assert images[0].content == (base / "new.bin").read_bytes()


def test_init_keeps_a_key_that_is_there(base: Path) -> None:
    assert main(["init", "app"]) == 0
    key = base / "app" / "keys" / "update.key.pem"
    before = key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert main(["init", "app", "--credentials-only"]) == 0
    assert key.read_bytes() == before
