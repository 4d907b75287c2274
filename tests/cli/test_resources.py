"""``fotabuild resources``: the C source with identity and certificate."""

from __future__ import annotations

import os

from fotabuild.formats.update_resources import decode_arrays

from ..formats.golden import CERTIFICATE, PUBLIC_KEY
from .conftest import Cli


def test_source_with_the_values_of_the_project(cli: Cli) -> None:
    done = cli.good("resources")
    assert done.stdout == "update_default_resources.c\n"
    arrays = decode_arrays((cli.folder / "update_default_resources.c").read_bytes())
    assert arrays["arm_uc_default_certificate"] == CERTIFICATE.read_bytes()
    assert arrays["arm_uc_update_public_key"] == PUBLIC_KEY.read_bytes()
    config = cli.good("config").stdout
    vendor = arrays["arm_uc_vendor_id"].hex()
    assert vendor in config.replace("-", "")


def test_second_run_leaves_the_file_alone(cli: Cli) -> None:
    """Its date stays, so that nothing is compiled again."""
    cli.good("resources", "-o", "r.c")
    os.utime(cli.folder / "r.c", (1, 1))
    cli.good("resources", "-o", "r.c")
    assert (cli.folder / "r.c").stat().st_mtime == 1
    cli.good("resources", "-o", "r.c", "--set", "device.model-name=Kettle")
    assert (cli.folder / "r.c").stat().st_mtime > 1


def test_certificate_above_the_device_s_limit(cli: Cli) -> None:
    size = CERTIFICATE.stat().st_size
    limit = "device.limits.certificate-size"
    cli.good("resources", "--set", f"{limit}={size}")
    done = cli("resources", "-o", "r.c", "--set", f"{limit}={size - 1}")
    assert (done.status, done.stdout) == (3, "")
    assert f"{size} bytes, the device copies at most {size - 1}" in done.stderr
    assert not (cli.folder / "r.c").exists()


def test_another_certificate(cli: Cli) -> None:
    cli.good("init", "other", "--credentials-only")
    cli.good("resources", "-o", "r.c", "--update-certificate", "other/keys/update.cert.der")
    arrays = decode_arrays((cli.folder / "r.c").read_bytes())
    other = (cli.folder / "other" / "keys" / "update.cert.der").read_bytes()
    assert arrays["arm_uc_default_certificate"] == other


def test_private_key_is_not_needed(cli: Cli) -> None:
    (cli.folder / "keys" / "update.key.pem").unlink()
    cli.good("resources")
