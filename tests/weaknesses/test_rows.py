"""Every row of the list has a test with its number: here, or where the table says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ..dropin.tools import ours
from ..hostile.case import load_cases
from ..hostile.rows import ROWS
from .scenes import Scene, load_scenes

SCENES = load_scenes()
_TESTS = Path(__file__).parents[1]
#: Rows that need more than a call: where they are tested.
ELSEWHERE = {
    "A1": "dropin/test_manifest_tool.py::test_row_a1_failing_signing_tool_with_v1",
    "A2": "dropin/test_manifest_tool.py::test_signing_tool_is_verified_with_the_certificate",
    "A3": "signing/test_tool.py::test_it_signs_and_gets_its_four_arguments",
    "A4": "signing/test_tool_builds.py::test_all_payloads_with_signed_images",
    "A6": "dropin/test_differential.py::test_same_verdict_and_same_bytes",
    "A9": "dropin/test_manifest_tool.py::test_row_a9_encrypted_and_signed_verifies",
    "A10": "dropin/test_manifest_tool.py::test_row_a10_parse_says_that_nothing_was_verified",
    "B2": "kill/test_interrupted.py::test_killed_at_every_operation",
    "B8": "plan/test_manifest_v1.py::test_twice_the_same_bytes",
    "D6": "dropin/test_delta_and_package.py::test_patch_and_side_file",
    "D7": "weaknesses/test_delta_rows.py::test_row_d7_patches_are_never_larger",
    "D8": "weaknesses/test_delta_rows.py::test_row_d8_all_that_is_printed_goes_through_the_log",
    "D9": "weaknesses/test_delta_rows.py::test_row_d9_memory_of_the_encoder",
    "E6": "dropin/test_delta_and_package.py::test_row_e6_alignment_is_told_and_there_is_a_version",
    "F1": "dropin/test_dev_tool.py::test_rows_f1_f2_init_again_keeps_key_and_ids",
    "F2": "dropin/test_dev_tool.py::test_rows_f1_f2_init_again_keeps_key_and_ids",
    "F3": "dropin/test_dev_tool.py::test_row_f3_init_refuses_before_it_writes",
    "F4": "dropin/test_dev_tool.py::test_init_with_given_pair_and_ids",
    "F5": "dropin/test_dev_tool.py::test_row_f5_format_is_told_by_the_payload",
    "F6": "dropin/test_dev_tool.py::test_row_f6_failed_run_uses_up_no_version",
    "F7": "dropin/test_dev_tool.py::test_row_f7_versions_carry_over_and_end",
    "F8": "dropin/test_dev_tool.py::test_row_f8_contradictions",
    "F10": "dropin/test_dev_update.py::test_row_f10_network_errors_leave_nothing",
    "G": "dropin/test_manifest_tool.py::test_quiet_keeps_the_result",
}
#: Rows without a test that fails on the weakness.
OPEN: dict[str, str] = {}


@pytest.mark.parametrize(
    "scene", SCENES, ids=[f"{scene.row}-{index}" for index, scene in enumerate(SCENES)]
)
def test_row(scene: Scene, tmp_path: Path) -> None:
    scene.prepare(tmp_path)
    kept = {name: (tmp_path / name).read_bytes() for name in scene.kept}
    before = set(tmp_path.rglob("*"))
    done = ours(*scene.call, cwd=tmp_path / scene.folder)
    assert (done.status, scene.message in done.stderr) == (scene.status, True), done.stderr
    assert kept == {name: (tmp_path / name).read_bytes() for name in scene.kept}
    if scene.status != 0:
        assert set(tmp_path.rglob("*")) == before
        assert "Traceback" not in done.stderr
        assert [line for line in done.stderr.splitlines() if line.strip()]
        if scene.status == 1:
            assert done.stderr.count(" ERROR ") == 1
            assert len(done.stderr) < 1200


def test_every_row_has_its_test() -> None:
    here = {scene.row for scene in SCENES}
    cases = {case.row for case in load_cases() if case.row}
    assert set(ROWS) - here - set(ELSEWHERE) - cases == set(OPEN) - cases
    for place in ELSEWHERE.values():
        name, _, function = place.partition("::")
        tree = ast.parse((_TESTS / name).read_text(encoding="utf-8"))
        assert function in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
