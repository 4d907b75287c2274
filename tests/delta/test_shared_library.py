"""Loading compiled parts: both names, damage, absence, and the switch that turns them off."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fotabuild.delta import native_kernel
from fotabuild.delta.shared_library import file_names, load


def test_absence_and_damage_leave_the_work_to_python(tmp_path: Path) -> None:
    assert load(tmp_path, "part") is None
    (tmp_path / file_names("part")[0]).write_bytes(b"of another machine")
    assert load(tmp_path, "part") is None


@pytest.mark.cc
@pytest.mark.parametrize("index", [0, 1])
def test_both_names_are_found(index: int, tmp_path: Path, kernel: bool) -> None:
    assert kernel
    names = file_names(native_kernel.LIBRARY)
    found = next(path for name in names if (path := native_kernel.kernel_folder() / name).is_file())
    shutil.copy(found, tmp_path / names[index])
    library = load(tmp_path, native_kernel.LIBRARY)
    assert library is not None
    assert library.fota_is_suffix_array(b"", 0, None) == 1


def test_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOTABUILD_PURE_PYTHON", "1")
    assert not native_kernel.available()
