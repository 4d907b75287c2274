"""``manifest-dev-tool``: a cache folder of 2.6.2 keeps working; nothing is lost or given away."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
import yaml

from fotabuild.config.dev_cache import next_version
from fotabuild.errors import ConfigError
from fotabuild.formats import manifest_v1, manifest_v3
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.formats.update_resources import decode_arrays
from fotabuild.signing.certificate import public_key_of
from fotabuild.signing.pem import PemSigner

from ..conftest import VECTORS
from .tools import Outcome, Peer, ours

GOLDEN = VECTORS / "dev-tool"
CACHE = ("--cache-dir", "dev-tool/cache")
URL = "https://fw.example.com/fw-1.1.0.bin"
RAW = (*CACHE, "-u", URL, "-p", "firmware/fw-1.1.0.bin", "-o", "out")
PATCH = "delta/fw-1.0.0_to_fw-1.1.0_b512.bin"
PAIR = ("--key", "keys/TEST-ONLY-update.key.pem")
CERTIFICATE = ("--update-certificate", "keys/TEST-ONLY-update.cert.der")
IDS = (
    *("--vendor-id", "fa6b4a53d5ad5fdfbe9de663e4d41ffe"),
    *("--class-id", "327c726a-c6e5-4f7a-82fb-f1d3beda80f0"),
)


def dev(work: Path, *arguments: str) -> Outcome:
    return ours("manifest-dev-tool", *arguments, cwd=work)


def made(work: Path) -> manifest_v3.SignedManifestV3:
    return manifest_v3.decode_signed((work / "out").read_bytes())


def golden(name: str) -> manifest_v3.SignedManifestV3:
    return manifest_v3.decode_signed((GOLDEN / f"{name}.manifest.bin").read_bytes())


def versions(folder: Path) -> dict[str, str]:
    loaded = yaml.safe_load((folder / "update.version.yaml").read_bytes())
    assert isinstance(loaded, dict)
    return loaded


def test_golden_create(work: Path) -> None:
    assert dev(work, "create", *RAW, "-v", "1.1.0").status == 0
    assert made(work).signed_bytes == golden("dev-create").signed_bytes


def test_golden_create_counts_on(work: Path) -> None:
    cache = work / "dev-tool" / "cache"
    (cache / "update.version.yaml").write_text("MAIN: 1.1.0\n", encoding="utf-8")
    assert dev(work, "create", *RAW).status == 0
    assert made(work).signed_bytes == golden("dev-create-auto").signed_bytes
    assert versions(cache) == {"MAIN": "1.1.1"}


def test_golden_delta(work: Path) -> None:
    url = "https://fw.example.com/d/1.0.0-1.1.0.patch"
    more = ("--component-name", "COMP2", "-m", "-r", "3", "-v", "1.1.2", "-o", "out")
    assert dev(work, "create", *CACHE, "-u", url, "-p", PATCH, *more).status == 0
    found, expected = made(work).manifest, golden("dev-create-delta").manifest
    assert len(found.installed_signature) == len(expected.installed_signature) == 64
    for name in ("component_name", "update_priority", "precursor_digest", "payload_uri"):
        assert getattr(found, name) == getattr(expected, name)


def test_golden_v1(work: Path) -> None:
    assert dev(work, "create-v1", *RAW, "-v", "1700000000").status == 0
    found = manifest_v1.decode_signed((work / "out").read_bytes())
    expected = (GOLDEN / "dev-create-v1.manifest.bin").read_bytes()
    assert found.signed_bytes == manifest_v1.decode_signed(expected).signed_bytes


def test_original_key_is_gone_and_its_copy_is_used(work: Path) -> None:
    (work / "keys" / "TEST-ONLY-update.key.pem").unlink()
    assert dev(work, "create", *RAW, "-v", "1.1.0").status == 0


def test_init_with_given_pair_and_ids(work: Path) -> None:
    done = dev(work, "init", "--cache-dir", "new", "-g", "res.c", *PAIR, *CERTIFICATE, *IDS)
    assert done.status == 0, done.stderr
    found = decode_arrays((work / "res.c").read_bytes())
    expected = decode_arrays((GOLDEN / "update_default_resources.c").read_bytes())
    fingerprint = "arm_uc_default_fingerprint"  # Theirs is a placeholder.
    assert {**found, fingerprint: b""} == {**expected, fingerprint: b""}
    config = yaml.safe_load((work / "new" / "dev.cfg.yaml").read_bytes())
    theirs = yaml.safe_load((GOLDEN / "cache" / "dev.cfg.yaml").read_bytes())
    for name in ("vendor-id", "class-id"):
        assert config[name] == theirs[name]
    # Row F4: the configuration names the copies.
    assert config["key_file"] == "new/dev.key.pem"
    copy = work / "new" / "dev.key.pem"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_rows_f1_f2_init_again_keeps_key_and_ids(work: Path) -> None:
    assert dev(work, "init").status == 0
    cache = work / ".manifest-dev-tool"
    names = ("dev.key.pem", "dev.cert.der", "dev.cfg.yaml")
    before = {name: (cache / name).read_bytes() for name in names}
    source = (work / "update_default_resources.c").read_bytes()
    assert stat.S_IMODE((cache / "dev.key.pem").stat().st_mode) == 0o600
    signer = PemSigner.open(cache / "dev.key.pem")
    assert public_key_of(before["dev.cert.der"]) == signer.public_key()
    done = dev(work, "init")
    assert (done.status, "kept" in done.stdout) == (0, True)
    assert before == {name: (cache / name).read_bytes() for name in names}
    assert source == (work / "update_default_resources.c").read_bytes()
    assert dev(work, "init", "--replace-key").status == 0
    assert before["dev.key.pem"] != (cache / "dev.key.pem").read_bytes()


def test_another_key_is_not_imported_over_one(work: Path) -> None:
    assert dev(work, "init").status == 0
    before = (work / ".manifest-dev-tool" / "dev.key.pem").read_bytes()
    done = dev(work, "init", *PAIR, *CERTIFICATE)
    assert (done.status, "--replace-key" in done.stderr) == (1, True)
    assert (work / ".manifest-dev-tool" / "dev.key.pem").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--key", "keys/TEST-ONLY-other.key.pem", *CERTIFICATE), 1, "not of the private key"),
        ((*PAIR, "--update-certificate", "v3/raw.yaml"), 1, "not an X.509 certificate"),
        (PAIR, 2, "go together"),
        (CERTIFICATE, 2, "go together"),
        (("-s", "sign.sh"), 2, "--signing-tool needs"),
        (("--vendor-id", "acme"), 2, "not a UUID"),
        (("-p", "nowhere"), 2, "no such preset"),
        (("-p", "list"), 1, "host and access_key"),
    ],
)
def test_row_f3_init_refuses_before_it_writes(
    arguments: tuple[str, ...],
    status: int,
    message: str,
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(work))
    (work / ".izuma-dev-presets.yaml").write_text("list: []\n", encoding="utf-8")
    done = dev(work, "init", *arguments)
    assert (done.status, message in done.stderr) == (status, True), done.stderr
    assert not (work / ".manifest-dev-tool").exists()
    assert not (work / "update_default_resources.c").exists()


def test_access_key_goes_to_a_private_file_and_nowhere_else(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(work))
    preset = {"lab": {"host": "https://lab.example", "access_key": "ak_canary"}}
    (work / ".izuma-dev-presets.yaml").write_text(yaml.safe_dump(preset), encoding="utf-8")
    done = dev(work, "init", "--gw-preset", "lab")
    assert done.status == 0, done.stderr
    assert "ak_canary" not in done.stdout + done.stderr
    holders = [
        path
        for path in (work / ".manifest-dev-tool", work / "update_default_resources.c")
        for path in ([path] if path.is_file() else path.iterdir())
        if b"ak_canary" in path.read_bytes()
    ]
    assert [path.name for path in holders] == ["dev.cloud_cfg.yaml"]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600
    assert yaml.safe_load(holders[0].read_bytes()) == preset["lab"]


def test_row_f5_format_is_told_by_the_payload(work: Path) -> None:
    (work / "app.bin").write_bytes(b"an image")
    (work / "app.yaml").write_text("anything: 1\n", encoding="utf-8")
    arguments = ("create", *CACHE, "-u", URL, "-p", "app.bin", "-o", "out", "-v", "1.0.0")
    assert dev(work, *arguments).status == 0
    assert made(work).manifest.payload_format is PayloadFormat.RAW_BINARY


def test_row_f6_failed_run_uses_up_no_version(work: Path) -> None:
    before = versions(work / "dev-tool" / "cache")
    (work / "empty.bin").touch()
    arguments = ("create", *CACHE, "-u", URL, "-p", "empty.bin", "-o", "out")
    assert dev(work, *arguments).status == 1
    assert versions(work / "dev-tool" / "cache") == before
    done = dev(work, "create", *RAW, "-v", "1.0.0")
    assert "1.0.0 is not newer than 1.1.1" in done.stderr


def test_row_f7_versions_carry_over_and_end() -> None:
    parse = FirmwareVersion.parse
    assert next_version(parse("1.2.999")) == parse("1.3.0")
    assert next_version(parse("1.999.999")) == parse("2.0.0")
    with pytest.raises(ConfigError, match=re.escape("999.999.999")):
        next_version(parse("999.999.999"))


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("-p", PATCH, "--combined-image"), 1, "delta patch"),
        (("-p", PATCH, "--encrypted-digest", "0" * 64, "--encrypted-size", "5"), 1, "delta patch"),
        (("-p", "v3/raw.yaml", "--encrypted-size", "5"), 2, "go together"),
        (("-p", "v3/raw.yaml", "--combined-image"), 1, "a device would refuse"),
    ],
)
def test_row_f8_contradictions(
    arguments: tuple[str, ...], status: int, message: str, work: Path
) -> None:
    done = dev(work, "create", *CACHE, "-u", URL, "-o", "out", "-v", "2.0.0", *arguments)
    assert (done.status, message in done.stderr) == (status, True), done.stderr
    assert not (work / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("-p", "package/two.tar", "--combined-image"), PayloadFormat.COMBINED),
        (
            (
                *("-p", "package/two.tar", "--combined-image"),
                *("--encrypted-digest", "0" * 64, "--encrypted-size", "5"),
            ),
            PayloadFormat.ENCRYPTED_COMBINED,
        ),
        (
            ("-p", "v3/raw.yaml", "--encrypted-digest", "0" * 64, "--encrypted-size", "5"),
            PayloadFormat.ENCRYPTED_RAW,
        ),
    ],
)
def test_formats(arguments: tuple[str, ...], kind: PayloadFormat, work: Path) -> None:
    done = dev(work, "create", *CACHE, "-u", URL, "-o", "out", "-v", "2.0.0", *arguments)
    assert done.status == 0, done.stderr
    assert made(work).manifest.payload_format is kind


def test_without_init(work: Path) -> None:
    done = dev(work, "create", "-u", URL, "-p", "v3/raw.yaml", "-o", "out")
    assert (done.status, "run init first" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--encrypted-digest", "abc", "--encrypted-size", "5"), "--encrypted-digest"),
        (("--encrypted-digest", "g" * 64, "--encrypted-size", "5"), "--encrypted-digest"),
        (("-u", ""), "--payload-url"),
        (("--component-name", ""), "--component-name"),
    ],
)
def test_wrong_values_name_their_option(
    arguments: tuple[str, ...], option: str, work: Path
) -> None:
    done = dev(work, "create", *RAW, "-v", "2.0.0", *arguments)
    assert (done.status, f"{option}: " in done.stderr) == (1, True), done.stderr
    for text in ("regex", "$", "Expected", "`"):
        assert text not in done.stderr
    assert not (work / "out").exists()


def test_wrong_ids_of_the_cache_name_their_file(work: Path) -> None:
    config = work / "dev-tool" / "cache" / "dev.cfg.yaml"
    config.write_text(config.read_text().replace("327c726a", "x"), encoding="utf-8")
    done = dev(work, "create", *RAW)
    assert (done.status, "dev.cfg.yaml" in done.stderr) == (1, True), done.stderr


def test_preset_and_access_key(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in 2.6.2: the given key, at the preset's host."""
    monkeypatch.setenv("HOME", str(work))
    preset = {"lab": {"host": "https://lab.example", "access_key": "ak_preset"}}
    (work / ".izuma-dev-presets.yaml").write_text(yaml.safe_dump(preset), encoding="utf-8")
    done = dev(work, "init", "-p", "lab", "-a", "ak_given", "-u", "https://other.example")
    assert done.status == 0, done.stderr
    written = yaml.safe_load((work / ".manifest-dev-tool" / "dev.cloud_cfg.yaml").read_bytes())
    assert written == {"access_key": "ak_given", "host": "https://lab.example"}
    assert "--access-key" in done.stderr
    assert "--api-url" in done.stderr
    assert "ak_" not in done.stdout + done.stderr
    done = dev(work, "init", "-p", "lab", "-u", "https://other.example")
    written = yaml.safe_load((work / ".manifest-dev-tool" / "dev.cloud_cfg.yaml").read_bytes())
    assert written == preset["lab"]
    assert "--api-url" in done.stderr


