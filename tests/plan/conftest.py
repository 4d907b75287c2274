from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fotabuild.config.loader import LoadedConfig, load_config
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.plan import make_plan
from fotabuild.plan.runner import run_plan

from ..conftest import VECTORS
from ..formats.golden import CERTIFICATE, KEY

MakeConfig = Callable[..., LoadedConfig]
BASE: dict[str, Any] = {
    "vendor": {"domain": "acme.com"},
    "device": {"model-name": "Toaster", "features": ["delta", "combined"]},
    "credentials": {"key": "keys/update.key.pem", "certificate": "keys/update.cert.der"},
    "payload": {"url": "https://acme.com/{file}"},
}
COMPLETE: dict[str, Any] = {
    "releases": [{"version": "1.0.0", "image": "releases/a.bin"}],
    "package": {
        "component": "BUNDLE",
        "images": [
            {"sub-comp-name": "app", "vendor-data": "a"},
            {"sub-comp-name": "table", "vendor-data": "b", "file-name": "table.bin"},
        ],
    },
}


@pytest.fixture
def make_config(tmp_path: Path) -> MakeConfig:
    """Load a configuration in ``tmp_path`` with these sections in place of the basic ones."""

    def make(**sections: Any) -> LoadedConfig:
        values = {**BASE, **{name.replace("_", "-"): value for name, value in sections.items()}}
        path = tmp_path / "fotabuild.yaml"
        path.write_text(json.dumps(values), encoding="utf-8")
        return load_config(path, environ={})

    return make


@pytest.fixture
def releases() -> list[dict[str, str]]:
    """Two releases, written in the wrong order."""
    return [
        {"version": "1.10.0", "image": "releases/b.bin"},
        {"version": "1.9.0", "image": "releases/a.bin"},
    ]


@pytest.fixture
def run_project(tmp_path: Path, make_config: MakeConfig) -> Path:
    """The artifacts of a real plan with delta and package; returns their folder."""
    prepare(tmp_path)
    config = make_config(payload={"url": "https://acme.com/{digest}"}, **COMPLETE)
    run_plan(make_plan(config, complete_build(tmp_path)), lambda _step, _result: None)
    return tmp_path / "update"


def prepare(folder: Path) -> None:
    """Copy golden keys and images to where the configuration expects them."""
    for name, source in {
        "keys/update.key.pem": KEY,
        "keys/update.cert.der": CERTIFICATE,
        "releases/a.bin": VECTORS / "firmware" / "fw-1.0.0.bin",
        "obj/app.bin": VECTORS / "firmware" / "fw-1.1.0.bin",
        "table.bin": VECTORS / "firmware" / "sub1.bin",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(source, folder / name)


def complete_build(folder: Path) -> Build:
    return Build(
        image=folder / "obj" / "app.bin",
        version=FirmwareVersion(1, 1, 0),
        folder=folder / "update",
        resources=folder / "gen" / "resources.c",
    )
