"""``fotabuild config``: print every setting and where its value came from."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fotabuild.cli.options import Subparsers, add_config, add_signing, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus

if TYPE_CHECKING:
    from fotabuild.config.model import Project


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "config",
        help="print the settings and where they come from",
        description="Prints every setting with its value and the option, variable or line of the "
        "file that it comes from.",
    )
    add_config(parser)
    add_signing(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Load the configuration and print it."""
    import msgspec

    from fotabuild.config.fields import project_fields

    config = read_config(args)
    values = msgspec.to_builtins(config.project)
    settings = []
    for field in project_fields():
        value = values
        for part in field.name.split("."):
            value = None if value is None else value.get(part)
        settings.append(
            {"name": field.name, "value": value, "origin": str(config.origin(field.name))}
        )
    settings.append(
        {
            "name": "releases",
            "value": _releases(config.project),
            "origin": str(config.origin("releases")),
        }
    )
    width = max(len(setting["name"]) for setting in settings)
    lines = [f"{s['name']:<{width}}  {s['value']}  ({s['origin']})" for s in settings]
    lines.append(f"{'vendor id':<{width}}  {config.identity.vendor_id}")
    lines.append(f"{'class id':<{width}}  {config.identity.class_id}")
    output.result({"settings": settings}, "\n".join(lines))
    return ExitStatus.OK


def _releases(project: Project) -> list[str]:
    """Return the releases of the list, or what is said about the store."""
    import msgspec

    from fotabuild.config.model import AllReleases, ReleaseStore

    releases = project.releases
    if not isinstance(releases, ReleaseStore):
        return [f"{release.version} {release.image}" for release in releases]
    if isinstance(releases.deltas, AllReleases):
        return [f"store {releases.store}", "deltas all"]
    conditions = msgspec.to_builtins(releases.deltas).items()
    given = [f"deltas {name} {value}" for name, value in conditions if value is not None]
    return [f"store {releases.store}", *given]
