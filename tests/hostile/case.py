"""Cases of bad input, kept as folders (see ``README.md``)."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
CASES = HERE / "cases"
BASE = HERE / "base"
_DESCRIPTION = "case.yaml"


@dataclass(frozen=True, kw_only=True)
class Case:
    """The content of a ``case.yaml``, and its folder's name without ``_fail``."""

    name: str
    reason: str
    command: tuple[str, ...]
    status: int
    code: str
    message: tuple[str, ...]
    outputs: tuple[str, ...]
    row: str | None
    environment: dict[str, str]
    links: dict[str, str]
    pipes: tuple[str, ...]
    holes: dict[str, int]
    finished: tuple[str, ...]

    def prepare(self, folder: Path) -> None:
        """Fill ``folder``: the common good files first, then what is bad here."""
        shutil.copytree(BASE, folder, dirs_exist_ok=True)
        case_folder = CASES / f"{self.name}_fail"
        shutil.copytree(case_folder, folder, dirs_exist_ok=True, ignore=lambda *_: {_DESCRIPTION})
        for name, target in self.links.items():
            (folder / name).symlink_to(target)
        for name in self.pipes:
            os.mkfifo(folder / name)
        for name, size in self.holes.items():
            with (folder / name).open("wb") as file:
                file.truncate(size)


def load_case(folder: Path) -> Case:
    """Read a case; an unknown or missing key is an error."""
    values: dict[str, Any] = yaml.safe_load((folder / _DESCRIPTION).read_text("utf-8"))
    case = Case(
        name=folder.name.removesuffix("_fail"),
        reason=values.pop("reason"),
        # Bytes stand for an argument that is no UTF-8.
        command=tuple(os.fsdecode(argument) for argument in values.pop("command")),
        status=values.pop("status"),
        code=values.pop("code"),
        message=tuple(values.pop("message")),
        outputs=tuple(values.pop("outputs")),
        row=values.pop("row", None),
        environment=values.pop("environment", {}),
        links=values.pop("links", {}),
        pipes=tuple(values.pop("pipes", ())),
        holes=values.pop("holes", {}),
        finished=tuple(values.pop("finished", ())),
    )
    if values:
        message = f"{folder.name}: unknown keys {sorted(values)}"
        raise ValueError(message)
    return case


def load_cases() -> list[Case]:
    """Read all cases, in the order of their names."""
    return [load_case(folder) for folder in sorted(CASES.iterdir())]


def snapshot(folder: Path) -> dict[str, object]:
    """Return everything below ``folder``: content of files, target of links, kind of the rest."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = path.readlink()
        else:
            found[name] = path.read_bytes() if path.is_file() else path.is_dir()
    return found
