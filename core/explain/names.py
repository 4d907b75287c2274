"""Names of symbols as people write them: linkers know C++ and Rust names in an encoded form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

EXTRA_ADVICE = "pip install 'fotabuild[explain]' shows names of C++ and Rust as in the source"
"""What to say when :func:`missing_extra` is true."""
_ENCODED = re.compile(r"_Z|_R[A-Z]")
_LANGUAGES = ("itanium", "rust")
_LONGEST_TEXT = 16384
# What the standard library's long names stand for, and arguments that nobody writes.
_STRING = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char>>"
_ABI_TAG = "[abi:cxx11]"
_DEFAULT = re.compile(r", std::(?:allocator|char_traits|equal_to|hash|less)<")
_BRACKET = re.compile(r"\boperator *(?:<=>|<<=?|>>=?|->\*?|[<>]=?|\(\))|->|[()<>]")
_CLOSING = {"(": ")", "<": ">"}
_KEPT = re.compile(r"|\.{3}|anonymous namespace|\..*")


@lru_cache(maxsize=4096)
def readable(name: str) -> str:
    """Return a C++ or Rust name as in the source, without what nobody writes there.

    Names that cannot be read stay as they are; so do all without the package demangle.
    """
    if not _ENCODED.match(name) or not _installed():
        return name
    from demangle import DemanglingError, Limits, signature

    try:
        found = signature(name, language=_LANGUAGES, limits=Limits(max_output=_LONGEST_TEXT))
    except DemanglingError:
        return name
    text: str = found.demangled
    if found.return_type:  # Only templates have it in their names.
        text = text.removeprefix(f"{found.return_type} ")
    return _without_defaults(text.replace(_STRING, "std::string").replace(_ABI_TAG, ""))


def missing_extra(names: Iterable[str]) -> bool:
    """Tell whether there are names that would be readable with the package demangle."""
    return any(map(_ENCODED.match, names)) and not _installed()


def _installed() -> bool:
    try:
        import demangle  # noqa: F401
    except ImportError:
        return False
    return True


def shortened(name: str, width: int) -> str:
    """Return a name in at most ``width`` characters; parameters go before template arguments."""
    for opening in "(<":
        if len(name) > width:
            name = _emptied(name, opening)
    return name if len(name) <= width else f"{name[: width - 3]}..."


def _without_defaults(text: str) -> str:
    at = 0
    while found := _DEFAULT.search(text, at):
        at = found.start()
        end = next((end for _, end in _outermost(text, "<", found.end() - 1)), len(text))
        text = text[:at] + text[end:]
    return text


def _emptied(text: str, opening: str) -> str:
    """Return ``text`` with dots in place of what is in brackets of one kind."""
    parts: list[str] = []
    done = 0
    for start, end in _outermost(text, opening):
        if not _KEPT.fullmatch(text, start + 1, end - 1):
            parts += [text[done : start + 1], "..."]
            done = end - 1
    return "".join([*parts, text[done:]])


def _outermost(text: str, opening: str, at: int = 0) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the brackets of one kind that are in no other of it."""
    depth = start = 0
    for found in _BRACKET.finditer(text, at):
        if found[0] == opening:
            start = found.start() if depth == 0 else start
            depth += 1
        elif found[0] == _CLOSING[opening] and depth:
            depth -= 1
            if depth == 0:
                yield start, found.end()
