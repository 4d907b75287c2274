"""A small project with one of each file that commands read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from fotabuild.config.loader import load_config
from fotabuild.delta.encoder import make_patch
from fotabuild.digest import sha256
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.manifest_v3 import decode_signed, encode_manifest
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.formats.suit.description_reader import read_description
from fotabuild.formats.suit.envelope import create_envelope
from fotabuild.formats.suit.names import Profile
from fotabuild.formats.suit.splicing import sign_envelope
from fotabuild.plan.make import StepMaker
from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.new_release import NewRelease
from fotabuild.releases.store import ReleaseStore
from fotabuild.signing.cose import open_cose_signer
from fotabuild.simulation.folder import DeviceFolder
from fotabuild.simulation.settings import DeviceSettings
from fotabuild.steps.description import describe_step

from ..formats.elf_files import Load, make_elf
from ..formats.golden import CERTIFICATE, KEY, PUBLIC_KEY, firmware

CONFIG = """\
vendor:
  domain: acme.com
device:
  model-name: Toaster
  features: [delta, combined]
credentials:
  key: keys/update.key.pem
  certificate: keys/update.cert.der
payload:
  url: https://acme.com/{file}
releases:
- version: 1.0.0
  image: old.bin
package:
  images:
  - sub-comp-name: app
    vendor-data: one
  - sub-comp-name: table
    vendor-data: two
    file-name: table.bin
"""
LISTED = "releases:\n- version: 1.0.0\n  image: old.bin\n"
STORED = "releases:\n  store: store\n"
OLD_TOOL = """\
vendor:
  domain: acme.com
device:
  model-name: Toaster
payload:
  url: https://acme.com/app.bin
  file-path: app.bin
  format: raw-binary
"""
SUIT = {
    "manifest-version": 1,
    "manifest-sequence-number": 7,
    "update-description": "Toasts evenly",
    "components": [
        {
            "install-id": ["00"],
            "vendor-id": "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe",
            "class-id": "327c726a-c6e5-4f7a-82fb-f1d3beda80f0",
            "file": "app.bin",
            "uri": "https://acme.com/app.bin",
            "bootable": True,
        }
    ],
}
OLD, NEW = firmware("fw-1.0.0"), firmware("fw-1.1.0")


def write(folder: Path) -> None:
    """Write the project into ``folder``."""
    (folder / "keys").mkdir(parents=True)
    for name, text in {
        "fotabuild.yaml": CONFIG,
        "unreleased.yaml": CONFIG.partition("releases:")[0],
        "old-tool.yaml": OLD_TOOL,
        "suit.json": json.dumps(SUIT, indent=2),
        "stored.yaml": CONFIG.replace(LISTED, STORED),
        "releases.csv": "version,image\n1.0.1,old.bin\n1.0.2,table.bin\n",
        "parts.yaml": "parts:\n- name: table\n  file: table.bin\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, source in (("key.pem", KEY), ("cert.der", CERTIFICATE), ("pub.bin", PUBLIC_KEY)):
        shutil.copyfile(source, folder / "keys" / f"update.{name}")
    (folder / "keys" / "update.key.pem").chmod(0o600)
    patch = make_patch(OLD, NEW).data
    sidecar = PatchSidecar(sha256(NEW), len(NEW), sha256(OLD), sha256(patch), len(patch))
    for name, data in {
        "old.bin": OLD,
        "app.bin": NEW,
        "app.elf": make_elf(32, "<", Load(0x8000, NEW)),
        "table.bin": firmware("sub1"),
        "a.patch": patch,
        "a.yaml": sidecar.encode(),
    }.items():
        (folder / name).write_bytes(data)
    _write_device(folder / "sim1")
    ReleaseStore(FolderStorage(folder / "store")).add(
        NewRelease(version="1.0.0", component="MAIN", date="2026-01-01", image=OLD)
    )
    maker = StepMaker(load_config(folder / "fotabuild.yaml", environ={}))
    maker.package(folder / "app.bin", folder / "a.tar").run()
    maker.resources(folder / "a.c").run()
    maker.manifest(
        folder / "app.bin",
        PayloadFormat.RAW_BINARY,
        FirmwareVersion(1, 1, 0),
        folder / "a.manifest",
    ).run()
    suit = create_envelope(
        read_description((folder / "suit.json").read_bytes(), lambda _: NEW), Profile.CURRENT
    )
    signer = open_cose_signer(str(folder / "keys" / "update.key.pem"))
    (folder / "a.suit").write_bytes(sign_envelope(suit.data, signer))
    (folder / "released").mkdir()
    for name in ("a.manifest", "app.bin"):
        shutil.copyfile(folder / name, folder / "released" / name)
    signed = decode_signed((folder / "a.manifest").read_bytes())
    (folder / "a.tbs").write_bytes(encode_manifest(signed.manifest))
    (folder / "a.sig").write_bytes(signed.signature)


def _write_device(folder: Path) -> None:
    """Write a simulated device that runs the old image."""
    identity = load_config(folder.parent / "fotabuild.yaml", environ={}).identity
    settings = DeviceSettings(
        endpoint_name="sim1",
        vendor_id=identity.vendor_id.hex,
        class_id=identity.class_id.hex,
    )
    DeviceFolder.create(folder, settings, CERTIFICATE.read_bytes(), OLD, "1.0.0")


def write_step(folder: Path) -> Path:
    """Write the description of a step of this folder; it holds absolute names."""
    maker = StepMaker(load_config(folder / "fotabuild.yaml", environ={}))
    step = maker.image(folder / "app.elf", folder / "out" / "step.bin")
    path = folder / "step.json"
    path.write_text(json.dumps(describe_step(step)), encoding="utf-8")
    return path
