"""A project whose manifests are signed in different ways."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..conftest import VECTORS

_CONFIG = """\
vendor: {{domain: acme.com}}
device: {{model-name: Thermometer, features: [delta, combined, encrypted, signed-image]}}
sign-image: true
payload: {{url: 'https://fw.acme.com/{{file}}'}}
credentials:
  certificate: cert.der
  {credentials}
package:
  component: PKG
  images:
  - {{sub-comp-name: app, vendor-data: a}}
  - {{sub-comp-name: table, vendor-data: b, file-name: table.bin}}
releases:
- {{version: 1.0.0, image: old.bin}}
"""
_FILES = {
    "cert.der": "keys/TEST-ONLY-update.cert.der",
    "key.pem": "keys/TEST-ONLY-update.key.pem",
    "old.bin": "firmware/fw-1.0.0.bin",
    "app.bin": "firmware/fw-1.1.0.bin",
    "table.bin": "firmware/sub2.bin",
}


def write_project(folder: Path, credentials: str = "key: key.pem") -> Path:
    """Write a project with all kinds of payloads and signed images; return its configuration."""
    for name, source in _FILES.items():
        shutil.copyfile(VECTORS / source, folder / name)
    config = folder / "fotabuild.yaml"
    config.write_text(_CONFIG.format(credentials=credentials))
    return config
