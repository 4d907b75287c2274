"""``manifest-package-tool``: make and read combined packages."""

from __future__ import annotations

import argparse
import sys
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.program import (
    add_version,
    commands,
    existing_file,
    integer,
    run_program,
)
from fotabuild.errors import in_file, printable


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="manifest-package-tool", description="Make and read combined packages."
    )
    add_version(parser)
    actions = commands(parser)
    create = actions.add_parser("create", help="make a package")
    create.add_argument(
        "-c", "--config", metavar="YAML", type=existing_file, required=True, help="the images"
    )
    create.add_argument("-f", "--format", choices=["tar"], default="tar", help="form of a package")
    create.add_argument(
        "-a",
        "--image-alignment-size",
        type=integer(1),
        default=1,
        help="for compatibility: without effect, and a warning when it is not 1",
    )
    create.add_argument("-o", "--output", type=Path, required=True, help="the package")
    create.set_defaults(run=_create)
    parse = actions.add_parser("parse", help="check a package and print what is in it")
    parse.add_argument("-p", "--package", type=existing_file, required=True, help="the package")
    parse.set_defaults(run=_parse)
    return parser


def entry_point(argv: Sequence[str] | None = None) -> int:
    """Run the program; ``argv`` does not hold its name."""
    return run_program(make_parser(), argv)


def _create(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.config.input_paths import InputPaths
    from fotabuild.config.package_input import read_package_input
    from fotabuild.device.profile import DeviceFeature, DeviceLimits, DeviceProfile
    from fotabuild.files.names import refuse_overwrite
    from fotabuild.files.reading import read_file
    from fotabuild.limits import READ_LIMITS
    from fotabuild.steps.package import PackageEntry, PackageStep

    if args.image_alignment_size != 1:
        log.warning("--image-alignment-size has no effect: devices need no alignment")
    values = read_package_input(
        read_file(args.config, READ_LIMITS.config, "configuration"), args.config
    )
    refuse_overwrite(args.output, [args.config])
    paths = InputPaths(args.config.parent, log.warning)
    entries = tuple(
        PackageEntry(image.sub_comp_name, image.vendor_data.encode(), paths.find(image.file_name))
        for image in values.images
    )
    step = PackageStep(
        entries=entries,
        # How many images devices take is not known here.
        profile=DeviceProfile(
            features=frozenset({DeviceFeature.COMBINED}),
            limits=DeviceLimits(sub_components=len(entries)),
        ),
        output=args.output,
    )
    if len(entries) > DeviceLimits().sub_components:
        log.warning(f"{len(entries)} images: devices take 2 unless they are built for more")
    log.debug(step.run().summary)


def _parse(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.files.reading import read_file
    from fotabuild.formats.combined_package import DESCRIPTOR_NAME, decode_package
    from fotabuild.limits import READ_LIMITS

    data = read_file(args.package, READ_LIMITS.package, "package")
    with in_file(args.package):
        images = decode_package(data)
    log.result(printable(str(args.package)))
    log.result("Contents of the tar package - ")
    for name in (DESCRIPTOR_NAME, *(image.name for image in images)):
        log.result(printable(f"File name : {name}"))
    log.result("Information of update images:")
    for image in images:
        fields = (
            ("id", image.name.encode()),
            ("vendor-data", image.vendor_data),
            ("vendor-data-size", len(image.vendor_data)),
            ("image-size", len(image.content)),
        )
        listed = ", ".join(f"({name!r}, {value!r})" for name, value in fields)
        log.result(f"{OrderedDict.__name__}([{listed}])")


if __name__ == "__main__":
    sys.exit(entry_point())
