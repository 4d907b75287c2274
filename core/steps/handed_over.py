"""What one job hands to the next: no links, and payloads made of the images that are named.

Digests are compared and nothing is decoded: this runs beside a key.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fotabuild.digest import sha256
from fotabuild.errors import VerificationError
from fotabuild.files.reading import read_file
from fotabuild.formats.manifest_v1 import ManifestV1
from fotabuild.formats.manifest_v3 import ManifestV3
from fotabuild.limits import READ_LIMITS
from fotabuild.steps.delta import DeltaStep
from fotabuild.steps.package import PackageStep
from fotabuild.steps.step import Step


def refuse_links(paths: Iterable[Path]) -> None:
    """Refuse links: through them any file of this machine would be read, or replaced.

    Args:
        paths: files, there or not, in folders that were handed over.

    Raises:
        VerificationError: one of them is a link, or its folder is.
    """
    for path in paths:
        for place in (path.parent, path):
            if place.is_symlink():
                raise VerificationError(
                    "this is a link, which could lead to any file",
                    file=place,
                    remedy="hand over the files and folders themselves",
                )


def require_origin(maker: Step | None, payload: bytes, manifest: ManifestV3 | ManifestV1) -> None:
    """Compare what is to be signed of a payload with the images that it is to be made of.

    Args:
        maker: the step that makes the payload where it is built; None for a payload as it is.
        payload: the payload.
        manifest: what is to be signed of it.

    Raises:
        VerificationError: a delta that starts or ends at another image, or a package of others.
        FileError: an image cannot be read.
    """
    if isinstance(maker, PackageStep) and maker.encode() != payload:
        raise VerificationError(
            "this is not the package of the images that are here",
            file=maker.output,
            remedy="the package, an image or the configuration was changed: prepare again",
        )
    if isinstance(maker, DeltaStep):
        _require_images(maker, manifest)


def _require_images(delta: DeltaStep, manifest: ManifestV3 | ManifestV1) -> None:
    new = read_file(delta.new_image, READ_LIMITS.image, "new image")
    # With a release store its index says it, and no old image is needed.
    if delta.old_digest is None:
        old = sha256(read_file(delta.old_image, READ_LIMITS.image, "image of a release"))
    else:
        old = bytes.fromhex(delta.old_digest)
    for field, said, true, image in (
        ("installed-digest", manifest.installed_digest, sha256(new), delta.new_image),
        ("installed-size", manifest.installed_size, len(new), delta.new_image),
        ("precursor-digest", manifest.precursor_digest, old, delta.old_image),
    ):
        if said != true:
            raise VerificationError(
                f"this is not that of {image.name}",
                file=delta.sidecar,
                field=field,
                remedy="the delta or the image was changed: prepare again",
            )
