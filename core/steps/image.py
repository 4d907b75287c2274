"""The step that makes the flat image: what is installed, signed and patched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fotabuild.errors import AddressError, FileError, in_file
from fotabuild.files.reading import read_file
from fotabuild.files.writing import write_file
from fotabuild.formats import elf_image
from fotabuild.limits import READ_LIMITS
from fotabuild.steps.step import CheckFile, Step, StepKind, StepResult


@dataclass(frozen=True, kw_only=True)
class ImageStep(Step):
    """Lay out a linked ELF file, or take a binary image as it is.

    Attributes:
        source: the ELF file or the binary image.
        output: the flat image.
        address: where an ELF file must be linked to; None for anywhere.
    """

    kind = StepKind.IMAGE
    source: Path
    output: Path
    address: int | None = None

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The linked firmware."""
        return (self.source,)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The flat image."""
        return (self.output,)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The expected address; the bytes of the source decide the rest."""
        return {"address": self.address}

    def check_inputs(self, check: CheckFile) -> None:
        """Look at the linked firmware."""
        check(self.source, READ_LIMITS.image, "firmware")

    def run(self) -> StepResult:
        """Read, flatten, write."""
        data = read_file(self.source, READ_LIMITS.image, "firmware")
        summary = "binary image"
        if data.startswith(elf_image.MAGIC):
            with in_file(self.source):
                flat = elf_image.flatten(data)
                if self.address not in (None, flat.address):
                    raise AddressError(
                        f"the firmware is linked to {flat.address:#x}, the layout puts it at "
                        f"{self.address:#x}",
                        remedy="correct the linker script, or layout in the configuration",
                    )
            data = flat.content
            summary = f"from address {flat.address:#x}"
        if data.startswith(elf_image.MAGIC):
            raise FileError("the firmware image begins with an ELF header", file=self.source)
        if not data:
            raise FileError("the firmware image is empty", file=self.source)
        write_file(self.output, data, inputs=self.inputs)
        return StepResult(f"{len(data)} bytes, {summary}")
