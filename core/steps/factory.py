"""The step that makes the factory image: bootloader, header and application in one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fotabuild.errors import in_file
from fotabuild.files.reading import read_file
from fotabuild.files.writing import write_file
from fotabuild.formats.factory_image import FlashPart, combine
from fotabuild.limits import READ_LIMITS
from fotabuild.steps.step import CheckFile, Step, StepKind, StepResult


@dataclass(frozen=True)
class FlashFile:
    """A file and its place: what it is, the file, the offset in bytes from the start of flash."""

    name: str
    file: Path
    offset: int


@dataclass(frozen=True, kw_only=True)
class FactoryStep(Step):
    """Combine files into one flash image.

    Attributes:
        parts: the files, in order of their offsets.
        fill: byte for the holes between them.
        output: the factory image. Updates carry the application alone.
    """

    kind = StepKind.FACTORY
    parts: tuple[FlashFile, ...]
    fill: int
    output: Path

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Bootloader, header and application."""
        return tuple(part.file for part in self.parts)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The factory image."""
        return (self.output,)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Offsets and the fill byte."""
        return {"parts": [[part.name, part.offset] for part in self.parts], "fill": self.fill}

    def check_inputs(self, check: CheckFile) -> None:
        """Look at the parts."""
        for part in self.parts:
            check(part.file, READ_LIMITS.image, part.name)

    def run(self) -> StepResult:
        """Read the parts, lay them out, write."""
        parts = [
            FlashPart(part.name, part.offset, read_file(part.file, READ_LIMITS.image, part.name))
            for part in self.parts
        ]
        with in_file(self.output):
            image = combine(parts, self.fill)
        write_file(self.output, image, inputs=self.inputs)
        return StepResult(f"{len(image)} bytes, application at {self.parts[-1].offset:#x}")
