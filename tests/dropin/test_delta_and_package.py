"""``manifest-delta-tool`` and ``manifest-package-tool``."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fotabuild.delta.decoder import apply_patch

from .tools import Outcome, Peer, ours

IMAGES = ("-c", "firmware/fw-1.0.0.bin", "-n", "firmware/fw-1.1.0.bin")
SIDECAR_KEYS = ("installed-digest", "installed-size", "precursor-digest")


def delta(work: Path, *arguments: str) -> Outcome:
    return ours("manifest-delta-tool", *arguments, cwd=work)


def package(work: Path, *arguments: str) -> Outcome:
    return ours("manifest-package-tool", *arguments, cwd=work)


@pytest.mark.parametrize("block", [128, 512, 1024])
def test_patch_and_side_file(block: int, work: Path) -> None:
    done = delta(work, *IMAGES, "-o", "out.bin", "-b", str(block), "--skip-size-check")
    assert done.status == 0
    assert "INFO Current tool version PELION/BSDIFF001" in done.result
    old, new = ((work / f"firmware/fw-{v}.bin").read_bytes() for v in ("1.0.0", "1.1.0"))
    assert apply_patch(old, (work / "out.bin").read_bytes()) == new
    found = yaml.safe_load((work / "out.yaml").read_bytes())
    theirs = work / f"delta/fw-1.0.0_to_fw-1.1.0_b{block}.yaml"
    expected = yaml.safe_load(theirs.read_bytes())
    assert {name: found[name] for name in SIDECAR_KEYS} == expected


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((*IMAGES, "-o", "x.yaml"), 1, "same name"),  # B3
        ((*IMAGES, "-o", "firmware/fw-1.0.0.bin"), 1, "overwrite an input"),  # B4
        ((*IMAGES, "-o", "o", "-t", "29"), 2, "from 30 to 99"),
        ((*IMAGES, "-o", "o", "-t", "100"), 2, "from 30 to 99"),  # D4
        ((*IMAGES, "-o", "o", "-t", "60", "--skip-size-check"), 2, "not allowed with"),
        ((*IMAGES, "-o", "o", "-b", "127"), 2, "from 128"),
        ((*IMAGES, "-o", "o", "-b", "4294967296"), 2, "from 128"),  # D5
        ((*IMAGES, "-o", "o", "-b", "5_12"), 2, "not a number"),
        (("-c", "none", "-n", "none", "-o", "o"), 2, "no file"),
        (
            ("-c", "firmware/tiny-a.bin", "-n", "firmware/unrelated.bin", "-o", "o"),
            1,
            "60 % is the threshold",
        ),
    ],
)
def test_delta_refusals(arguments: tuple[str, ...], status: int, message: str, work: Path) -> None:
    before = (work / "firmware/fw-1.0.0.bin").read_bytes()
    done = delta(work, *arguments)
    assert (done.status, message in done.stderr) == (status, True), done.stderr
    assert not (work / "o").exists()
    assert not (work / "x.yaml").exists()
    assert (work / "firmware/fw-1.0.0.bin").read_bytes() == before


def test_row_b4_the_configuration_is_not_an_output(work: Path) -> None:
    before = (work / "package/two.yaml").read_bytes()
    for output in ("package/two.yaml", "./package/../package/two.yaml"):
        done = package(work, "create", "-c", "package/two.yaml", "-o", output)
        assert (done.status, "would overwrite" in done.stderr) == (1, True), done.stderr
        assert (work / "package/two.yaml").read_bytes() == before


@pytest.mark.peer
def test_the_same_package_report(work: Path, peer: Peer) -> None:
    assert package(work, "create", "-c", "package/two.yaml", "-o", "two.tar").status == 0
    for name in ("two.tar", "package/two.tar"):
        mine = package(work, "parse", "-p", name)
        theirs = peer("manifest-package-tool", "parse", "-p", name, cwd=work)
        assert (mine.status, theirs.status) == (0, 0)
        assert mine.result == theirs.result


def test_package_again_is_the_same(work: Path) -> None:
    for name in ("one", "two"):
        assert package(work, "create", "-c", "package/two.json", "-o", name).status == 0
    assert (work / "one").read_bytes() == (work / "two").read_bytes()


def images(*names: str, data: str = "v") -> list[dict[str, str]]:
    return [
        {"file_name": "firmware/sub1.bin", "sub_comp_name": name, "vendor_data": data}
        for name in names
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"images": images("_desc_", "b")}, "cannot name"),
        ({"images": images("..", "b")}, "cannot name"),
        ({"images": images("a", "a")}, "two images"),
        ({"images": images("123456789", "b")}, "a device would refuse"),
        ({"images": images("a", "b", data="x" * 33)}, "a device would refuse"),
        ({"images": images("a")}, "images"),
        (
            {
                "images": [
                    *images("a"),
                    {"file_name": "keys", "sub_comp_name": "k", "vendor_data": "v"},
                ]
            },
            "directory",
        ),
        ({"images": images("a", "b"), "more": 1}, "unknown key"),
        ({"images": [{**images("a")[0], "name": "x"}, *images("b")]}, "unknown key"),
    ],
)
def test_package_refusals(values: dict[str, object], message: str, work: Path) -> None:
    (work / "in.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    done = package(work, "create", "-c", "in.yaml", "-o", "out.tar")
    assert (done.status, message in done.stderr) == (1, True), done.stderr
    assert not (work / "out.tar").exists()


def test_row_e4_vendor_data_outside_latin_1(work: Path) -> None:
    (work / "in.yaml").write_text(
        yaml.safe_dump({"images": images("a", "b", data="\u2603")}), encoding="utf-8"
    )
    assert package(work, "create", "-c", "in.yaml", "-o", "out.tar").status == 0
    assert "\u2603".encode() in (work / "out.tar").read_bytes()


def test_row_e6_alignment_is_told_and_there_is_a_version(work: Path) -> None:
    arguments = ("create", "-c", "package/two.yaml", "-o", "o", "-a", "1024", "-f", "tar")
    done = package(work, *arguments)
    assert (done.status, "no effect" in done.stderr) == (0, True)
    for tool in ("manifest-package-tool", "manifest-delta-tool", "manifest-dev-tool"):
        done = ours(tool, "--version", cwd=work)
        assert (done.status, done.stdout) == (0, "Manifest-Tool version 2.6.2\n")


@pytest.mark.parametrize("name", ["firmware/sub1.bin", "keys/TEST-ONLY-update.cert.der"])
def test_row_e8_not_a_package(name: str, work: Path) -> None:
    done = package(work, "parse", "-p", name)
    assert (done.status, "not a plain tar" in done.stderr) == (1, True)
