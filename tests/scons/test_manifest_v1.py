"""v1 manifests: the format argument of ``FotaManifest``, and ``formats`` in the configuration."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fotabuild.formats.manifest_v1 import decode_signed
from fotabuild.formats.payload_format import PayloadFormat

from .project import UP_TO_DATE, Project
from .sconstructs import WHOLE

_BOTH = """\
import fotabuild.scons
env = Environment(tools=[fotabuild.scons.generate], FOTAVERSION="1.1.0")
image = env.FotaImage("build/app", "table.bin")
old = "releases/app-1.0.0.bin"
patch = env.FotaDelta("build/delta", [old, image])
env.FotaManifest("build/app", image)
v1 = env.Clone(FOTAMANIFESTFORMAT="v1")
v1.FotaManifest("build/app.v1.manifest", image)
v1.FotaManifest(
    "build/delta.v1.manifest", patch, FOTAPRECURSOR=old, FOTAPRECURSORVERSION="1.0.0"
)
"""


def test_the_format_argument(project: Callable[..., Project]) -> None:
    built = project(_BOTH)
    done = built.scons("build")
    assert done.status == 0, done.stderr
    # The same messages as for the other schema.
    assert "Signing manifest build/app.v1.manifest\n" in done.stdout
    image = decode_signed(built.path("build/app.v1.manifest").read_bytes()).manifest
    assert image.payload_format is PayloadFormat.RAW_BINARY
    # 2^55, 1.1.0: manifest-v1, section 3.
    assert image.timestamp == (1 << 55) + (1 << 40) + (1 << 16)
    assert image.payload_uri == "https://updates.example.com/app.bin?$hw"
    patch = decode_signed(built.path("build/delta.v1.manifest").read_bytes()).manifest
    assert patch.payload_format is PayloadFormat.ARM_PATCH_STREAM
    assert patch.installed_digest == image.payload_digest
    assert built.scons("build").stdout == UP_TO_DATE.replace(".'", "build'")


def test_what_makes_it_again(project: Callable[..., Project]) -> None:
    built = project(_BOTH)
    assert built.scons("build").status == 0
    built.edit("fotabuild.yaml", "vendor-data-size: 64", "vendor-data-size: 65")
    assert built.scons("build").stdout.count("Signing manifest") == 3
    built.edit("fotabuild.yaml", "  features: [delta", "  client: fota\n  features: [delta")
    done = built.scons("build")
    # Only manifests of this schema are checked for a client.
    assert done.stdout.splitlines() == [
        "Signing manifest build/app.v1.manifest",
        "Signing manifest build/delta.v1.manifest",
    ]
    built.edit("SConstruct", 'T="v1"', 'T="v3"')
    assert built.scons("build").stdout.count("Signing manifest") == 2


@pytest.mark.parametrize(("name", "known"), [("v2", "v3, v1"), ("", "v3, v1")])
def test_an_unknown_format_is_named(name: str, known: str, project: Callable[..., Project]) -> None:
    done = project(_BOTH.replace('T="v1"', f'T="{name}"')).scons("build")
    assert done.status == 2
    assert f"FOTAMANIFESTFORMAT is {name!r}; known are {known}" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_manifest_goes_into_a_cache(project: Callable[..., Project]) -> None:
    built = project(f'CacheDir("cache")\n{WHOLE}')
    built.edit("fotabuild.yaml", "priority: 1\n", "priority: 1\nformats: [v3, v1]\n")
    done = built.scons()
    assert done.status == 0, done.stderr
    made = sorted(path.name for path in built.path("build/update").glob("*.v1.manifest"))
    assert made == [
        "app-0.9.0-to-1.1.0.v1.manifest",
        "app-1.0.0-to-1.1.0.v1.manifest",
        "app-1.1.0.v1.manifest",
    ]
    cached = [path.read_bytes() for path in built.path("cache").rglob("*") if path.is_file()]
    assert cached
    for manifest in built.path("build/update").glob("*.manifest"):
        assert manifest.read_bytes() not in cached, manifest.name
    assert built.scons().stdout == UP_TO_DATE
