"""``fotabuild manifest create|parse|verify``."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fotabuild.formats.manifest_v3 import PayloadFormat, decode_signed

from ..conftest import VECTORS
from ..formats.golden import OTHER_KEY
from .conftest import Cli

CREATE = ("manifest", "create", "-v", "1.1.0", "-o", "m")
DIGEST = "ab" * 32


def test_create_raw(cli: Cli) -> None:
    done = cli.good(*CREATE, "-p", "app.bin", "--format", "raw-binary")
    assert done.stdout == "m\n"
    found = decode_signed((cli.folder / "m").read_bytes()).manifest
    assert (found.component_name, found.payload_version) == ("MAIN", "1.1.0")
    assert found.payload_uri == "https://acme.com/app.bin"


def test_create_options(cli: Cli) -> None:
    cli.good(
        *CREATE, "-p", "app.bin", "--format", "raw-binary", "--component", "BOOT",
        "--url", "coap://a.b/{component}/{digest}", "--set", "priority=9", "--set", "sign-image=1",
    )  # fmt: skip
    found = decode_signed((cli.folder / "m").read_bytes()).manifest
    assert (found.component_name, found.update_priority) == ("BOOT", 9)
    assert found.payload_uri == f"coap://a.b/BOOT/{found.payload_digest.hex()}"
    assert len(found.installed_signature) == 64


def test_create_for_a_patch(cli: Cli) -> None:
    cli.good(
        *CREATE, "-p", "a.patch", "--format", "arm-patch-stream",
        "--current-fw", "old.bin", "--current-version", "1.0.0",
    )  # fmt: skip
    found = decode_signed((cli.folder / "m").read_bytes()).manifest
    assert found.payload_format is PayloadFormat.ARM_PATCH_STREAM
    done = cli(
        *CREATE, "-p", "a.patch", "--format", "arm-patch-stream",
        "--current-fw", "app.bin", "--current-version", "1.0.0",
    )  # fmt: skip
    assert (done.status, "precursor-digest" in done.stderr) == (3, True)


def test_create_for_an_encrypted_payload(cli: Cli) -> None:
    encrypted = ("--encrypted-digest", DIGEST, "--encrypted-size", "40000")
    features = ("--set", "device.features=encrypted")
    cli.good(*CREATE, "-p", "app.bin", "--format", "encrypted-raw", *encrypted, *features)
    found = decode_signed((cli.folder / "m").read_bytes()).manifest
    assert (found.payload_digest.hex(), found.payload_size) == (DIGEST, 40000)
    done = cli(*CREATE, "-p", "app.bin", "--format", "encrypted-raw", *features)
    assert (done.status, "payload.encrypted" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        ((), 2, "no payload given"),
        (("-p", "app.bin"), 2, "no payload given"),
        (("-p", "none.bin", "--format", "raw-binary"), 1, "cannot read the payload"),
        (("-p", "app.bin", "--format", "combined"), 3, "package-structure"),
        (("-p", "app.bin", "--format", "arm-patch-stream"), 1, "side file"),
        (("-p", "app.bin", "--format", "zip"), 2, "invalid choice"),
        (("-p", "app.bin", "--format", "raw-binary", "-v", "0.0.0"), 1, "firmware version"),
        (("-p", "app.bin", "--format", "raw-binary", "-k", str(OTHER_KEY)), 1, "private key"),
        (("-p", "app.bin", "--format", "raw-binary", "-o", "app.bin"), 1, "overwrite"),
        (("-p", "app.bin", "--format", "raw-binary", "-o", "keys/update.key.pem"), 1, "overwrite"),
        (("-p", "app.bin", "--format", "raw-binary", "--url", "u" * 256), 3, "payload-uri"),
    ],
)
def test_create_failures(arguments: tuple[str, ...], status: int, problem: str, cli: Cli) -> None:
    before = cli.tree()
    done = cli(*CREATE, *arguments)
    assert (done.status, done.stdout) == (status, "")
    assert problem in done.stderr
    assert cli.tree() == before


def test_parse_prints_every_field(look: Cli) -> None:
    done = look.good("manifest", "parse", "a.manifest")
    assert "payload-version: 1.1.0" in done.stdout
    assert "signature was not verified" in done.stderr
    fields = look.json("manifest", "parse", "a.manifest")["manifest"]
    assert fields["payload-format"] == "raw-binary"
    assert fields["installed-signature"] is None


@pytest.mark.parametrize("name", ["raw", "patch-signed", "raw-vendor-data", "combined-signed"])
def test_parse_prints_what_the_real_tool_prints(name: str, look: Cli) -> None:
    """Every line of its dump, in its spelling of ids and formats."""
    golden = VECTORS / "v3" / f"{name}.manifest.bin"
    dump = (VECTORS / "v3" / f"{name}.parse.txt").read_text(encoding="utf-8")
    lines = [line.strip() for line in dump.splitlines() if ": " in line and "INFO" not in line]
    fields = look.json("manifest", "parse", golden)["manifest"]
    theirs = dict(line.split(": ", 1) for line in lines)
    ours = {key: str(value) for key, value in fields.items() if value is not None}
    for key in ("vendor-id", "class-id"):
        ours[key] = ours[key].replace("-", "")
    ours["payload-format"] = str(PayloadFormat(ours["payload-format"]).number)
    ours.setdefault("installed-signature", "''")
    assert ours == theirs


def test_parse_refuses_damage(cli: Cli) -> None:
    data = (cli.folder / "a.manifest").read_bytes()
    (cli.folder / "bad").write_bytes(data + b"\0")
    done = cli("manifest", "parse", "bad")
    assert (done.status, done.stdout) == (1, "")
    assert f"error: bad: offset {len(data):#x}: 1 bytes follow" in done.stderr


def test_parse_never_prints_the_key_of_the_payload(look: Cli) -> None:
    delivered = VECTORS / "v3" / "encrypted-raw.delivered.bin"
    key = (VECTORS / "payload" / "TEST-ONLY-aes128.key.bin").read_bytes()
    for flags in ((), ("--json",)):
        done = look.good(*flags, "manifest", "parse", delivered)
        assert "present" in done.stdout
        assert key.hex() not in done.stdout.lower()


def test_verify_names_every_check(look: Cli) -> None:
    done = look.good("manifest", "verify", "a.manifest", "--payload", "app.bin")
    assert "passed   payload-digest" in done.stdout
    assert "accepted" in done.stderr
    results = look.json("manifest", "verify", "a.manifest")["results"]
    verdicts = {result["name"]: result["verdict"] for result in results}
    assert verdicts["signature"] == "passed"
    assert verdicts["newer-version"] == "skipped"


@pytest.mark.parametrize(
    ("arguments", "check"),
    [
        (("--payload", "old.bin"), "payload-length"),
        (("--installed-version", "1.1.0"), "newer-version"),
        (("--set", "vendor.domain=other.example"), "vendor-id"),
        (("--set", "device.features=signed-image"), "installed-signature"),
        (("--certificate", "other/keys/update.cert.der"), "signature"),
    ],
)
def test_verify_failure_is_status_3(arguments: tuple[str, ...], check: str, cli: Cli) -> None:
    cli.good("init", "other", "--credentials-only")
    done = cli("manifest", "verify", "a.manifest", *arguments)
    assert done.status == 3
    assert f"failed   {check}" in done.stdout
    assert "a device would refuse this" in done.stderr
    as_json = cli("--json", "manifest", "verify", "a.manifest", *arguments)
    assert (as_json.status, '"accepted": false' in as_json.stdout) == (3, True)


@pytest.mark.parametrize(
    "key", [("--certificate", "keys/update.cert.der"), ("--public-key", "keys/update.pub.bin")]
)
def test_verify_with_a_key_and_without_a_configuration(key: tuple[str, str], look: Cli) -> None:
    done = look.good("manifest", "verify", "a.manifest", "--no-config", *key)
    assert "skipped  vendor-id" in done.stdout
    nothing = look("manifest", "verify", "a.manifest", "--no-config")
    assert (nothing.status, "no key to verify with" in nothing.stderr) == (1, True)


def test_verify_accepts_only_keys(look: Cli) -> None:
    for option in ("--public-key", "--certificate"):
        done = look("manifest", "verify", "a.manifest", option, "app.bin")
        assert (done.status, done.stdout) == (1, "")
        assert done.stderr.startswith("error: app.bin: ")


def test_verify_golden_patch_on_its_device(look: Cli) -> None:
    golden = Path(VECTORS)
    look.good(
        "manifest", "verify", golden / "v3" / "patch-signed.manifest.bin", "--no-config",
        "--public-key", golden / "keys" / "TEST-ONLY-update.pub.bin",
        "--payload", golden / "delta" / "fw-1.0.0_to_fw-1.1.0_b512.bin",
        "--installed-image", "old.bin", "--installed-version", "1.0.0",
    )  # fmt: skip


def test_create_v1_for_an_image(cli: Cli) -> None:
    call = ("manifest", "create-v1", "-o", "out/m1", "-p", "app.bin", "--format", "raw-binary")
    cli.good(*call, "-v", "5")
    fields = cli.json("manifest", "parse", "out/m1")["manifest"]
    assert (fields["manifest-version"], fields["timestamp"]) == (1, 5)
    cli.good("manifest", "verify", "out/m1", "--payload", "app.bin")


def test_create_v1_takes_the_time_of_the_source(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    cli.good("manifest", "create-v1", "-o", "out/m1", "-p", "app.bin", "--format", "raw-binary")
    assert cli.json("manifest", "parse", "out/m1")["manifest"]["timestamp"] == 1700000000


def test_the_first_second_of_1970_is_no_version(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    done = cli("manifest", "create-v1", "-o", "m1", "-p", "app.bin", "--format", "raw-binary")
    assert (done.status, "SOURCE_DATE_EPOCH is 0" in done.stderr) == (2, True)
    assert not (cli.folder / "m1").exists()


def test_create_v1_refuses_formats_of_v3(cli: Cli) -> None:
    done = cli("manifest", "create-v1", "-o", "m1", "-p", "a.tar", "--format", "combined")
    assert done.status == 2
    assert not (cli.folder / "m1").exists()


def test_prepare_prints_the_digest_to_sign(cli: Cli) -> None:
    call = ("manifest", "prepare", "-v", "1.1.0", "-o", "tbs", "-p", "app.bin")
    digest, name = cli.good(*call, "--format", "raw-binary").stdout.split()
    data = (cli.folder / "tbs").read_bytes()
    assert (digest, name) == (hashlib.sha256(data).hexdigest(), "tbs")
    assert data == (cli.folder / "a.tbs").read_bytes()


def test_prepare_finds_what_a_device_would_refuse(cli: Cli) -> None:
    call = ("manifest", "prepare", "-v", "1.1.0", "-o", "tbs", "-p", "app.bin")
    done = cli(*call, "--format", "raw-binary", "--component", "NINECHARS")
    assert done.status == 3
    assert not (cli.folder / "tbs").exists()


def test_attach_makes_the_same_manifest(cli: Cli) -> None:
    cli.good("manifest", "attach", "a.tbs", "--signature", "a.sig", "-o", "m", "-p", "app.bin")
    assert (cli.folder / "m").read_bytes() == (cli.folder / "a.manifest").read_bytes()


def test_attach_refuses_a_signature_of_other_bytes(cli: Cli) -> None:
    (cli.folder / "a.sig").write_bytes(bytes(64))
    done = cli("manifest", "attach", "a.tbs", "--signature", "a.sig", "-o", "m")
    assert done.status == 1
    assert not (cli.folder / "m").exists()


def test_prepare_v1_prints_the_digest_of_what_it_wrote(cli: Cli) -> None:
    arguments = ("-v", "5", "-p", "app.bin", "--format", "raw-binary", "-o", "tbs")
    found = cli.json("manifest", "prepare-v1", *arguments)["prepared"]
    data = (cli.folder / "tbs").read_bytes()
    assert (found["size"], found["digest"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_prepare_v1_needs_no_key(cli: Cli) -> None:
    arguments = ("-v", "5", "-p", "app.bin", "--format", "raw-binary", "-o", "tbs")
    assert cli("manifest", "create-v1", *arguments, "-k", "none.pem").status == 1
    assert (
        cli("manifest", "prepare-v1", *arguments, "--set", "credentials.key=none.pem").status == 0
    )
