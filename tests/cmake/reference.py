"""What a project's artifacts have to be, made by the core without any build system."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from fotabuild.config.loader import load_config
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.plan import make_plan
from fotabuild.plan.runner import run_plan

from .project import Project


def make_reference(
    project: Project,
    folder: Path,
    version: str = "1.1.0",
    settings: Mapping[str, object] = MappingProxyType({"priority": 1}),
    image: Path | None = None,
    config: Path | None = None,
) -> dict[str, bytes]:
    """Make all artifacts of the linked program in ``folder``; return them by file name."""
    loaded = load_config(
        config or project.path("fotabuild.yaml"), build_system=settings, environ={}
    )
    build = Build(
        image=image or project.program,
        version=FirmwareVersion.parse(version),
        folder=folder,
        name="app",
        resources=folder / "update_default_resources.c",
    )
    run_plan(make_plan(loaded, build), lambda _step, _result: None)
    return {path.name: path.read_bytes() for path in folder.iterdir()}
