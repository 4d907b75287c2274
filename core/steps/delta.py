"""The step that makes a delta patch with its side file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fotabuild.delta import decoder
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import engine, make_patch
from fotabuild.delta.patch import Patch
from fotabuild.device.patch_acceptance import accept_patch
from fotabuild.device.patch_device import PatchDevice
from fotabuild.digest import sha256
from fotabuild.errors import (
    FotabuildError,
    OutputConflictError,
    StoreDamageError,
    ThresholdError,
    in_file,
)
from fotabuild.files.reading import read_file
from fotabuild.files.writing import OutputSet
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.formats.patch_stream import HEADER_SIZE, MAGIC, PatchHeader, find_markers
from fotabuild.limits import READ_LIMITS
from fotabuild.steps.delta_inputs import (
    FULL_IMAGE_HOW,
    DeltaInputs,
    read_delta_inputs,
    read_linked,
)
from fotabuild.steps.step import CheckFile, Step, StepKind, StepResult

_SLOW_FROM = 1 << 16
"""Bytes of an image from which on people wait for the search in Python."""

if TYPE_CHECKING:
    from fotabuild.cache.content_cache import ContentCache
    from fotabuild.delta.index import OldIndex


class MadePatch(NamedTuple):
    """A patch in memory, with what it was made from.

    Attributes:
        inputs: what it was made from.
        patch: the patch; applied and compared.
        reused: whether the patch came from a cache.
    """

    inputs: DeltaInputs
    patch: Patch
    reused: bool = False


class DeltaTask(NamedTuple):
    """Which patch to make, how and for whom.

    Attributes:
        old_image: the image as installed on devices.
        new_image: the image after the update.
        block_size: frame bound in bytes.
        threshold: per cent of the new image from which on a patch is refused; None for any size.
        device: what the device has for patches.
        output: the patch.
        sidecar: the YAML beside it, which manifest tools read.
        effort: how hard to look for a smaller patch.
        time_limit: seconds after which the smallest patch so far is taken; None for no limit. The
            patch then depends on the speed of the machine.
        old_elf: the linked file of the old image; its symbols help with a smaller patch.
        new_elf: the linked file of the new image. A flat image in its place is fine: it has no
            symbols.
        old_digest: SHA-256 that the old image must have, hexadecimal; None for any.
        reuse: take the patch from the user's cache if it is there, and keep it there.
    """

    old_image: Path
    new_image: Path
    block_size: int
    threshold: int | None
    device: PatchDevice
    output: Path
    sidecar: Path
    effort: Effort = Effort.BALANCED
    time_limit: float | None = None
    old_elf: Path | None = None
    new_elf: Path | None = None
    old_digest: str | None = None
    reuse: bool = False


class DeltaStep(DeltaTask, Step):
    """Make a patch from an image in the field to the new one."""

    kind = StepKind.DELTA

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Both images, and the linked files they came from where they are known."""
        linked = (self.old_elf, self.new_elf)
        return (self.old_image, self.new_image, *(path for path in linked if path is not None))

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The patch and its side file."""
        return (self.output, self.sidecar)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Block size, threshold, effort, libraries, and what the patch is checked against."""
        return {
            "block-size": self.block_size,
            "threshold": self.threshold,
            "effort": self.effort.value,
            "time-limit": self.time_limit,
            "engine": engine(),
            "delta-support": self.device.supported,
            "limits": [self.device.memory, self.device.network_chunk],
            "enforced": self.device.enforced,
            **({} if self.old_digest is None else {"old-digest": self.old_digest}),
        }

    def check_inputs(self, check: CheckFile) -> None:
        """Look at both images and the linked files."""
        check(self.old_image, READ_LIMITS.image, "old image")
        check(self.new_image, READ_LIMITS.image, "new image")
        for path in (self.old_elf, self.new_elf):
            if path is not None:
                check(path, READ_LIMITS.image, "linked file")

    def run(self) -> StepResult:
        """Match, compress, apply as a device, compare, write."""
        if not self.reuse:
            return self.finish(self.make())
        from fotabuild.cache.content_cache import default_cache

        return self.finish(self.make(default_cache()))

    def make(self, cache: ContentCache | None = None) -> MadePatch:
        """Read the inputs and make the patch, or take it from a cache; write no output.

        Raises:
            FotabuildError: an input cannot be read, or no device could apply a patch to it.
        """
        inputs = self.read_inputs()

        def encode(index: OldIndex | None = None) -> Patch:
            return make_patch(
                inputs.old,
                inputs.new,
                block_size=self.block_size,
                effort=self.effort,
                time_limit=self.time_limit,
                hints=inputs.hints,
                index=index,
            )

        with in_file(self.new_image):
            if cache is None:
                return MadePatch(inputs, encode())
            from fotabuild.cache.indexes import find_or_build_index
            from fotabuild.cache.patches import make_or_find

            known = {self.old_image: sha256(inputs.old), self.new_image: sha256(inputs.new)}
            key = self.patch_key(lambda path: known.get(path) or sha256(read_linked(path)))
            found = make_or_find(
                cache,
                key,
                lambda: encode(find_or_build_index(cache, inputs.old)),
                lambda patch: self._fits(inputs, patch),
            )
        return MadePatch(inputs, found.patch, found.reused)

    def adopt(self, patch: Patch) -> MadePatch | None:
        """Take a patch that was made elsewhere; None if it is not the one that is needed.

        Raises:
            FotabuildError: like :meth:`make`.
        """
        inputs = self.read_inputs()
        return MadePatch(inputs, patch) if self._fits(inputs, patch) else None

    def _fits(self, inputs: DeltaInputs, patch: Patch) -> bool:
        """Apply a patch that nobody here has made; return whether it is the right one."""
        try:
            header = PatchHeader.decode(patch.data[:HEADER_SIZE])
            if (header.block_size, header.new_size) != (self.block_size, len(inputs.new)):
                return False
            return decoder.apply_patch(inputs.old, patch.data) == inputs.new
        except FotabuildError:
            return False

    def read_inputs(self) -> DeltaInputs:
        """Read both images and their linked files, and check that there can be a patch.

        Raises:
            FotabuildError: an input cannot be read, or no device could apply a patch to it.
        """
        return read_delta_inputs(
            self.old_image, self.new_image, self.old_elf, self.new_elf, self._check_digest
        )

    def _check_digest(self, old: bytes) -> None:
        if self.old_digest is not None and sha256(old).hex() != self.old_digest:
            raise StoreDamageError(
                "this image is not the one that was released",
                remedy="run 'fotabuild release verify'",
            )

    def patch_key(self, digest_of: Callable[[Path], bytes]) -> str:
        """Return what stands for the patch in a cache: all that decides which bytes it has.

        A time limit does not: patches that it cut short are not kept.

        Args:
            digest_of: returns the SHA-256 of an input.
        """
        from fotabuild.cache.patches import patch_key

        return patch_key(
            *map(digest_of, (self.old_image, self.new_image, *self.linked_files)),
            block_size=self.block_size,
            effort=self.effort,
        )

    @property
    def linked_files(self) -> tuple[Path, ...]:
        """The linked files of both images; nothing where one of them is missing."""
        if self.old_elf is None or self.new_elf is None:
            return ()
        return (self.old_elf, self.new_elf)

    def finish(self, made: MadePatch) -> StepResult:
        """Check the patch as a device would and write it with its side file.

        Raises:
            ThresholdError: the patch is not worth it.
            FotabuildError: no output was changed.
        """
        outputs = OutputSet(self.inputs)
        old, new, patch = made.inputs.old, made.inputs.new, made.patch.data
        sidecar = PatchSidecar(
            sha256(new),
            len(new),
            sha256(old),
            sha256(patch),
            len(patch),
            engine=engine(),
            effort=self.effort.value,
            symbols=made.inputs.hints is not None,
            complete=made.patch.stats.complete,
        )
        with in_file(self.old_image):  # It is another step's if that has made the patch.
            self._check_digest(old)
        with in_file(self.output):
            self._check_threshold(len(patch), len(new))
            accept_patch(
                patch, old, sidecar.installed_digest, sidecar.installed_size, self.device
            ).require()
        _refuse_foreign(self.sidecar)
        outputs.add(self.output, patch)
        outputs.add(self.sidecar, sidecar.encode(), describes=True)
        outputs.commit()
        return StepResult(
            f"{len(patch)} bytes, {100 * len(patch) / len(new):.1f} % of the image"
            f"{', from the cache' if made.reused else ''}",
            tuple(self._warnings(made)),
        )

    def _warnings(self, made: MadePatch) -> list[str]:
        warnings = [*self.device.warnings]
        if MAGIC not in find_markers(made.inputs.new):
            warnings.append(
                f"{self.new_image.name}: the new image carries no patch decoder (no marker "
                f"{MAGIC.decode()}), no delta can start from it"
            )
        if made.inputs.old == made.inputs.new:
            warnings.append(f"{self.old_image.name}: old and new image are the same")
        if not made.patch.stats.complete:
            warnings.append(
                f"{self.output.name}: the time limit of {self.time_limit:g} s ended the search at "
                f"effort {made.patch.stats.effort.value}; another run may give other bytes"
            )
        slow = self.effort is not Effort.FAST and len(made.inputs.new) >= _SLOW_FROM
        if slow and not made.patch.stats.kernel:
            # No file is named: for all patches of a build it is said once.
            warnings.append(
                "patches take about a hundred times longer than they need to, because the compiled "
                "part of the delta engine is missing here: install fotabuild where there is a C "
                "compiler, or choose effort fast"
            )
        for path, found in (
            (self.old_elf, made.inputs.old_map),
            (self.new_elf, made.inputs.new_map),
        ):
            if path is not None and found is None:
                warnings.append(f"{path.name}: this is not an ELF file, there are no symbols in it")
        return warnings

    def discard(self) -> None:
        """Remove the outputs of an earlier run, since this one has none that is worth it.

        Files that are no patch with its side file stay.
        """
        with contextlib.suppress(OSError, FotabuildError):
            if self.sidecar.exists():
                if not _is_free(self.sidecar):
                    return
                self.sidecar.unlink()
            elif not read_file(self.output, READ_LIMITS.patch, "patch").startswith(MAGIC):
                return  # Without a side file it is ours only if it looks like a patch.
            self.output.unlink(missing_ok=True)

    def _check_threshold(self, patch_size: int, new_size: int) -> None:
        if self.threshold is not None and 100 * patch_size >= self.threshold * new_size:
            raise ThresholdError(
                f"the patch has {patch_size} bytes, {100 * patch_size / new_size:.1f} % of the new "
                f"image; {self.threshold} % is the threshold",
                remedy=f"send the full image to this release ({FULL_IMAGE_HOW}), or raise "
                "delta.threshold",
            )


def _refuse_foreign(sidecar: Path) -> None:
    """Refuse to replace a file that is no side file: it may be anybody's YAML."""
    if _is_free(sidecar) or _is_free(sidecar):  # Another build may just have been replacing it.
        return
    raise OutputConflictError(
        "the side file of the patch would overwrite this file, which is something else",
        file=sidecar,
        remedy="choose another name for the patch",
    )


def _is_free(sidecar: Path) -> bool:
    try:
        if not sidecar.exists():
            return True
    except OSError:  # Writing it will tell what is wrong with the name.
        return True
    try:
        text = read_file(sidecar, READ_LIMITS.config, "side file")
        if PatchSidecar.decode(text) is not None:
            return True
        from fotabuild.config.yaml_reader import read_yaml  # Seldom needed, and slow to load.

        PatchSidecar.from_values(read_yaml(text).values)
    except FotabuildError:
        return False
    return True
