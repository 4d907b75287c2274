"""``fotabuild keys check``: do key and certificate belong together, and will a device take them."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

from fotabuild.config.kept_files import key_access
from fotabuild.config.loader import LoadedConfig
from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.errors import ConfigError, FileError, FotabuildError, in_file
from fotabuild.files.dates import build_time
from fotabuild.signing.certificate import public_key_of, read_certificate, validity_of
from fotabuild.signing.key_file import open_to_others
from fotabuild.signing.signer import key_file, open_signer

# Neither a manifest nor a firmware: signing it is of no use to anybody.
_TEST_DATA = b"fotabuild keys check"
_SOON = datetime.timedelta(days=90)


def check_keys(config: LoadedConfig) -> AcceptanceReport:
    """Look at key and certificate of a project, and sign some test data.

    Raises:
        ConfigError: the project names no key or no certificate.
    """
    credentials = config.project.credentials
    for name, value in (("key", credentials.key), ("certificate", credentials.certificate)):
        if value is None:
            raise ConfigError("this setting is needed and missing", field=f"credentials.{name}")
    assert credentials.key is not None
    assert credentials.certificate is not None
    report = ReportBuilder(enforced=config.project.device.to_profile().enforced)
    path = Path(credentials.certificate)
    access = key_access(credentials, config.project.publish.access_key)
    _check_mode(report, key_file(credentials.key, access))
    certificate_key = None
    try:
        certificate = read_certificate(path)
        with in_file(path):
            certificate_key = public_key_of(certificate)
    except FotabuildError as error:
        report.check("certificate", False, error.problem, remedy=error.remedy or "")
    else:
        report.check("certificate", True, "holds a P-256 key")
        limit = config.project.device.limits.certificate_size
        report.limit(
            "certificate-size",
            len(certificate) <= limit,
            f"{len(certificate)} bytes, the device takes {limit}",
            remedy="a larger one overruns the device's memory: make a smaller one",
        )
        _check_dates(report, certificate)
    name = "key"
    try:
        signer = open_signer(credentials.key, access, certificate_key)
        report.check(name, True, "is on P-256")
        name = "signature"
        signer.sign(_TEST_DATA)
        report.check(name, True, "test data was signed and verified")
    except FotabuildError as error:
        report.check(name, False, str(error))
        return report.build()
    if certificate_key is not None:
        report.check(
            "pair",
            signer.public_key() == certificate_key,
            "the certificate's key is compared with the one that signs",
            remedy="devices with this certificate refuse what this key signs: give its own key",
        )
    return report.build()


def _check_mode(report: ReportBuilder, path: Path | None) -> None:
    if path is None or os.name != "posix":
        report.skip("key-file-mode", "the key is not in a file, or files have no modes here")
        return
    try:
        mode = path.stat().st_mode & 0o7777
    except OSError as error:
        problem = error.strerror or str(error)
        raise FileError(f"cannot look at the private key: {problem}", file=path) from None
    report.check(
        "key-file-mode",
        not open_to_others(path),
        f"{mode:04o}",
        remedy=f"others can read the key: chmod 600 {path.name}",
    )


def _check_dates(report: ReportBuilder, certificate: bytes) -> None:
    """Say when the certificate ends. Devices do not look; the people of an audit do."""
    start, end = validity_of(certificate)
    now = datetime.datetime.fromtimestamp(build_time(), datetime.timezone.utc)
    report.warn_unless(
        "certificate-dates",
        start <= now <= end - _SOON,
        f"valid from {start:%Y-%m-%d} to {end:%Y-%m-%d}",
        "devices do not look at dates: do not replace it for that reason",
    )
