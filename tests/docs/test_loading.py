"""The ways to load the SCons tool that ``docs/scons.md`` shows."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import ROOT, code_names, first_table

WAYS = [code_names(row[0])[0] for row in first_table(ROOT / "docs" / "scons.md", "## Load it")]


def test_there_are_three_ways() -> None:
    assert len(set(WAYS)) == 3


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_load_the_tool(way: str, tmp_path: Path) -> None:
    (tmp_path / "SConstruct").write_text(
        f"{'import fotabuild.scons' if 'fotabuild.scons.' in way else ''}\n"
        f"env = Environment({way})\n"
        "print('loaded', env['FOTACONFIG'], callable(env.FotaUpdate))\n"
    )
    if "fotabuild" not in way:
        tools = tmp_path / "site_scons" / "site_tools"
        shutil.copytree(ROOT / "plugins" / "scons" / "fota", tools / "fota")
    done = subprocess.run(
        [sys.executable, "-m", "SCons", "-Q", "-n"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert "loaded fotabuild.yaml True" in done.stdout, done.stderr
