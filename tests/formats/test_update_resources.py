"""``update_default_resources.c``: what it defines, compared with the golden one by a compiler."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from fotabuild.errors import FormatError
from fotabuild.formats.identity import Identity, parse_uuid
from fotabuild.formats.update_resources import UpdateResources, decode_arrays

from .c_dump import ARRAYS, SIZES, defined_symbols, dump
from .golden import CERTIFICATE, PUBLIC_KEY, RESOURCES

IDENTITY = Identity(
    parse_uuid("fa6b4a53d5ad5fdfbe9de663e4d41ffe"), parse_uuid("327c726ac6e54f7a82fbf1d3beda80f0")
)
OURS = UpdateResources(IDENTITY, CERTIFICATE.read_bytes(), PUBLIC_KEY.read_bytes())
FINGERPRINT = "arm_uc_default_fingerprint"


@pytest.fixture
def our_file(tmp_path: Path) -> Path:
    path = tmp_path / "our_resources.c"
    path.write_bytes(OURS.encode())
    return path


@pytest.mark.cc
def test_same_symbols_types_and_values_as_the_golden_file(our_file: Path, tmp_path: Path) -> None:
    ours, golden = dump(our_file, tmp_path / "ours"), dump(RESOURCES, tmp_path / "golden")
    assert set(ours) == set(golden) == {*ARRAYS, *SIZES}
    # The one value that differs on purpose has a test of its own.
    differing = {name for name in ours if ours[name] != golden[name]}
    assert differing == {FINGERPRINT, f"{FINGERPRINT}_size"}


@pytest.mark.cc
def test_fingerprint_is_that_of_the_certificate_in_place_of_the_placeholder(
    our_file: Path, tmp_path: Path
) -> None:
    """The golden file has one zero byte, with which the old client's raw store does not work.

    Section 3 of the specification lets a writer emit the true digest.
    """
    ours, golden = dump(our_file, tmp_path / "ours"), dump(RESOURCES, tmp_path / "golden")
    assert (golden[FINGERPRINT], golden[f"{FINGERPRINT}_size"]) == ("00", "1")
    assert ours[FINGERPRINT] == hashlib.sha256(CERTIFICATE.read_bytes()).hexdigest()
    assert ours[f"{FINGERPRINT}_size"] == "32"


def test_same_symbols_are_defined_and_no_others(our_file: Path) -> None:
    assert defined_symbols(our_file) == defined_symbols(RESOURCES) == {*ARRAYS, *SIZES}


def test_arrays_of_the_golden_file_read() -> None:
    arrays = decode_arrays(RESOURCES.read_bytes())
    ours = decode_arrays(OURS.encode())
    assert set(arrays) == set(ours) == set(ARRAYS)
    assert arrays.pop(FINGERPRINT) == b"\0"
    del ours[FINGERPRINT]
    assert arrays == ours


def test_text_holds_no_date_and_no_path(our_file: Path) -> None:
    text = our_file.read_text(encoding="ascii")
    assert OURS.encode() == OURS.encode()
    assert re.search(r"\b(19|20)\d\d\b|\d\d:\d\d", text) is None
    assert str(our_file.parent) not in text
    assert re.findall(r"#include .*", text) == ["#include <stdint.h>"]
    assert not re.search(r"^#if", text, re.MULTILINE)


@pytest.mark.parametrize("key", [b"", b"\x04" + bytes(63), b"\x02" + bytes(64), bytes(65)])
def test_key_that_is_no_uncompressed_point_is_refused(key: bytes) -> None:
    with pytest.raises(FormatError, match="uncompressed point"):
        UpdateResources(IDENTITY, b"certificate", key).encode()


@pytest.mark.parametrize(
    "text",
    [
        "const uint8_t a[] = {0x01};\nconst uint8_t a[] = {0x01};",
        "const uint8_t a[] = {256};",
        "const uint8_t a[] = {-1};",
        "const uint8_t a[] = {01};",
        "const uint8_t a[] = {0x01, 0x100};",
        "const uint8_t a[] = {0x01 0x02};",
        'const uint8_t a[] = {"x"};',
    ],
)
def test_arrays_that_are_not_bytes_are_refused(text: str) -> None:
    with pytest.raises(FormatError, match="not an array of bytes") as caught:
        decode_arrays(text.encode())
    assert caught.value.field == "a"
