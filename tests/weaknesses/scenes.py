"""The calls of ``scenes.yaml``, and what each needs around it."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from ..conftest import VECTORS

_TESTS = Path(__file__).parents[1]
_NAMES = {
    "K": "keys/TEST-ONLY-update.key.pem",
    "CERT": "keys/TEST-ONLY-update.cert.der",
    "IMAGES": "-c firmware/fw-1.0.0.bin -n firmware/fw-1.1.0.bin",
}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A call that the older tool gets wrong; the keys are explained in ``scenes.yaml``."""

    row: str
    call: tuple[str, ...]
    status: int
    message: str
    change: tuple[tuple[str, str, str], ...]
    copies: dict[str, str]
    files: dict[str, str]
    kept: tuple[str, ...]
    folder: str

    def prepare(self, folder: Path) -> None:
        """Fill ``folder`` with the golden files and what is special here."""
        for name in ("keys", "firmware", "delta", "package"):
            shutil.copytree(VECTORS / name, folder / name)
        shutil.copyfile(VECTORS / "v3" / "raw.yaml", folder / "c.yaml")
        for name, source in self.copies.items():
            shutil.copyfile(_TESTS / source, folder / name)
        for name, content in self.files.items():
            (folder / name).write_text(content, encoding="utf-8")
        for name, old, new in self.change:
            data = (folder / name).read_bytes()
            assert data.count(old.encode()) == 1, f"{self.row}: {old} in {name}"
            (folder / name).write_bytes(data.replace(old.encode(), new.encode()))
        # Two more folders, to be called from another place than beside the configuration.
        (folder / "here").mkdir()
        shutil.copytree(folder / "firmware", folder / "sub" / "firmware")
        shutil.copyfile(folder / "c.yaml", folder / "sub" / "c.yaml")


def load_scenes() -> list[Scene]:
    """Read all scenes; an unknown or missing key is an error."""
    path = Path(__file__).with_name("scenes.yaml")
    return [_scene(**values) for values in yaml.safe_load(path.read_text(encoding="utf-8"))]


def _scene(
    *,
    row: str,
    call: str,
    status: int,
    message: str,
    change: list[list[str]] | None = None,
    kept: list[str] | None = None,
    folder: str = ".",
    **files: Any,
) -> Scene:
    return Scene(
        row=row,
        call=tuple(shlex.split(Template(call).substitute(_NAMES))),
        status=status,
        message=message,
        change=tuple((name, old, new) for name, old, new in change or ()),
        copies=files.pop("copies", {}),
        files=files.pop("files", {}),
        kept=tuple(kept or ()),
        folder=folder,
        **files,
    )
