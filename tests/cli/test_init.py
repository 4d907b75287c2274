"""``fotabuild init``: key, certificate, configuration; nothing that exists is lost."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography import x509

from fotabuild.config.loader import load_config
from fotabuild.signing.certificate import public_key_of, read_certificate
from fotabuild.signing.pem import PemSigner

from ..formats.golden import CERTIFICATE, KEY, OTHER_KEY, PKCS8_KEY
from .conftest import Cli, MakeCli


@pytest.fixture
def empty(cli_in: MakeCli, tmp_path: Path) -> Cli:
    return cli_in(tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_project_from_nothing(empty: Cli) -> None:
    done = empty.good("init")
    assert set(empty.tree()) == {"fotabuild.yaml", "keys/update.key.pem", "keys/update.cert.der"}
    assert done.stdout.splitlines() == [
        "keys/update.key.pem",
        "keys/update.cert.der",
        "fotabuild.yaml",
    ]
    assert "keep it secret" in done.stderr
    key = PemSigner.open(empty.folder / "keys" / "update.key.pem")
    certificate = read_certificate(empty.folder / "keys" / "update.cert.der")
    assert public_key_of(certificate) == key.public_key()
    config = load_config(empty.folder / "fotabuild.yaml", environ={})
    assert config.project.credentials.key == str(empty.folder / "keys" / "update.key.pem")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777 & ~0o700])
def test_key_is_for_its_owner_only(umask: int, empty: Cli) -> None:
    before = os.umask(umask)
    try:
        empty.good("init")
    finally:
        os.umask(before)
    assert mode(empty.folder / "keys" / "update.key.pem") == 0o600


def test_two_projects_have_different_keys_and_ids(empty: Cli) -> None:
    empty.good("init", "one")
    empty.good("init", "two")
    folders = [empty.folder / name for name in ("one", "two")]
    keys = {PemSigner.open(folder / "keys/update.key.pem").public_key() for folder in folders}
    ids = {load_config(f / "fotabuild.yaml", environ={}).identity for f in folders}
    assert (len(keys), len(ids)) == (2, 2)


def test_names_and_url(empty: Cli) -> None:
    url = "https://acme.com/{version}/{file}?a='b'"
    arguments = ["--vendor-domain", "acme.com", "--model-name", 'Toaster "2" \u00e4', "--url", url]
    empty.good("init", *arguments)
    project = load_config(empty.folder / "fotabuild.yaml", environ={}).project
    assert (project.vendor.domain, project.device.model_name) == ("acme.com", 'Toaster "2" \u00e4')
    assert project.payload.url == url


def test_a_second_run_changes_nothing(empty: Cli) -> None:
    empty.good("init")
    before = empty.tree()
    done = empty("init")
    assert (done.status, done.stdout) == (1, "")
    assert "has a configuration already" in done.stderr
    assert empty.tree() == before


def test_credentials_alone_and_again(empty: Cli) -> None:
    empty.good("init", "--credentials-only")
    before = empty.tree()
    assert set(before) == {"keys/update.key.pem", "keys/update.cert.der"}
    again = empty.good("init", "--credentials-only")
    assert again.stdout.splitlines() == ["keys/update.key.pem", "keys/update.cert.der"]
    assert {name: data for name, (data, _) in empty.tree().items()} == {
        name: data for name, (data, _) in before.items()
    }


def test_a_lost_certificate_is_made_for_the_key_that_is_there(empty: Cli) -> None:
    empty.good("init", "--credentials-only")
    key = (empty.folder / "keys" / "update.key.pem").read_bytes()
    (empty.folder / "keys" / "update.cert.der").unlink()
    empty.good("init", "--credentials-only")
    assert (empty.folder / "keys" / "update.key.pem").read_bytes() == key
    certificate = read_certificate(empty.folder / "keys" / "update.cert.der")
    assert (
        public_key_of(certificate)
        == PemSigner.open(empty.folder / "keys" / "update.key.pem").public_key()
    )


def test_a_certificate_without_its_key_is_not_paired_with_a_new_one(empty: Cli) -> None:
    empty.good("init", "--credentials-only")
    (empty.folder / "keys" / "update.key.pem").unlink()
    before = empty.tree()
    done = empty("init", "--credentials-only")
    assert (done.status, empty.tree()) == (1, before)
    assert "not of the private key" in done.stderr


def test_key_is_replaced_only_when_told(empty: Cli) -> None:
    empty.good("init", "--credentials-only")
    before = empty.tree()
    empty.good("init", "--credentials-only", "--replace-key")
    after = empty.tree()
    assert all(before[name][0] != after[name][0] for name in before)
    assert mode(empty.folder / "keys" / "update.key.pem") == 0o600
    certificate = read_certificate(empty.folder / "keys" / "update.cert.der")
    key = PemSigner.open(empty.folder / "keys" / "update.key.pem")
    assert public_key_of(certificate) == key.public_key()


@pytest.mark.parametrize("key", [KEY, PKCS8_KEY], ids=["SEC1", "PKCS8"])
def test_existing_credentials_are_used_where_they_lie(key: Path, empty: Cli) -> None:
    empty.good("init", "--key", key, "--update-certificate", CERTIFICATE)
    assert set(empty.tree()) == {"fotabuild.yaml"}
    credentials = load_config(empty.folder / "fotabuild.yaml", environ={}).project.credentials
    assert (credentials.key, credentials.certificate) == (str(key), str(CERTIFICATE))


def test_existing_key_gets_a_certificate(empty: Cli) -> None:
    empty.good("init", "--key", OTHER_KEY)
    assert set(empty.tree()) == {"fotabuild.yaml", "keys/update.cert.der"}
    certificate = read_certificate(empty.folder / "keys" / "update.cert.der")
    assert public_key_of(certificate) == PemSigner.open(OTHER_KEY).public_key()


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        (("--key", OTHER_KEY, "--update-certificate", CERTIFICATE), 1, "not of the private key"),
        (("--key", CERTIFICATE), 1, "not a PEM private key"),
        (("--key", "none.pem"), 1, "cannot read the private key"),
        (("--update-certificate", CERTIFICATE), 2, "needs --key"),
        (("--key", KEY, "--replace-key"), 2, "exclude each other"),
        (("--vendor-domain", "a.b", "--vendor-id", "0" * 32), 2, "not allowed with"),
        (("--vendor-id", "123"), 1, "vendor.vendor-id"),
        (("--vendor-domain", "localhost"), 1, "vendor.domain"),
        (("--class-id", "123"), 1, "device.class-id"),
        (("--url", "https://{unknown}"), 1, "payload.url"),
    ],
)
def test_unusable_arguments_write_nothing(
    arguments: tuple[str | Path, ...], status: int, problem: str, empty: Cli
) -> None:
    done = empty("init", *arguments)
    assert (done.status, done.stdout) == (status, "")
    assert problem in done.stderr
    assert empty.tree() == {}


def test_date_of_the_certificate_is_reproducible(
    empty: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    empty.good("init", "--key", KEY)
    data = read_certificate(empty.folder / "keys" / "update.cert.der")
    start = x509.load_der_x509_certificate(data).not_valid_before_utc
    assert start.timestamp() == 1_700_000_000


def test_private_key_is_never_printed(empty: Cli) -> None:
    done = empty.good("--json", "init")
    key = (empty.folder / "keys" / "update.key.pem").read_text(encoding="ascii")
    secret = [line for line in key.splitlines() if not line.startswith("-")]
    assert not any(line in done.stdout + done.stderr for line in secret)


def test_a_new_project_builds(empty: Cli) -> None:
    empty.good("init")
    (empty.folder / "app.bin").write_bytes(b"firmware")
    empty.good("build", "app.bin", "-v", "1.0.0")
    made = sorted(path.name for path in (empty.folder / "update").iterdir())
    assert made == ["app-1.0.0.bin", "app-1.0.0.manifest"]
