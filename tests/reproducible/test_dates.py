"""The one date that a format demands: the validity of the certificate that ``init`` makes."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import pytest
from cryptography import x509

from ..command import run_fotabuild

CERTIFICATE = "keys/update.cert.der"
UTC = datetime.timezone.utc


def _certificate(folder: Path) -> x509.Certificate:
    return x509.load_der_x509_certificate((folder / CERTIFICATE).read_bytes())


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_source_date_epoch_is_the_date_of_the_certificate(tmp_path: Path, zone: str) -> None:
    env = {"SOURCE_DATE_EPOCH": "1600000000", "TZ": zone}
    assert run_fotabuild("init", cwd=tmp_path, env=env).status == 0
    certificate = _certificate(tmp_path)
    start = datetime.datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
    assert certificate.not_valid_before_utc == start
    assert certificate.not_valid_after_utc == start + datetime.timedelta(days=7300)


def test_without_it_the_clock_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = int(time.time())
    assert run_fotabuild("init", cwd=tmp_path).status == 0
    date = _certificate(tmp_path).not_valid_before_utc.timestamp()
    assert before <= date <= time.time()


@pytest.mark.parametrize("date", ["", "tomorrow", "-1", "1e9", "999999999999", "٣"])
def test_a_date_that_is_none_is_refused(tmp_path: Path, date: str) -> None:
    done = run_fotabuild("init", cwd=tmp_path, env={"SOURCE_DATE_EPOCH": date})
    assert done.status == 1
    assert done.stderr.startswith("error: SOURCE_DATE_EPOCH is not a number of seconds")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_build_reads_no_clock(tmp_path: Path) -> None:
    """A wrong date in the environment does not stop a build that needs none."""
    env = {"SOURCE_DATE_EPOCH": "tomorrow"}
    assert run_fotabuild("init", cwd=tmp_path).status == 0
    assert run_fotabuild("resources", "-o", "resources.c", cwd=tmp_path, env=env).status == 0
