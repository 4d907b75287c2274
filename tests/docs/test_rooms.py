"""The rooms in ``docs/architecture.md`` are those of the code, with imports as they say."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .pages import ROOT, code_names, first_table

_TABLE = first_table(ROOT / "docs" / "architecture.md", "## Rooms")
ROOMS = {code_names(row[0])[0].strip("/"): set(code_names(row[2])) for row in _TABLE}


def _files(room: str) -> list[Path]:
    path = ROOT / room
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def _imports(path: Path) -> set[str]:
    """Return the rooms of fotabuild that a module imports from."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "fotabuild":
            modules |= {f"fotabuild.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: a relative import"
            modules.add(node.module)
    return {name.split(".")[1] for name in modules if name.startswith("fotabuild.")}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_from_the_rooms_below_it_only(room: str) -> None:
    files = _files(room)
    assert files
    for path in files:
        found = _imports(path) - {Path(room).name, "__version__"}
        assert found <= ROOMS[room], f"{path.relative_to(ROOT)} imports {found - ROOMS[room]}"


def test_no_room_is_left_out() -> None:
    core = ROOT / "core"
    folders = {path.parent.name for path in core.glob("*/__init__.py")}
    modules = {path.stem for path in core.glob("*.py")} - {"__init__", "__main__"}
    assert {Path(room).name for room in ROOMS if room.startswith("core/")} == folders | modules


def test_imports_point_downwards() -> None:
    """No room imports from one that stands above it in the table."""
    order = [Path(room).name for room in ROOMS]
    for room, allowed in ROOMS.items():
        below = set(order[order.index(Path(room).name) + 1 :])
        assert allowed <= below, room
