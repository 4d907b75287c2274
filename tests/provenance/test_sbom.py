"""Bills of materials are valid CycloneDX 1.6 and depend on the parts alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from fotabuild.digest import sha256
from fotabuild.errors import FileError, PartsListError
from fotabuild.provenance.parts import read_parts
from fotabuild.provenance.sbom import make_sbom

PARTS = """\
parts:
- name: mbed-os
  version: 6.17.0
  type: operating-system
  purl: pkg:github/ARMmbed/mbed-os@mbed-os-6.17.0
  license: Apache-2.0
  supplier: Arm
- name: tables
  file: table.bin
  license: MIT OR Apache-2.0
- name: a
- name: a
  version: "2"
"""


def _write(folder: Path, text: str = PARTS) -> Path:
    (folder / "table.bin").write_bytes(b"table")
    (folder / "parts.yaml").write_text(text, encoding="utf-8")
    return folder / "parts.yaml"


def _sbom(path: Path) -> bytes:
    return make_sbom("Toaster", "1.1.0", b"\1" * 32, read_parts(path))


def test_it_is_valid(tmp_path: Path) -> None:
    data = _sbom(_write(tmp_path))
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(data.decode())
    assert problem is None
    values = json.loads(data)
    assert values["specVersion"] == "1.6"
    assert values["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": "01" * 32}]
    by_name = {(c["name"], c.get("version")): c for c in values["components"]}
    assert set(by_name) == {("mbed-os", "6.17.0"), ("tables", None), ("a", None), ("a", "2")}
    table = by_name["tables", None]
    assert table["hashes"] == [{"alg": "SHA-256", "content": sha256(b"table").hex()}]
    assert table["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    depends = {d["ref"]: d.get("dependsOn", []) for d in values["dependencies"]}
    assert len(depends["firmware"]) == 4


def test_the_validator_would_notice(tmp_path: Path) -> None:
    values = json.loads(_sbom(_write(tmp_path)))
    values["components"][0]["type"] = "toaster"
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(values)) is not None


def test_the_same_parts_in_another_order_and_process_give_the_same_bytes(tmp_path: Path) -> None:
    path = _write(tmp_path)
    data = _sbom(path)
    assert b"timestamp" not in data
    head, *items = path.read_text().split("- name")
    other = head + "".join(f"- name{item}" for item in reversed(items))
    (tmp_path / "other.yaml").write_text(other)
    script = (
        "import sys; from pathlib import Path; from tests.provenance.test_sbom import _sbom;"
        "sys.stdout.buffer.write(_sbom(Path(sys.argv[1])))"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script, tmp_path / "other.yaml"],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert done.stdout == data


def test_other_parts_give_another_serial_number(tmp_path: Path) -> None:
    one = json.loads(_sbom(_write(tmp_path)))
    other = json.loads(_sbom(_write(tmp_path, PARTS.replace("6.17.0", "6.17.1"))))
    assert one["serialNumber"] != other["serialNumber"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("parts: []\n", "length"),
        ("parts:\n- type: file\n", "name"),
        ("parts:\n- name: a\n  colour: red\n", "colour"),
        ("parts:\n- name: a\n  type: toaster\n", "toaster"),
        ("parts:\n- name: a\n  purl: nonsense\n", "a: cannot be used"),
        ("parts:\n- name: a\n  license: Whatever I Like\n", "SPDX"),
        ("parts:\n- name: a\n- name: a\n", "twice"),
        ("parts:\n- name: a\n  sha256: 12\n", "sha256"),
        ("parts:\n- name: a\n  file: table.bin\n  sha256: " + "ab" * 32 + "\n", "has the SHA-256"),
        ("parts: [\n", "list of parts"),
        (
            "parts:\n- name: a\n  purl: pkg:generic/a@1?vcs_url=git%2Bhttps://me:s3cret@acme.com\n",
            "a: here stands a password",
        ),
        ("parts:\n- name: a\n  supplier: https://acme.com/?token=s3cret\n", "a: here stands"),
        ("parts:\n- name: me:s3cret@acme\n", "parts: here stands a password"),
    ],
    ids=str,
)
def test_lists_that_cannot_be_used_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PartsListError, match=complaint):
        _sbom(_write(tmp_path, text))


def test_a_missing_file_of_a_part_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path, "parts:\n- name: a\n  file: nothing.bin\n")
    with pytest.raises(FileError, match=r"nothing\.bin"):
        _sbom(path)
