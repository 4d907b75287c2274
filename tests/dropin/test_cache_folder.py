"""Cache folders of ``manifest-dev-tool``: two are never mixed, and nothing in one is ever lost."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fotabuild.formats import manifest_v3
from fotabuild.formats.update_resources import decode_arrays
from fotabuild.signing.certificate import make_self_signed, read_certificate
from fotabuild.signing.pem import PemSigner

from .tools import Outcome, Peer, ours

CACHE = Path(".manifest-dev-tool")
KEY, CERTIFICATE = "keys/TEST-ONLY-update.key.pem", "keys/TEST-ONLY-update.cert.der"
PAIR = ("--key", KEY, "--update-certificate", CERTIFICATE)
PAYLOAD = ("-u", "http://a.b/c", "-p", "../firmware/sub1.bin", "-o", "out")
FILES = (
    "dev.key.pem",
    "dev.cert.der",
    "dev.cfg.yaml",
    "dev.cloud_cfg.yaml",
    "update.version.yaml",
    "README.txt",
)


def dev(folder: Path, *arguments: str) -> Outcome:
    return ours("manifest-dev-tool", *arguments, cwd=folder)


def good(done: Outcome) -> Outcome:
    assert done.status == 0, done.stderr
    return done


@pytest.fixture
def projects(work: Path) -> tuple[Path, Path]:
    """Two folders, each with a cache of its own under the default name."""
    made = work / "a", work / "b"
    for folder in made:
        folder.mkdir()
        good(dev(folder, "init"))
    return made


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def signed_with(folder: Path, certificate: Path) -> bool:
    return ours("manifest-tool", "parse", "out", "-c", certificate, cwd=folder).status == 0


@pytest.mark.parametrize("command", ["create", "create-v1"])
def test_the_cache_of_another_project_signs_with_its_own_key(
    command: str, projects: tuple[Path, Path]
) -> None:
    a, b = projects
    good(dev(b, command, "--cache-dir", "../a/.manifest-dev-tool", *PAYLOAD))
    assert signed_with(b, a / CACHE / "dev.cert.der")
    assert not signed_with(b, b / CACHE / "dev.cert.der")


@pytest.mark.peer
def test_a_cache_of_the_real_tool_is_not_mixed_either(
    projects: tuple[Path, Path], peer: Peer
) -> None:
    a, b = projects
    for folder in projects:
        shutil.rmtree(folder / CACHE)
        assert peer("manifest-dev-tool", "init", cwd=folder).status == 0
    good(dev(b, "create", "--cache-dir", "../a/.manifest-dev-tool", *PAYLOAD))
    assert signed_with(b, a / CACHE / "dev.cert.der")


def test_init_with_the_cache_of_another_project_writes_its_certificate(
    projects: tuple[Path, Path],
) -> None:
    a, b = projects
    good(dev(b, "init", "--cache-dir", "../a/.manifest-dev-tool", "-g", "of_a.c"))
    arrays = decode_arrays((b / "of_a.c").read_bytes())
    expected = decode_arrays((a / "update_default_resources.c").read_bytes())
    assert arrays == expected


def test_a_key_written_elsewhere_is_used_where_there_is_no_copy(work: Path) -> None:
    good(dev(work, "init", "--cache-dir", "new", *PAIR))
    configuration = work / "new" / "dev.cfg.yaml"
    text = configuration.read_text(encoding="utf-8").replace("new/dev.key.pem", KEY)
    configuration.write_text(text, encoding="utf-8")
    (work / "new" / "dev.key.pem").unlink()
    good(dev(work, "create", "--cache-dir", "new", "-u", "u", "-p", KEY, "-o", "out"))
    assert signed_with(work, work / CERTIFICATE)


@pytest.mark.parametrize("name", ["key", "certificate"])
def test_an_original_that_differs_from_its_copy_is_refused(name: str, work: Path) -> None:
    """2.6.2 names the original in its configuration, and keeps a copy."""
    create = ("create", "--cache-dir", "dev-tool/cache", "-u", "u", "-p", KEY, "-o", "out")
    other = work / "keys" / "TEST-ONLY-other.key.pem"
    if name == "key":
        shutil.copy(other, work / KEY)
    else:
        pem = other.read_bytes()
        (work / CERTIFICATE).write_bytes(make_self_signed(pem, 1_700_000_000))
        configuration = work / "dev-tool" / "cache" / "dev.cfg.yaml"
        text = configuration.read_text(encoding="utf-8")
        text = text.replace("dev-tool/cache/dev.cert.der", CERTIFICATE)
        configuration.write_text(text, encoding="utf-8")
    for command in (create, ("create-v1", *create[1:]), ("init", *create[1:3])):
        done = dev(work, *command)
        assert done.status == 1
        assert f"differs from its copy, {Path('dev-tool/cache')}" in done.stderr, done.stderr
        assert not (work / "out").exists()
        assert not (work / "update_default_resources.c").exists()


def test_an_original_in_another_form_is_the_same_key(work: Path) -> None:
    shutil.copy(work / "keys" / "TEST-ONLY-update.key.pkcs8.pem", work / KEY)
    good(
        dev(
            work, "create", "--cache-dir", "dev-tool/cache", "-u", "u", "-p", CERTIFICATE, "-o", "o"
        )
    )


@pytest.mark.parametrize("name", FILES)
def test_outputs_are_never_written_over_the_cache(name: str, work: Path) -> None:
    folder = work / CACHE
    good(dev(work, "init", "-a", "access"))
    good(dev(work, "create", "-u", "u", "-p", KEY, "-o", "out"))
    before = content(folder)
    assert set(before) == set(FILES)
    target = f"{CACHE}/{name}"
    for arguments in (
        ("init", "-g", target),
        ("create", "-u", "u", "-p", KEY, "-o", target),
        ("create-v1", "-u", "u", "-p", KEY, "-o", target),
    ):
        done = dev(work, *arguments)
        assert (done.status, "would overwrite" in done.stderr) == (1, True), done.stderr
        assert content(folder) == before


def test_the_c_source_is_not_written_over_what_is_imported(work: Path) -> None:
    for target in (KEY, CERTIFICATE):
        before = (work / target).read_bytes()
        done = dev(work, "init", *PAIR, "-g", target)
        assert (done.status, "would overwrite" in done.stderr) == (1, True), done.stderr
        assert (work / target).read_bytes() == before
        assert not (work / CACHE).exists()


def test_the_c_source_is_not_written_over_a_key_that_has_no_copy(work: Path) -> None:
    good(dev(work, "init", "--cache-dir", "new", *PAIR))
    configuration = work / "new" / "dev.cfg.yaml"
    text = configuration.read_text(encoding="utf-8").replace("new/dev.key.pem", KEY)
    configuration.write_text(text, encoding="utf-8")
    (work / "new" / "dev.key.pem").unlink()
    before = (work / KEY).read_bytes()
    assert dev(work, "init", "--cache-dir", "new", "-g", KEY).status == 1
    assert (work / KEY).read_bytes() == before


def test_init_after_the_loss_of_the_configuration(work: Path) -> None:
    folder = work / CACHE
    good(dev(work, "init"))
    before = content(folder)
    (folder / "dev.cfg.yaml").unlink()
    refused = dev(work, "init")
    assert (refused.status, "--update-certificate" in refused.stderr) == (1, True)
    own = (f"{CACHE}/dev.key.pem", f"{CACHE}/dev.cert.der")
    old = yaml.safe_load(before["dev.cfg.yaml"])
    ids = ("--vendor-id", old["vendor-id"], "--class-id", old["class-id"])
    good(dev(work, "init", "--key", own[0], "--update-certificate", own[1], *ids))
    assert content(folder) == before


def test_init_after_the_loss_of_configuration_and_key(work: Path) -> None:
    """The certificate of a signing tool, or of a key that may come back."""
    folder = work / CACHE
    good(dev(work, "init"))
    for name in ("dev.cfg.yaml", "dev.key.pem"):
        (folder / name).unlink()
    before = content(folder)
    assert dev(work, "init").status == 1
    assert content(folder) == before


def make_certificate(work: Path, key: str = KEY) -> str:
    """Another certificate, of the same key by default."""
    pem = (work / key).read_bytes()
    (work / "new.der").write_bytes(make_self_signed(pem, 1_600_000_000))
    return "new.der"


@pytest.mark.parametrize("tool", [(), ("-s", "./sign.sh")], ids=["key", "signing tool"])
def test_a_certificate_that_devices_trust_is_not_replaced(
    tool: tuple[str, ...], work: Path
) -> None:
    folder = work / CACHE
    init = ("init", *tool, "--key", KEY, "--update-certificate")
    good(dev(work, *init, CERTIFICATE))
    before = content(folder), (work / "update_default_resources.c").read_bytes()
    new = make_certificate(work)
    refused = dev(work, *init, new)
    assert (refused.status, "--replace-key" in refused.stderr) == (1, True), refused.stderr
    assert before == (content(folder), (work / "update_default_resources.c").read_bytes())
    good(dev(work, *init, new, "--replace-key"))
    assert (folder / "dev.cert.der").read_bytes() == (work / new).read_bytes()
    assert (folder / "dev.cert.old-1.der").read_bytes() == before[0]["dev.cert.der"]
    # The certificate that is there already may be given again, in any form.
    good(dev(work, *init, new))
    assert not (folder / "dev.cert.old-2.der").exists()


def test_replaced_keys_are_kept_under_numbers(work: Path) -> None:
    folder = work / CACHE
    good(dev(work, "init"))
    first = content(folder)
    good(dev(work, "init", "--replace-key"))
    second = content(folder)
    done = good(dev(work, "init", *PAIR, "--replace-key"))
    assert (folder / "dev.key.pem").read_bytes() == (work / KEY).read_bytes()
    for number, old in ((1, first), (2, second)):
        for name in ("dev.key.pem", "dev.cert.der", "dev.cfg.yaml"):
            kept = folder / f"{Path(name).stem}.old-{number}{Path(name).suffix}"
            assert kept.read_bytes() == old[name], kept
        assert stat.S_IMODE((folder / f"dev.key.old-{number}.pem").stat().st_mode) == 0o600
    assert "dev.key.old-2.pem" in done.stdout
    # A run that fails replaces nothing.
    before = content(folder)
    assert dev(work, "init", "--replace-key", "-g", KEY + "/x.c").status == 1
    assert {name: data for name, data in content(folder).items() if name in FILES} == {
        name: data for name, data in before.items() if name in FILES
    }


def test_an_unreadable_certificate_is_kept_too(work: Path) -> None:
    good(dev(work, "init"))
    (work / CACHE / "dev.cert.der").write_bytes(b"no certificate")
    assert dev(work, "init", *PAIR).status == 1
    good(dev(work, "init", *PAIR, "--replace-key"))
    assert (work / CACHE / "dev.cert.old-1.der").read_bytes() == b"no certificate"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_that_others_can_read_are_closed(work: Path) -> None:
    folder = work / "dev-tool" / "cache"
    (folder / "dev.cloud_cfg.yaml").write_text("access_key: a\nhost: b\n", encoding="utf-8")
    secrets = (folder / "dev.key.pem", folder / "dev.cloud_cfg.yaml")
    for path in secrets:
        path.chmod(0o644)
    where = ("--cache-dir", "dev-tool/cache")
    for command in (("create", "-v", "1.2.0"), ("create-v1",)):
        done = good(dev(work, *command, *where, "-u", "u", "-p", CERTIFICATE, "-o", "out"))
        for path in secrets:
            assert f"{path.relative_to(work)}: others can read" in done.stderr
    assert mode(secrets[0]) == 0o644
    good(dev(work, "init", *where))
    assert [mode(path) for path in secrets] == [0o600, 0o600]
    done = good(dev(work, "create", *where, "-u", "u", "-p", CERTIFICATE, "-o", "out"))
    assert "others can read" not in done.stderr


def test_an_own_file_that_is_imported_again_is_closed(work: Path) -> None:
    good(dev(work, "init", *PAIR))
    own = work / CACHE / "dev.key.pem"
    own.chmod(0o644)
    pair = ("--key", str(own), "--update-certificate", str(own.with_name("dev.cert.der")))
    good(dev(work, "init", *pair))
    assert mode(own) == 0o600


def test_parallel_runs_take_different_versions(work: Path) -> None:
    good(dev(work, "init"))
    arguments = ["create", "-u", "http://a.b/c", "-p", "firmware/sub1.bin", "-o"]
    command = [sys.executable, "-m", "fotabuild.cli.dropin.dev_tool", *arguments]
    running = [
        subprocess.Popen([*command, f"out-{number}"], cwd=work, env={**os.environ})
        for number in range(4)
    ]
    assert [process.wait(60) for process in running] == [0] * 4
    found = {
        manifest_v3.decode_signed((work / f"out-{number}").read_bytes()).manifest.payload_version
        for number in range(4)
    }
    assert found == {"0.0.2", "0.0.3", "0.0.4", "0.0.5"}
    versions = yaml.safe_load((work / CACHE / "update.version.yaml").read_bytes())
    assert versions == {"MAIN": "0.0.5"}


def test_the_lock_ends_with_a_failed_run(work: Path) -> None:
    good(dev(work, "init"))
    (work / "empty").touch()
    for _ in range(2):
        assert dev(work, "create", "-u", "u", "-p", "empty", "-o", "out").status == 1
    good(dev(work, "create", "-u", "u", "-p", KEY, "-o", "out"))


@pytest.mark.parametrize("text", ["", "# nothing\n", "MAIN: one\n", "MAIN: [1]\n", "- MAIN\n"])
def test_broken_versions_have_a_remedy(text: str, work: Path) -> None:
    good(dev(work, "init"))
    (work / CACHE / "update.version.yaml").write_text(text, encoding="utf-8")
    done = dev(work, "create", "-u", "u", "-p", KEY, "-o", "out")
    assert done.status == 1
    assert re.search(r"update\.version\.yaml.*delete it to start again at 0\.0\.1", done.stderr)
    assert "fotabuild init" not in done.stderr


def test_empty_configuration_has_a_remedy(work: Path) -> None:
    good(dev(work, "init"))
    (work / CACHE / "dev.cfg.yaml").write_text("", encoding="utf-8")
    done = dev(work, "create", "-u", "u", "-p", KEY, "-o", "out")
    assert (done.status, "fotabuild init" in done.stderr) == (1, False)
    assert "delete it" in done.stderr


def test_certificate_file_in_pem_form_is_the_same_certificate(work: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    good(dev(work, "init", *PAIR))
    der = read_certificate(work / CERTIFICATE)
    pem = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    (work / "cert.pem").write_bytes(pem)
    good(dev(work, "init", "--key", KEY, "--update-certificate", "cert.pem"))
    assert (work / CACHE / "dev.cert.der").read_bytes() == der
    assert PemSigner.open(work / CACHE / "dev.key.pem")
