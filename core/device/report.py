"""Named results of acceptance checks."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import NamedTuple

from fotabuild.errors import FormatError, VerificationError


class Verdict(enum.Enum):
    """Outcome of one check."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    SKIPPED = "skipped"


class CheckResult(NamedTuple):
    """One check of the device.

    Attributes:
        name: stable name, such as ``payload-digest``.
        verdict: the outcome.
        detail: what was compared, or why the check was skipped.
        device_status: the status that the device reports on failure, None when it has none.
        remedy: what to do about a failure.
    """

    name: str
    verdict: Verdict
    detail: str = ""
    device_status: int | None = None
    remedy: str = ""


class AcceptanceReport(NamedTuple):
    """All results for one artifact, in the device's order."""

    results: tuple[CheckResult, ...]

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The checks at which the device would refuse the artifact."""
        return self._of(Verdict.FAILED)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        """The checks that pass with a consequence to know about."""
        return self._of(Verdict.WARNING)

    @property
    def warning_texts(self) -> tuple[str, ...]:
        """The warnings, for people."""
        return tuple(f"{w.name}: {w.detail}; {w.remedy}" for w in self.warnings)

    @property
    def accepted(self) -> bool:
        """Whether no check failed. Skipped checks do not count: look at them too."""
        return not self.failures

    def _of(self, verdict: Verdict) -> tuple[CheckResult, ...]:
        return tuple(result for result in self.results if result.verdict is verdict)

    def require(self) -> None:
        """Pass when the artifact is accepted.

        Raises:
            VerificationError: naming every failed check.
        """
        if self.accepted:
            return
        problems = "; ".join(f"{result.name}: {result.detail}" for result in self.failures)
        remedies = dict.fromkeys(r.remedy for r in self.failures if r.remedy)
        raise VerificationError(
            f"a device would refuse this: {problems}", remedy="; ".join(remedies) or None
        )


class ReportBuilder:
    """Collects results in order.

    Args:
        enforced: whether bounds and abilities of the device count; see ``DeviceProfile.enforced``.
    """

    def __init__(self, *, enforced: bool = True) -> None:
        self._enforced = enforced
        self._results: list[CheckResult] = []

    def check(
        self, name: str, passed: bool, detail: str, status: int | None = None, remedy: str = ""
    ) -> bool:
        """Record a check and return whether it passed."""
        verdict = Verdict.PASSED if passed else Verdict.FAILED
        self._results.append(CheckResult(name, verdict, detail, status, "" if passed else remedy))
        return passed

    def attempt(
        self, name: str, action: Callable[[], object], detail: str, status: int | None = None
    ) -> None:
        """Record a check that raises where it fails; ``detail`` is what is said where it passes."""
        try:
            action()
        except (FormatError, VerificationError) as error:
            self.check(name, False, error.problem, status)
        else:
            self.check(name, True, detail)

    def limit(
        self, name: str, passed: bool, detail: str, status: int | None = None, remedy: str = ""
    ) -> None:
        """Record a check of a bound or an ability of the device."""
        if passed or self._enforced:
            self.check(name, passed, detail, status, remedy)
        else:
            self.skip(name, f"{detail}; not enforced")

    def warn_unless(self, name: str, passed: bool, detail: str, remedy: str = "") -> None:
        """Record a check whose failure is worth a warning."""
        verdict = Verdict.PASSED if passed else Verdict.WARNING
        self._results.append(CheckResult(name, verdict, detail, None, "" if passed else remedy))

    def skip(self, name: str, reason: str) -> None:
        """Record a check that could not be made."""
        self._results.append(CheckResult(name, Verdict.SKIPPED, reason))

    def extend(self, report: AcceptanceReport) -> None:
        """Add the results of another report."""
        self._results.extend(report.results)

    def build(self) -> AcceptanceReport:
        """Return the report."""
        return AcceptanceReport(tuple(self._results))
