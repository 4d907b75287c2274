"""Print what a device says to an artifact, and end as it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, VerificationError, in_file, printable

if TYPE_CHECKING:
    from fotabuild.device.report import AcceptanceReport


def print_report(report: AcceptanceReport, file: Path, output: Output) -> int:
    """Print one line for each check, or all as one object; return the exit status."""
    results = [
        {
            "name": result.name,
            "verdict": result.verdict.value,
            "detail": result.detail,
            "device-status": result.device_status,
            "remedy": result.remedy,
        }
        for result in report.results
    ]
    lines = [f"{r.verdict.value:<8} {r.name:<24} {r.detail}" for r in report.results]
    lines += [f"{'':<8} {r.name:<24} to do: {r.remedy}" for r in report.failures if r.remedy]
    text = "\n".join(printable(line) for line in lines)
    output.result({"accepted": report.accepted, "results": results}, text)
    try:
        with in_file(file):
            report.require()
    except VerificationError as error:
        output.fail(error)
        return error.exit_status
    output.say("accepted")
    return ExitStatus.OK
