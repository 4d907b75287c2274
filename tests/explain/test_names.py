"""Names as in the source, and as short as there is room."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from fotabuild.delta.encoder import make_patch
from fotabuild.explain.explanation import Explanation, explain
from fotabuild.explain.names import readable, shortened
from fotabuild.explain.page import to_page
from fotabuild.explain.text import to_text
from fotabuild.formats.elf_symbols import read_map

from .scene import NEW, NEW_ELF, OLD

STRING = "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
PARSE = f"_ZN5Rules5parseERK{STRING}RS5_"
MAP_FIND = f"_ZNSt3mapI{STRING}iSt4lessIS5_ESaISt4pairIKS5_iEEE4findERS9_"
POOL_FREE = "_ZN12_GLOBAL__N_14pool4freeEPv.constprop.0"


@pytest.fixture(autouse=True)
def no_memory() -> None:
    readable.cache_clear()


@pytest.fixture
def explanation() -> Explanation:
    """Return one of firmware whose largest symbol is a C++ function."""
    patch = make_patch(OLD, NEW).data
    found = explain(patch, len(NEW), 512, new_map=read_map(NEW_ELF))
    return replace(found, parts=(replace(found.parts[0], name=PARSE), *found.parts[1:]))


@pytest.mark.demangle
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (PARSE, "Rules::parse(std::string const&, std::string&)"),
        ("_ZL6reportv", "report()"),
        ("_ZSt4swapIiEvRT_S1_", "std::swap<int>(int&, int&)"),
        ("_ZNK5Rules8describeB5cxx11Ev", "Rules::describe() const"),
        ("_ZNSt6vectorI4RuleSaIS0_EE5beginEv", "std::vector<Rule>::begin()"),
        (MAP_FIND, "std::map<std::string, int>::find(std::string const&)"),
        ("_ZTV9UDPSocket", "vtable for UDPSocket"),
        (POOL_FREE, "(anonymous namespace)::pool::free(void*) (.constprop.0)"),
        ("_ZZ4mainENKUlvE_clEv", "main::'lambda'()::operator()() const"),
        ("_RNvCs1234_7mycrate3foo", "mycrate::foo"),
        ("_ZN4core3fmt9Formatter3pad17h9b2b3a0e5b4d1b31E", "core::fmt::Formatter::pad"),
    ],
)
def test_readable(name: str, expected: str) -> None:
    assert readable(name) == expected


@pytest.mark.parametrize("name", ["main", "?f@@YAXH@Z", "_ZQQ", "_Z", "_RESET", "_Zc\n", ""])
def test_other_names_stay(name: str) -> None:
    assert readable(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "_Z1f" + "St4pairIS_S_E" * 75,
        "_Z1fI" + "St4pairIS_" * 90,
        "_Z" + "N" * 990,
        "_Z1f" + "P" * 990 + "i",
        "_Z1f" + "SaISaI" * 160,
    ],
)
def test_hostile_names_end_soon(name: str) -> None:
    assert len(readable(name)) < 20000


@pytest.mark.parametrize(
    ("name", "width", "expected"),
    [
        ("mbedtls_ssl_handshake", 30, "mbedtls_ssl_handshake"),
        ("mbedtls_ssl_handshake", 12, "mbedtls_s..."),
        ("A::f(int, B (*)(C))", 19, "A::f(int, B (*)(C))"),
        ("A::f(int, B (*)(C))", 18, "A::f(...)"),
        ("std::list<A<int>, B>::f(int, int)", 30, "std::list<A<int>, B>::f(...)"),
        ("std::list<A<int>, B>::f(int)", 25, "std::list<...>::f(...)"),
        ("(anonymous namespace)::f(int*) (.isra.0)", 39, "(anonymous namespace)::f(...) (.isra.0)"),
        ("P::operator->(int, int) const", 24, "P::operator->(...) const"),
        ("X::operator()(int, int) const", 28, "X::operator()(...) const"),
        ("f<A>(B) and more of it", 14, "f<...>(...)..."),
        ("f(unclosed<<<<", 9, "f(uncl..."),
    ],
)
def test_shortened(name: str, width: int, expected: str) -> None:
    assert shortened(name, width) == expected


@pytest.mark.demangle
def test_explanations_show_names_as_in_the_source(explanation: Explanation) -> None:
    for written in (to_text(explanation), to_page(explanation, "title")):
        assert "Rules::parse(std::string const" in written
        assert PARSE not in written
        assert "fotabuild[explain]" not in written
    assert explanation.to_values()["parts"][0]["name"] == PARSE


def test_without_the_package_names_stay_and_the_extra_is_named(
    explanation: Explanation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "demangle", None)
    assert PARSE in to_page(explanation, "title")
    for written in (to_text(explanation), to_page(explanation, "title")):
        assert "fotabuild[explain]" in written
    plain = replace(explanation, parts=explanation.parts[1:])
    assert "fotabuild[explain]" not in to_text(plain)