def test_presets_are_no_output(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(work))
    presets = work / ".izuma-dev-presets.yaml"
    presets.write_text("lab: {host: a, access_key: b}\n", encoding="utf-8")
    done = dev(work, "init", "-g", presets.name)
    assert (done.status, presets.read_text()) == (1, "lab: {host: a, access_key: b}\n")


def test_there_need_not_be_a_home(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert dev(work, "init").status == 0
    done = dev(work, "init", "-p", "lab")
    assert (done.status, "cannot read the presets" in done.stderr) == (1, True)


@pytest.mark.peer
def test_both_tools_share_a_cache_folder(work: Path, peer: Peer) -> None:
    create = ("create", "-u", "http://a.b/c", "-p", "firmware/sub1.bin", "-o")
    assert dev(work, "init", *IDS).status == 0
    assert dev(work, *create, "one").status == 0
    assert peer("manifest-dev-tool", *create, "two", cwd=work).status == 0
    assert dev(work, *create, "three").status == 0
    read = [
        manifest_v3.decode_signed((work / name).read_bytes()) for name in ("one", "two", "three")
    ]
    assert [signed.manifest.payload_version for signed in read] == ["0.0.2", "0.0.3", "0.0.4"]
    (work / "theirs").mkdir()
    assert peer("manifest-dev-tool", "init", cwd=work / "theirs").status == 0
    assert (
        dev(
            work / "theirs", "create", "-u", "http://a", "-p", "../firmware/sub1.bin", "-o", "x"
        ).status
        == 0
    )
