"""Packages, patches and keys of the two tools."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from fotabuild.config.yaml_reader import read_yaml
from fotabuild.delta.decoder import apply_patch, apply_patch_python
from fotabuild.digest import sha256
from fotabuild.formats.combined_package import PackageImage, decode_package, encode_package
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.signing.pem import PemSigner

from ..formats.golden import firmware
from .conftest import Tally
from .peer import run_peer

pytestmark = pytest.mark.peer
SEEDS = range(4)


def random_images(seed: int) -> list[PackageImage]:
    choose = random.Random(seed)
    return [
        PackageImage(
            f"sub-{seed}.{index}",
            choose.randbytes(16).hex()[: choose.randint(1, 32)].encode(),
            choose.randbytes(choose.choice([0, 1, 511, 512, 513, 5000])),
        )
        for index in range(choose.randint(2, 9))
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_it_parses_our_packages(seed: int, tmp_path: Path, tally: Tally) -> None:
    images = random_images(seed)
    (tmp_path / "p.tar").write_bytes(encode_package(images))
    with tally.count("of our packages parsed"):
        found = run_peer("manifest-package-tool", "parse", "-p", "p.tar", cwd=tmp_path)
        assert found.status == 0
        names = [m for m in found.messages if m.startswith("INFO File name : ")]
        assert names == [f"INFO File name : {n}" for n in ["_desc_", *(i.name for i in images)]]
        described = [m for m in found.messages if m.startswith("INFO OrderedDict(")]
        assert len(described) == len(images)
        for image, line in zip(images, described, strict=True):
            for text in (
                f"('id', b'{image.name}')",
                f"('vendor-data', {image.vendor_data!r})",
                f"('vendor-data-size', {len(image.vendor_data)})",
                f"('image-size', {len(image.content)})",
            ):
                assert text in line


@pytest.mark.parametrize("seed", SEEDS)
def test_we_decode_its_packages(seed: int, tmp_path: Path, tally: Tally) -> None:
    images = random_images(seed + 100)
    entries = []
    for index, image in enumerate(images):
        (tmp_path / f"{index}.bin").write_bytes(image.content)
        entries.append(
            {
                "file_name": f"{index}.bin",
                "sub_comp_name": image.name,
                "vendor_data": image.vendor_data.decode(),
            }
        )
    (tmp_path / "c.json").write_text(json.dumps({"images": entries}), encoding="utf-8")
    with tally.count("of its packages decoded"):
        done = run_peer(
            "manifest-package-tool", "create", "-c", "c.json", "-o", "p.tar", cwd=tmp_path
        )
        assert done.status == 0
        assert decode_package((tmp_path / "p.tar").read_bytes()) == images


@pytest.mark.parametrize(
    ("old", "new", "block_size"),
    [("fw-0.9.0", "fw-1.2.0", 256), ("fw-1.2.0", "fw-1.0.1", 4096), ("tiny-a", "fw-1.0.0", 128)],
)
def test_we_apply_its_patches(
    old: str, new: str, block_size: int, tmp_path: Path, tally: Tally
) -> None:
    images = firmware(old), firmware(new)
    for name, data in zip(("old", "new"), images, strict=True):
        (tmp_path / name).write_bytes(data)
    arguments = ["-c", "old", "-n", "new", "-o", "d.bin", "-b", str(block_size)]
    with tally.count("of its patches applied"):
        done = run_peer("manifest-delta-tool", *arguments, "--skip-size-check", cwd=tmp_path)
        assert done.status == 0
        patch = (tmp_path / "d.bin").read_bytes()
        assert apply_patch_python(images[0], patch, 1000) == images[1]
        assert apply_patch(images[0], patch) == images[1]
        sidecar = PatchSidecar.from_values(read_yaml((tmp_path / "d.yaml").read_bytes()).values)
        assert sidecar == PatchSidecar(sha256(images[1]), len(images[1]), sha256(images[0]))


def test_public_key_of_a_private_one(tmp_path: Path) -> None:
    signer = PemSigner.generate()
    (tmp_path / "key.pem").write_bytes(signer.to_pem())
    done = run_peer("manifest-tool", "public-key", "key.pem", "--out", "pub.bin", cwd=tmp_path)
    assert done.status == 0
    assert (tmp_path / "pub.bin").read_bytes() == signer.public_key()
