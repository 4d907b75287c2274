"""Check the statements on the origin of a folder: signed, true, and about everything in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from fotabuild.device.report import AcceptanceReport, CheckResult, ReportBuilder, Verdict
from fotabuild.errors import FotabuildError, ProvenanceError
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.provenance.envelope import unseal
from fotabuild.provenance.statement import read_subjects
from fotabuild.report.artifact import Artifact, ArtifactKind
from fotabuild.report.folder import ReleaseFolder
from fotabuild.report.verified import Verified

_STATED = CheckResult("provenance", Verdict.PASSED, "stated")
_UNKNOWN = CheckResult(
    "provenance",
    Verdict.FAILED,
    "no statement here speaks of this content",
    remedy="remove the file, or state its origin",
)
_REPORT = CheckResult(
    "provenance", Verdict.SKIPPED, "no statement speaks of this report: trust it as its place"
)


@dataclass
class Statements:
    """What the statements in a folder say.

    Attributes:
        folder: the folder.
        public_key: the key that signs them; None for one that cannot.
        ignored: names of files that are about to be made again.
        covered: digests by name; None until there is a statement that can be trusted.
    """

    folder: ReleaseFolder
    public_key: bytes | None
    ignored: Collection[str] = ()
    covered: dict[str, bytes] | None = field(default=None, init=False)

    def check(self, artifact: Artifact) -> Verified:
        """Verify one statement, and compare the folder with it."""
        builder = ReportBuilder()
        # A statement that cannot be trusted covers nothing, and everything has to be covered.
        self.covered = self.covered or {}
        try:
            if self.public_key is None:
                raise ProvenanceError("only keys on P-256 sign statements")
            data = read_file(artifact.path, READ_LIMITS.provenance, "statement")
            subjects = read_subjects(unseal(data, self.public_key))
        except FotabuildError as error:
            builder.check("statement", False, str(error))
            return Verified(artifact, builder.build())
        builder.check("statement", True, f"signed, on {len(subjects)} files")
        for name, digest in subjects.items():
            self.covered.setdefault(name, digest)
            found = self.folder.named(name)
            if name in self.ignored:
                continue
            if found is None:
                builder.check(f"subject:{name}", False, "is not here")
            elif found.digest != digest:
                builder.check(
                    f"subject:{name}", False, f"has {found.digest.hex()}, stated is {digest.hex()}"
                )
        if builder.build().accepted:
            builder.check("subjects", True, "all are here as stated")
        return Verified(artifact, builder.build())

    def compare(self, item: Verified) -> Verified:
        """Add to the results of a file whether its content is stated."""
        artifact = item.artifact
        if self.covered is None or artifact.kind is ArtifactKind.PROVENANCE:
            return item
        stated = self.covered.get(artifact.name) == artifact.digest
        result = _STATED if stated else _UNKNOWN if artifact.is_covered else _REPORT
        return replace(item, report=AcceptanceReport((*item.report.results, result)))

    def check_count(self, report: ReportBuilder, *, needed: bool, several: bool) -> None:
        """Check that there is one statement, or as many as there may be."""
        count = len(self.folder.of_kind(ArtifactKind.PROVENANCE))
        if not count and not needed:
            report.skip("statements", "there is none on the origin of these files")
        elif count > 1 and not several:
            # Files of two signed releases, each with its statement, are not one release.
            report.check(
                "statements",
                False,
                f"{count}: the files could be of several releases",
                remedy="keep one statement; --several-statements if this is meant to be",
            )
        else:
            report.check(
                "statements",
                count > 0,
                f"{count}",
                remedy="make one with 'fotabuild provenance create'",
            )
