"""YAML with limits, lines and without surprises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.config.yaml_reader import read_yaml
from fotabuild.errors import YamlError
from fotabuild.limits import READ_LIMITS

from ..formats.strategies import QUICK


def test_values_and_lines() -> None:
    document = read_yaml(b"# note\na:\n  b: [1, x]\n  c: |\n    text\nd: yes\n")
    assert document.values == {"a": {"b": [1, "x"], "c": "text\n"}, "d": True}
    assert document.lines == {
        "$": 2,
        "$.a": 2,
        "$.a.b": 3,
        "$.a.b[0]": 3,
        "$.a.b[1]": 3,
        "$.a.c": 4,
        "$.d": 6,
    }


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text("abc \u00e4\u2603:#'\"", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc-", min_size=1), inner),
    max_leaves=8,
)


@QUICK
@given(st.dictionaries(st.text("abc-", min_size=1, max_size=5), _json, max_size=4))
def test_json_reads_as_itself(values: dict[str, object]) -> None:
    assert read_yaml(json.dumps(values, ensure_ascii=False).encode()).values == values


def test_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert read_yaml("\ufeffa: 1".encode()).values == {"a": 1}


@pytest.mark.parametrize(
    ("data", "line", "problem"),
    [
        (b"", None, "the file is empty"),
        (b"# only a comment\n", None, "the file is empty"),
        (b"\xff\xfea\0", None, "not UTF-8"),
        (b"a: \x07", None, "YAML syntax"),
        (b"a: [1\nb: 2\n", 2, "YAML syntax"),
        (b"a: 1\n b: 2\n", 2, "YAML syntax"),
        (b"a: 1\n---\nb: 2\n", 2, "YAML syntax"),
        (b"- 1\n- 2\n", 1, "top level is not a mapping"),
        (b"text", 1, "top level is not a mapping"),
        (b"a: 1\nb: 2\na: 3\n", 3, "'a' stands twice, first on line 1"),
        (b"x:\n  a: 1\n  a: 1\n", 3, "'a' stands twice, first on line 2"),
        (b"a: &x 1\nb: *x\n", 1, "anchors and aliases"),
        (b"a: {<<: {b: 1}}\n", 1, "not plain text"),
        (b"1: a\n", 1, "not plain text"),
        (b"yes: a\n", 1, "not plain text"),
        (b"[a]: b\n", 1, "not plain text"),
        (b"a: 2024-01-01\n", 1, "put the text in quotes"),
        (b"a: !!python/object:os.system x\n", 1, "is not used here"),
        (b"a: !secret x\n", 1, "is not used here"),
        (b"a: " + b"[" * 17 + b"]" * 17, 1, "nested deeper than 16"),
        (b"a: [" + b"1," * 20_001 + b"]", 1, "more than 20000 values"),
    ],
)
def test_refusals_name_the_line(data: bytes, line: int | None, problem: str) -> None:
    with pytest.raises(YamlError) as caught:
        read_yaml(data)
    assert problem in str(caught.value)
    assert caught.value.line == line


def test_too_much_text_is_not_even_decoded() -> None:
    with pytest.raises(YamlError, match="the limit is"):
        read_yaml(b"\xff" * (READ_LIMITS.config + 1))


@QUICK
@given(st.text("ab:-#&*!|>'\"%@`{}[], \n\t\0\u00e4", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        document = read_yaml(text.encode())
    except YamlError:
        return
    assert set(document.lines) >= {f"$.{key}" for key in document.values}
