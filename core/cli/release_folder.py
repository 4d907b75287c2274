"""Options of the commands about a whole folder of artifacts, and what they stand for."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.options import add_config, find_config, read_config
from fotabuild.errors import ConfigError, in_file

if TYPE_CHECKING:
    from fotabuild.config.loader import LoadedConfig
    from fotabuild.device.manifest_acceptance import Device
    from fotabuild.report.folder import ReleaseFolder
    from fotabuild.report.precursors import Precursors


@dataclass(frozen=True)
class Scene:
    """A folder of artifacts, the devices that it is for, and the images that these run.

    Attributes:
        folder: the artifacts.
        device: the devices, with public key and certificate.
        precursors: the images.
        config: the configuration, if there is one.
    """

    folder: ReleaseFolder
    device: Device
    precursors: Precursors
    config: LoadedConfig | None


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add the folder, and what is known of devices."""
    parser.add_argument("folder", type=Path, help="the folder of artifacts")
    parser.add_argument(
        "--certificate", metavar="CERT", help="the devices' certificate, if not the configured one"
    )
    parser.add_argument(
        "--precursors",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder with images that devices run, besides configured releases; may be repeated",
    )
    parser.add_argument(
        "--several-statements",
        action="store_true",
        help="allow more than one statement on the origin, in a folder of several releases",
    )
    parser.add_argument(
        "--no-config", action="store_true", help="use no configuration, even if there is one"
    )
    add_config(parser)


def read_scene(args: argparse.Namespace) -> Scene:
    """Read what the options of :func:`add_folder` name.

    Raises:
        ConfigError: neither a configuration nor an option names a certificate.
        ReleaseFolderError: the folder cannot be looked at.
    """
    from fotabuild.device.profile import DeviceProfile
    from fotabuild.report.folder import read_folder
    from fotabuild.report.trust import device_with
    from fotabuild.signing.certificate import read_certificate

    config = _config(args)
    certificate = args.certificate
    profile, identity = DeviceProfile(enforced=args.profile != "none"), None
    if config is not None:
        profile, identity = config.project.device.to_profile(), config.identity
        certificate = certificate or config.project.credentials.certificate
    if certificate is None:
        raise ConfigError(
            "no certificate to verify with", remedy="give --certificate, or a configuration"
        )
    with in_file(certificate):
        der = read_certificate(Path(certificate))
        device = device_with(der, profile, identity)
    folder = read_folder(args.folder)
    return Scene(folder, device, _precursors(args, config, folder), config)


def _config(args: argparse.Namespace) -> LoadedConfig | None:
    if args.no_config:
        return None
    if args.config is None:
        try:
            find_config()
        except ConfigError:
            return None
    return read_config(args)


def _precursors(
    args: argparse.Namespace, config: LoadedConfig | None, folder: ReleaseFolder
) -> Precursors:
    from fotabuild.report.artifact import ArtifactKind
    from fotabuild.report.folder import read_folder
    from fotabuild.report.precursors import InstalledImage, Precursors

    images = []
    if config is not None:
        from fotabuild.plan.field_releases import releases_in_field

        images += [
            InstalledImage(release.image, release.version, release.elf)
            for release in releases_in_field(config).releases
        ]
    others = [read_folder(other) for other in args.precursors]
    for place in (*others, folder):
        images += [InstalledImage(file.path) for file in place.of_kind(ArtifactKind.FILE)]
    return Precursors(images)
