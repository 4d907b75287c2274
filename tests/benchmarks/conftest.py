from __future__ import annotations

import pytest

from ..conftest import ROOT


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmarks are programs in one folder that import each other by name."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
