"""What the manifests of both schemas read of a patch: its side file."""

from __future__ import annotations

from pathlib import Path

from fotabuild.config.yaml_reader import read_yaml
from fotabuild.digest import sha256
from fotabuild.errors import SidecarError, in_file
from fotabuild.files.reading import read_file
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader
from fotabuild.limits import READ_LIMITS


def read_sidecar(payload: Path, patch: bytes, sidecar: Path | None) -> PatchSidecar:
    """Read the side file of a patch and compare it with the patch.

    Args:
        payload: name of the patch.
        patch: its content.
        sidecar: its side file; beside it with the suffix ``.yaml`` by default.

    Raises:
        SidecarError: malformed, or of another patch.
        PatchError: the patch itself is malformed.
    """
    path = sidecar or payload.with_suffix(".yaml")
    with in_file(path):
        values = PatchSidecar.from_values(
            read_yaml(read_file(path, READ_LIMITS.config, "side file of the patch")).values
        )
        if values.patch_digest not in (None, sha256(patch)):
            raise SidecarError(
                f"this file describes another patch than {payload.name}",
                field="patch-digest",
                remedy="make the patch again",
            )
    with in_file(payload):
        header = PatchHeader.decode(patch[:HEADER_SIZE])
    if header.new_size != values.installed_size:
        raise SidecarError(
            f"the patch makes {header.new_size} bytes, this file says {values.installed_size}",
            file=path,
            field="installed-size",
            remedy="make the patch again",
        )
    return values
