"""The device extracts packages with the system's ``tar -xf``; so do these tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fotabuild.formats.combined_package import PackageImage, encode_descriptor, encode_package

from .test_combined_package import THREE, TWO

# The "data" filter is the default from Python 3.14 on; early releases of 3.10 have none.
_EXTRACT = """
import tarfile
with tarfile.open("p.tar") as archive:
    archive.extractall("out", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
"""
# Whatever tar programs this machine has (GNU, BSD, BusyBox), and Python's own in any case.
EXTRACTORS = {
    "python": [sys.executable, "-c", _EXTRACT],
    **{
        name: [name, "-xf", "p.tar", "-C", "out"]
        for name in ("tar", "gtar", "bsdtar")
        if shutil.which(name)
    },
}


@pytest.mark.parametrize("extractor", EXTRACTORS)
@pytest.mark.parametrize("images", [TWO, THREE], ids=["two", "three"])
def test_every_member_comes_out(images: list[PackageImage], extractor: str, tmp_path: Path) -> None:
    (tmp_path / "p.tar").write_bytes(encode_package(images))
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        EXTRACTORS[extractor], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        "_desc_": encode_descriptor(images),
        **{image.name: image.content for image in images},
    }
