"""Names of files that no report and no statement could hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fotabuild.errors import ReleaseFolderError
from fotabuild.report.folder import read_folder

from .scene import Built


@pytest.mark.parametrize("place", [b"bad\xff.bin", b"bad\xff/a.bin", b".bad\xff"])
def test_a_name_that_is_not_utf_8_is_refused_by_name(place: bytes, built: Built) -> None:
    path = Path(os.fsdecode(os.fsencode(built.update) + b"/" + place))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    with pytest.raises(ReleaseFolderError, match=r"bad\\udcff.*not UTF-8"):
        read_folder(built.update)


def test_other_names_are_taken_as_they_are(built: Built) -> None:
    names = ["ü.bin", "a b.bin", "-x", "\N{SNOWMAN}", "a\nb"]
    for name in names:
        (built.update / name).write_bytes(b"x")
    found = {item.name for item in read_folder(built.update).artifacts}
    assert found.issuperset(names)
