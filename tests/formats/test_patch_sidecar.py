"""Side files of patches: the golden ones, ours, and both read by PyYAML as manifest tools do."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given

from fotabuild.config.yaml_reader import read_yaml
from fotabuild.errors import SidecarError
from fotabuild.formats.patch_sidecar import PatchSidecar

from .golden import SIDECARS, delta_images
from .strategies import QUICK, digests, sizes

KEYS = ("installed-digest", "installed-size", "precursor-digest")
sidecar_files = pytest.mark.parametrize("path", SIDECARS, ids=lambda path: path.stem)


def ours(path: Path) -> PatchSidecar:
    """What our delta step writes beside the golden patch."""
    patch = path.with_suffix(".bin")
    old, new, _ = delta_images(patch)
    data = patch.read_bytes()
    return PatchSidecar(
        hashlib.sha256(new).digest(),
        len(new),
        hashlib.sha256(old).digest(),
        hashlib.sha256(data).digest(),
        len(data),
    )


def read(data: bytes) -> PatchSidecar:
    return PatchSidecar.from_values(read_yaml(data).values)


def test_golden_files_are_there() -> None:
    assert len(SIDECARS) == 11


@sidecar_files
def test_golden_file_reads(path: Path) -> None:
    expected = ours(path)
    found = read(path.read_bytes())
    assert found.installed_digest == expected.installed_digest
    assert found.installed_size == expected.installed_size
    assert found.precursor_digest == expected.precursor_digest
    assert (found.patch_digest, found.patch_size) == (None, None)


@sidecar_files
def test_ours_equals_the_golden_file_on_its_keys(path: Path) -> None:
    golden = yaml.safe_load(path.read_bytes())
    mine = yaml.safe_load(ours(path).encode())
    assert set(golden) == set(KEYS)
    assert {key: mine[key] for key in KEYS} == golden
    assert set(mine) == {*KEYS, "patch-digest", "patch-size"}


@sidecar_files
def test_without_the_patch_ours_is_the_golden_file_byte_for_byte(path: Path) -> None:
    sidecar = ours(path)
    three = PatchSidecar(sidecar.installed_digest, sidecar.installed_size, sidecar.precursor_digest)
    assert three.encode() == path.read_bytes()


@QUICK
@given(digests, sizes, digests, digests, sizes)
def test_what_is_written_reads_back(
    installed: bytes, size: int, precursor: bytes, patch: bytes, patch_size: int
) -> None:
    sidecar = PatchSidecar(installed, size, precursor, patch, patch_size)
    assert read(sidecar.encode()) == sidecar
    without = PatchSidecar(installed, size, precursor)
    assert read(without.encode()) == without
    assert PatchSidecar.decode(sidecar.encode()) == sidecar
    assert PatchSidecar.decode(without.encode()) == without


def test_digest_as_plain_base64_text_is_accepted() -> None:
    digest = bytes(range(32))
    text = base64.b64encode(digest).decode()
    data = f"installed-digest: {text}\ninstalled-size: 1\nprecursor-digest: {text}\n".encode()
    assert read(data) == PatchSidecar(digest, 1, digest)


GOOD = {"installed-digest": "A" * 43 + "=", "installed-size": 1, "precursor-digest": "A" * 43 + "="}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"installed-digest": None}, "installed-digest"),
        ({"installed-digest": "AAAA"}, "installed-digest"),
        ({"installed-digest": "A" * 44}, "installed-digest"),
        ({"precursor-digest": "!" * 44}, "precursor-digest"),
        ({"precursor-digest": 5}, "precursor-digest"),
        ({"precursor-digest": "\u00e4"}, "precursor-digest"),
        ({"installed-size": "1"}, "installed-size"),
        ({"installed-size": -1}, "installed-size"),
        ({"installed-size": True}, "installed-size"),
        ({"installed-size": 1.0}, "installed-size"),
        ({"patch-size": 4}, "patch-digest"),
        ({"patch-digest": "A" * 43 + "="}, "patch-digest"),
        ({"instaled-size": 4}, "instaled-size"),
    ],
)
def test_unusable_values_are_named(changes: dict[str, object], field: str) -> None:
    assert PatchSidecar.from_values(GOOD).installed_size == 1
    with pytest.raises(SidecarError) as caught:
        PatchSidecar.from_values({**GOOD, **changes})
    assert caught.value.field == field


@pytest.mark.parametrize("key", KEYS)
def test_missing_key_is_named(key: str) -> None:
    with pytest.raises(SidecarError, match="lacks this key") as caught:
        PatchSidecar.from_values({name: value for name, value in GOOD.items() if name != key})
    assert caught.value.field == key


FULL = PatchSidecar(
    bytes(32),
    5,
    bytes(32),
    bytes(32),
    9,
    engine="fotabuild 0.1.0, bsdiff4 1.3.2, liblz4 1.10.0",
    effort="best",
)


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("symbols", [True, False])
def test_engine_and_effort_come_back(complete: bool, symbols: bool) -> None:
    sidecar = FULL._replace(complete=complete, symbols=symbols)
    assert read(sidecar.encode()) == sidecar
    assert PatchSidecar.decode(sidecar.encode()) == sidecar
    values = yaml.safe_load(sidecar.encode())
    assert (values["patch-engine"], values["patch-effort"]) == (FULL.engine, "best")
    assert values.get("patch-complete", True) is complete
    assert values.get("patch-symbols", False) is symbols


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("patch-engine: 4", "patch-engine"),
        ("patch-engine: ''", "patch-engine"),
        (f"patch-engine: {'x' * 201}", "patch-engine"),
        ("patch-effort: [fast]", "patch-effort"),
        ("patch-complete: 1", "patch-complete"),
        ("patch-complete: 'no'", "patch-complete"),
        ("patch-symbols: 1", "patch-symbols"),
        ("patch-symbols: 'yes'", "patch-symbols"),
        ("patch-efort: fast", "patch-efort"),
    ],
)
def test_wrong_engine_or_effort(line: str, field: str) -> None:
    plain = PatchSidecar(bytes(32), 5, bytes(32), bytes(32), 9).encode()
    assert PatchSidecar.decode(plain + line.encode() + b"\n") is None
    with pytest.raises(SidecarError) as caught:
        read(plain + line.encode() + b"\n")
    assert caught.value.field == field


def test_texts_in_another_form_are_left_to_yaml() -> None:
    data = FULL.encode()
    others = (
        b"",
        b"a",
        b"\xff",
        data[:-1],
        data + b"\n",
        data.replace(b"\n", b"\r\n"),
        data.replace(b": 5", b": 05"),
        data.replace(b": 5", b": " + b"9" * 5000),
        data.replace(b'"best"', b'"b\\u0065st"'),
        data.replace(b"!!binary |\n  ", b"!!binary |\n   ", 1),
    )
    assert PatchSidecar.decode(data) == FULL
    assert [PatchSidecar.decode(other) for other in others] == [None] * len(others)
