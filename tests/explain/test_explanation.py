"""The explanation names what a patch is for, and other block sizes."""

from __future__ import annotations

import pytest

from fotabuild.delta.decoder import apply_patch_python
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.explain.block_sizes import BlockChoice, compare_block_sizes
from fotabuild.explain.costs import Cause
from fotabuild.explain.explanation import Explanation, explain
from fotabuild.explain.text import to_text
from fotabuild.formats.elf_symbols import read_map
from fotabuild.formats.patch_stream import HEADER_SIZE

from .scene import NEW, NEW_ELF, OLD, OLD_ELF


@pytest.fixture(scope="module")
def patch() -> bytes:
    return make_patch(OLD, NEW).data


@pytest.fixture(scope="module")
def explanation(patch: bytes) -> Explanation:
    choices = compare_block_sizes(OLD, NEW, BlockChoice(512, len(patch)), effort=Effort.FAST)
    return explain(
        patch,
        len(NEW),
        512,
        new_map=read_map(NEW_ELF),
        old_map=read_map(OLD_ELF),
        choices=choices,
    )


def test_parts_sections_and_columns_each_are_the_whole_patch(explanation: Explanation) -> None:
    whole = explanation.patch_size - HEADER_SIZE
    for shares in (explanation.parts, explanation.sections, explanation.columns):
        assert sum(share.total for share in shares) == pytest.approx(whole)
        assert sum(share.size for share in shares) == len(NEW)
        for cause in Cause:
            expected = explanation.whole.costs[cause]
            assert sum(share.costs[cause] for share in shares) == pytest.approx(expected)
    assert explanation.whole.total == whole


def test_the_new_function_is_the_largest_contributor(explanation: Explanation) -> None:
    first = explanation.parts[0]
    assert (first.name, first.size, first.note) == ("added", 400, "new")
    assert first.costs[Cause.INSERTED] >= 360
    assert {share.name: share.note for share in explanation.parts} == {
        "added": "new",
        "main": "-100 bytes",
        "startup": "",
        'table<>&"': "",
        "(.text, no symbol)": "",
        "(.rodata, no symbol)": "",
    }
    assert [section.name for section in explanation.sections] == [".text", ".rodata"]


def test_without_an_elf_file_pieces_of_equal_size(patch: bytes) -> None:
    found = explain(patch, len(NEW), 512)
    assert found.sections == ()
    assert sorted(share.name for share in found.parts) == ["0x0", "0x1000"]
    assert found.parts[0].name == "0x0"


def test_block_sizes(explanation: Explanation) -> None:
    choices = explanation.choices
    assert [choice.block_size for choice in choices] == [512, 1024, 4096]
    assert [choice.device_memory for choice in choices] == [1024, 2048, 8192]
    for choice in choices[1:]:
        made = make_patch(OLD, NEW, block_size=choice.block_size, effort=Effort.FAST).data
        assert len(made) == choice.patch_size < explanation.patch_size
        assert apply_patch_python(OLD, made) == NEW


def test_an_unusual_block_size_is_compared_with_the_usual_ones() -> None:
    known = BlockChoice(2048, len(make_patch(OLD, NEW, block_size=2048).data))
    choices = compare_block_sizes(OLD, NEW, known, effort=Effort.FAST)
    assert [choice.block_size for choice in choices] == [512, 1024, 2048, 4096]
    assert known in choices


def test_text(explanation: Explanation) -> None:
    text = to_text(explanation)
    assert text.startswith(f"{explanation.patch_size} bytes, ")
    (line,) = [line for line in text.splitlines() if line.startswith("      1024 ")]
    saved = 100 * (1 - explanation.choices[1].patch_size / explanation.patch_size)
    assert f"{saved:.1f} % smaller, needs 1024 bytes more memory on the device" in line
    assert "added (new)" in text
    assert "main (-100 bytes)" in text


def test_text_says_what_a_smaller_block_costs(patch: bytes) -> None:
    made = make_patch(OLD, NEW, block_size=1024).data
    known = BlockChoice(1024, len(made))
    found = explain(
        made,
        len(NEW),
        1024,
        choices=compare_block_sizes(OLD, NEW, known, effort=Effort.FAST),
    )
    assert "% larger, needs 1024 bytes less memory on the device" in to_text(found)
    assert "this patch" in to_text(found)


def test_long_lists_are_cut_and_their_rest_is_summed_up() -> None:
    old = bytes(4096 * 40)
    new = old[:-1] + b"x"
    found = explain(make_patch(old, new).data, len(new), 512)
    assert "in 20 others" in to_text(found)
