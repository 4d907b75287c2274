"""What a project's artifacts have to be, made by the core without any build system."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fotabuild.config.loader import load_config
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.plan.build import Build
from fotabuild.plan.make import StepMaker
from fotabuild.plan.plan import Plan, make_plan
from fotabuild.plan.runner import run_plan
from fotabuild.steps.payload_manifest import Precursor
from fotabuild.steps.step import Step

from .project import Project, link
from .sconstructs import Way


def make_reference(
    project: Project,
    way: Way,
    folder: Path,
    version: str = "1.1.0",
    settings: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """Make all artifacts of a project in ``folder`` and return them by file name."""
    config = load_config(
        project.path("fotabuild.yaml"), build_system=settings or {}, environ=environ or {}
    )
    maker = StepMaker(config)
    resources = folder / "update_default_resources.c"
    maker.resources(resources).run()
    firmware = folder / "app.elf"
    table, text = (project.path(name).read_bytes() for name in ("table.bin", "app.txt"))
    firmware.write_bytes(link(table, text, resources.read_bytes()))
    release = FirmwareVersion.parse(version)
    if way.versioned:
        plan = make_plan(config, Build(image=firmware, version=release, folder=folder, name="app"))
    else:
        plan = Plan(tuple(_single_steps(project, maker, folder, release)))
    run_plan(plan, lambda _step, _result: None)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _single_steps(
    project: Project, maker: StepMaker, folder: Path, version: FirmwareVersion
) -> list[Step]:
    image, package = folder / "app.bin", folder / "bundle.tar"
    raw, patches = PayloadFormat.RAW_BINARY, PayloadFormat.ARM_PATCH_STREAM
    steps: list[Step] = [
        maker.image(folder / "app.elf", image),
        maker.manifest(image, raw, version, folder / "app.manifest"),
        maker.package(image, package),
        maker.manifest(
            package,
            PayloadFormat.COMBINED,
            version,
            folder / "bundle.manifest",
            component="BUNDLE",
        ),
    ]
    for since in ("0.9.0", "1.0.0"):
        old = project.path(f"releases/app-{since}.bin")
        patch = folder / f"since-{since}.patch"
        steps += [
            maker.delta(old, image, patch),
            maker.manifest(
                patch,
                patches,
                version,
                patch.with_suffix(".manifest"),
                precursor=Precursor(old, FirmwareVersion.parse(since)),
            ),
        ]
    return steps
