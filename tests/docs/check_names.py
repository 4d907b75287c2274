"""Find the names of the device checks in the code."""

from __future__ import annotations

import ast
from pathlib import Path

_METHODS = {"attempt", "check", "limit", "skip", "warn_unless"}
_OWNERS = {"report", "hub"}


def check_names(folder: Path) -> set[str]:
    """Return the names under which the modules in ``folder`` report.

    A name is the first argument of a report's method: a text, a text with something filled in
    (given with ``NAME`` there), or the variable of a loop over tuples that begin with the name.

    Raises:
        ValueError: a name that this function cannot find out.
    """
    names: set[str] = set()
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        loops = _loop_names(tree)
        for call in ast.walk(tree):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            owner = call.func.value
            if isinstance(owner, ast.Name) and owner.id in _OWNERS and call.func.attr in _METHODS:
                names |= _names(call.args[0], loops, f"{path.name}:{call.lineno}")
    return names


def _names(node: ast.expr, loops: dict[str, set[str]], place: str) -> set[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.JoinedStr):
        parts = (str(v.value) if isinstance(v, ast.Constant) else "NAME" for v in node.values)
        return {"".join(parts)}
    if isinstance(node, ast.Name) and node.id in loops:
        return loops[node.id]
    raise ValueError(f"{place}: cannot tell the name of this check")


def _loop_names(tree: ast.AST) -> dict[str, set[str]]:
    """Return, for the first variable of each loop over tuples, the texts that it takes."""
    found: dict[str, set[str]] = {}
    for loop in ast.walk(tree):
        if not (isinstance(loop, ast.For) and isinstance(loop.iter, ast.Tuple)):
            continue
        if not (isinstance(loop.target, ast.Tuple) and isinstance(loop.target.elts[0], ast.Name)):
            continue
        for row in loop.iter.elts:
            if isinstance(row, ast.Tuple) and isinstance(row.elts[0], ast.Constant):
                found.setdefault(loop.target.elts[0].id, set()).add(str(row.elts[0].value))
    return found
