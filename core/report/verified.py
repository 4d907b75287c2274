"""The results of the checks of a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fotabuild.device.report import AcceptanceReport
from fotabuild.report.artifact import Artifact
from fotabuild.report.suit_manifest import SuitContent


@dataclass(frozen=True)
class Verified:
    """A file and the results of its checks.

    Attributes:
        artifact: the file.
        report: the results.
        fields: what a manifest v3 or v1 says; empty for everything else, and when it cannot be
            read.
        suit: what a SUIT manifest brings; None for everything else, and when it cannot be read.
    """

    artifact: Artifact
    report: AcceptanceReport
    fields: Mapping[str, Any] = field(default_factory=dict)
    suit: SuitContent | None = None


@dataclass(frozen=True)
class FolderVerification:
    """All results of a folder.

    Attributes:
        files: by name.
        whole: checks of the folder as a whole.
    """

    files: tuple[Verified, ...]
    whole: AcceptanceReport

    @property
    def accepted(self) -> bool:
        """Whether no check failed."""
        return self.whole.accepted and all(item.report.accepted for item in self.files)

    @property
    def failures(self) -> tuple[str, ...]:
        """Where checks failed: names of files and checks."""
        places = [("", self.whole), *((item.artifact.name, item.report) for item in self.files)]
        return tuple(
            f"{name}: {result.name}" if name else result.name
            for name, report in places
            for result in report.failures
        )
