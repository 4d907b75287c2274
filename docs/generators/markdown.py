"""Pieces of Markdown."""

from __future__ import annotations

from collections.abc import Iterable

NOTE = "<!-- Made by docs/generate.py from the code. Do not edit. -->\n\n"


def table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    cells = (" | ".join(text.replace("|", "\\|") for text in line) for line in lines)
    return "".join(f"| {line} |\n" for line in cells)


def sentence(text: str) -> str:
    """Return a help text as a sentence, with single backticks for code."""
    text = " ".join(text.replace("``", "`").split())
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
