"""What all steps of a plan have in common."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from fotabuild import __version__


class StepKind(enum.Enum):
    """The artifacts that a build can make."""

    RESOURCES = "resources"
    IMAGE = "image"
    DELTA = "delta"
    PACKAGE = "package"
    MANIFEST = "manifest"
    MANIFEST_V1 = "manifest-v1"
    SUIT = "suit"
    FACTORY = "factory"
    REPORT = "report"

    @property
    def is_manifest(self) -> bool:
        """Whether it is signed, and says what a device shall install."""
        return self in (StepKind.MANIFEST, StepKind.MANIFEST_V1, StepKind.SUIT)


#: Refuses a file that cannot be read: its path, the largest size in bytes, what it is.
CheckFile = Callable[[Path, int, str], None]


class StepResult(NamedTuple):
    """What a step has to tell people.

    Attributes:
        summary: one line about the artifact.
        warnings: what is right for the device and still worth knowing.
    """

    summary: str
    warnings: tuple[str, ...] = ()


class Step(ABC):
    """A pure description of one artifact; :meth:`run` makes it.

    Two steps with equal :meth:`signature` and equal input files make equal output files, wherever
    they run. Steps may run in parallel threads.
    """

    kind: ClassVar[StepKind]

    @property
    @abstractmethod
    def inputs(self) -> tuple[Path, ...]:
        """Every file that :meth:`run` reads."""

    @property
    def optional_inputs(self) -> tuple[Path, ...]:
        """Those of them that :meth:`run` can do without."""
        return ()

    @property
    @abstractmethod
    def outputs(self) -> tuple[Path, ...]:
        """Every file that :meth:`run` writes, the artifact first."""

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, Any]:
        """Everything else that the outputs depend on, as JSON-like values without paths."""

    @abstractmethod
    def run(self) -> StepResult:
        """Make the outputs.

        Raises:
            FotabuildError: no output was changed.
        """

    @abstractmethod
    def check_inputs(self, check: CheckFile) -> None:
        """Refuse inputs that are not there as :meth:`run` would; read no private key.

        Args:
            check: looks at a file, unless another step makes it first.

        Raises:
            FotabuildError: as :meth:`run`.
        """

    @property
    def name(self) -> str:
        """Unique name within a plan."""
        return f"{self.kind.value}:{self.outputs[0].name}"

    def signature(self) -> str:
        """Return what a build system compares to find out whether the step must run again."""
        import json  # Only build systems ask.

        values = {
            "fotabuild": __version__,
            "kind": self.kind.value,
            "parameters": dict(self.parameters),
        }
        return json.dumps(values, sort_keys=True, separators=(",", ":"))


class SigningStep(Step):
    """A step that signs what it makes."""

    @property
    @abstractmethod
    def signs_with(self) -> Hashable:
        """The key, how it is reached and what it must match.

        None where another machine signs, or where only :meth:`run` can open the key: once.
        """

    @abstractmethod
    def check_key(self) -> None:
        """Open what signs and compare it with the certificate, as :meth:`run` does.

        Raises:
            FotabuildError: as :meth:`run`.
        """
