"""The results of checks as JSON-like values."""

from __future__ import annotations

from typing import Any

from fotabuild.device.report import AcceptanceReport
from fotabuild.report.verified import FolderVerification


def verification_values(found: FolderVerification) -> dict[str, Any]:
    """Return all results of a folder."""
    return {
        "accepted": found.accepted,
        "files": [
            {
                "name": item.artifact.name,
                "kind": item.artifact.description,
                "size": item.artifact.size,
                "sha256": item.artifact.digest.hex(),
                "accepted": item.report.accepted,
                "results": result_values(item.report),
            }
            for item in found.files
        ],
        "folder": result_values(found.whole),
    }


def result_values(report: AcceptanceReport) -> list[dict[str, Any]]:
    """Return the results of one file."""
    return [
        {
            "name": result.name,
            "verdict": result.verdict.value,
            "detail": result.detail,
            "device-status": result.device_status,
            "remedy": result.remedy,
        }
        for result in report.results
    ]
