"""A finished build to look at: image, two deltas, package, all kinds of manifests."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from fotabuild.config.loader import LoadedConfig, load_config
from fotabuild.device.manifest_acceptance import Device
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.field_releases import releases_in_field
from fotabuild.plan.plan import make_plan
from fotabuild.plan.runner import run_plan
from fotabuild.report.folder import read_folder
from fotabuild.report.precursors import InstalledImage, Precursors
from fotabuild.report.verification import FolderVerifier
from fotabuild.report.verified import FolderVerification
from fotabuild.signing.certificate import public_key_of, read_certificate

from ..formats.golden import CERTIFICATE, KEY, firmware

CONFIG = """\
vendor:
  domain: acme.com
device:
  model-name: Toaster <2>
  features: [delta, combined]
credentials:
  key: keys/update.key.pem
  certificate: keys/update.cert.der
payload:
  url: https://acme.com/{file}
formats: [v3, v1, suit]
releases:
- version: 1.0.0
  image: old/1.0.0.bin
- version: 1.0.1
  image: old/1.0.1.bin
package:
  images:
  - sub-comp-name: app
    vendor-data: one
  - sub-comp-name: table
    vendor-data: two
    file-name: table.bin
"""
OLD, NEW = firmware("fw-1.0.0"), firmware("fw-1.1.0")
#: Files of the build. Manifests v3 and v1: two each of the image and of two patches, one of the
#: package; then that of SUIT, the image, two patches with their side files, and the package.
MANIFESTS, FILES = 7, 7 + 1 + 6


@dataclass(frozen=True)
class Built:
    """A project in a folder, and its artifacts in ``update``."""

    root: Path

    @property
    def update(self) -> Path:
        """The artifacts."""
        return self.root / "update"

    @property
    def config(self) -> LoadedConfig:
        """The configuration."""
        return load_config(self.root / "fotabuild.yaml", environ={})

    def device(self) -> Device:
        """Return the devices."""
        certificate = read_certificate(CERTIFICATE)
        return Device(
            profile=self.config.project.device.to_profile(),
            public_key=public_key_of(certificate),
            identity=self.config.identity,
            certificate=certificate,
        )

    def precursors(self) -> Precursors:
        """Return the images in the field."""
        releases = releases_in_field(self.config).releases
        return Precursors([InstalledImage(r.image, r.version) for r in releases])

    def verify(self, *, need_provenance: bool = False) -> FolderVerification:
        """Check the artifacts as they are now."""
        return FolderVerifier(
            read_folder(self.update),
            self.device(),
            self.precursors(),
            need_provenance=need_provenance,
        ).run()


def build(root: Path, version: tuple[int, int, int] = (1, 1, 0)) -> Built:
    """Build the project in ``root``."""
    for name, data in {
        "fotabuild.yaml": CONFIG.encode(),
        "keys/update.key.pem": KEY.read_bytes(),
        "keys/update.cert.der": CERTIFICATE.read_bytes(),
        "old/1.0.0.bin": OLD,
        "old/1.0.1.bin": OLD[:9000] + b"a correction" * 9 + OLD[9000:],
        "table.bin": firmware("sub1"),
        "app.bin": NEW,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    built = Built(root)
    plan = make_plan(
        built.config,
        Build(image=root / "app.bin", version=FirmwareVersion(*version), folder=built.update),
    )
    run_plan(plan, lambda _step, _result: None)
    return built


def copy_of(built: Built, root: Path) -> Built:
    """Return a copy to spoil."""
    shutil.copytree(built.root, root)
    return Built(root)
