"""``manifest-tool``: golden commands, results on stdout, exit statuses, stricter input."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import BinaryIO

import pytest

from fotabuild.formats import manifest_v1, manifest_v3

from ..conftest import VECTORS
from ..formats.golden import MANIFESTS, golden_name, signed_bytes_of, version_of
from .tools import Outcome, ours

KEY = "keys/TEST-ONLY-update.key.pem"
CERTIFICATE = "keys/TEST-ONLY-update.cert.der"
PUBLIC_KEY = "keys/TEST-ONLY-update.pub.bin"
# The device refuses these, and so do we (see test_differential).
TOO_LARGE = ("raw-component-9", "raw-prio-2pow31", "raw-url256")
PARSED = sorted(VECTORS.glob("v[13]/*.parse.txt"))
V1 = sorted((VECTORS / "v1").glob("*.yaml"))


def create(work: Path, config: str, *more: str, output: str = "out") -> Outcome:
    return ours("manifest-tool", "create", "-c", config, "-k", KEY, "-o", output, *more, cwd=work)


@pytest.mark.parametrize(
    "path", [p for p in MANIFESTS if golden_name(p) not in TOO_LARGE], ids=golden_name
)
def test_golden_v3_command(path: Path, work: Path) -> None:
    name = golden_name(path)
    config = "v3/raw.json" if name == "raw-json" else f"v3/{name}.yaml"
    done = create(work, config, "-v", version_of(name))
    assert done.status == 0, done.stderr
    found = manifest_v3.decode_signed((work / "out").read_bytes())
    expected = manifest_v3.decode_signed(path.read_bytes()).manifest
    if not expected.installed_signature:
        assert found.signed_bytes == signed_bytes_of(path)
    assert found.manifest.image_digest == expected.image_digest


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_devices_refuse_is_refused(name: str, work: Path) -> None:
    done = create(work, f"v3/{name}.yaml", "-v", "1.1.0")
    assert (done.status, "a device would refuse this" in done.stderr) == (1, True)
    assert not (work / "out").exists()


@pytest.mark.parametrize("config", V1, ids=lambda path: path.stem)
def test_golden_v1_command(config: Path, work: Path) -> None:
    name = config.stem
    expected = config.with_name(f"{name}.tbs.der").read_bytes()
    version = {
        "raw-prio0": ("-v", "1"),
        "raw-migrate": ("--fw-migrate-ver", "1.2.3"),
        "raw-migrate-max": ("--fw-migrate-ver", "999.999.999"),
        "patch-prio-migrate": ("--fw-migrate-ver", "1.1.0"),
    }.get(name, ("-v", "1700000000"))
    if name == "raw-version0":  # Zero became the time of that day.
        golden = manifest_v1.decode_signed(config.with_name(f"{name}.manifest.bin").read_bytes())
        version = ("-v", str(golden.manifest.timestamp))
    arguments = ("--key", KEY, "--update-certificate", CERTIFICATE, "--output", "out", *version)
    done = ours("manifest-tool", "create-v1", "--config", f"v1/{config.name}", *arguments, cwd=work)
    assert done.status == 0, done.stderr
    assert manifest_v1.decode_signed((work / "out").read_bytes()).signed_bytes == expected


@pytest.mark.parametrize("path", PARSED, ids=lambda path: path.name)
def test_parse_prints_what_the_real_tool_prints(path: Path, work: Path) -> None:
    manifest = f"{path.parent.name}/{path.name.removesuffix('.parse.txt')}.manifest.bin"
    for key in (("-p", PUBLIC_KEY), ("-c", CERTIFICATE), ("-k", KEY)):
        done = ours("manifest-tool", "parse", manifest, *key, cwd=work)
        assert (done.status, done.result) == (0, path.read_text(encoding="utf-8"))
        assert done.stderr == ""


def test_there_are_six_golden_dumps() -> None:
    assert len(PARSED) == 6


@pytest.mark.parametrize("name", ["encrypted-raw-signed", "encrypted-combined-signed"])
def test_row_a9_encrypted_and_signed_verifies(name: str, work: Path) -> None:
    done = ours("manifest-tool", "parse", f"v3/{name}.manifest.bin", "-p", PUBLIC_KEY, cwd=work)
    assert done.status == 0
    assert "Image Signature verified!" in done.result


def test_row_a10_parse_says_that_nothing_was_verified(work: Path) -> None:
    done = ours("manifest-tool", "parse", "v3/raw.manifest.bin", cwd=work)
    assert (done.status, "nothing was verified" in done.stderr) == (0, True)
    (work / "more").write_bytes((work / "v3/raw.manifest.bin").read_bytes() + b"\0")
    done = ours("manifest-tool", "parse", "more", cwd=work)
    assert (done.status, "1 bytes follow" in done.stderr) == (1, True)


def test_quiet_keeps_the_result(work: Path) -> None:
    done = ours("manifest-tool", "-q", "parse", "v3/raw.manifest.bin", cwd=work)
    assert done.stdout.startswith("----- Manifest dump start -----\nmanifest-version: 3\n")
    assert done.stderr == ""


@pytest.mark.parametrize("options", [("-k", "keys/TEST-ONLY-other.key.pem"), ("-p", KEY)])
def test_parse_with_a_wrong_key(options: tuple[str, str], work: Path) -> None:
    done = ours("manifest-tool", "parse", "v3/raw.manifest.bin", *options, cwd=work)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.count("ERROR") == 1


def test_manifest_on_stdout_is_not_mixed_with_the_log(work: Path) -> None:
    command = ["create", "-c", "v3/raw.yaml", "-k", KEY, "-v", "1.1.0", "-o"]
    assert ours("manifest-tool", *command, "out", cwd=work).status == 0
    done = run_module("manifest_tool", *command, "-", cwd=work)
    assert done == (0, (work / "out").read_bytes())


def run_module(
    module: str, *arguments: str, cwd: Path, stdin: BinaryIO | None = None
) -> tuple[int, bytes]:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", f"fotabuild.cli.dropin.{module}", *arguments],
        cwd=cwd,
        env={**os.environ},
        stdin=stdin or subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_public_key(work: Path) -> None:
    done = ours("manifest-tool", "public-key", KEY, "--out", "pub", cwd=work)
    assert (done.status, (work / "pub").read_bytes()) == (0, (work / PUBLIC_KEY).read_bytes())


def test_schema_is_json_and_knows_every_key(work: Path) -> None:
    schema = json.loads(ours("manifest-tool", "schema", cwd=work).stdout)
    keys = set(schema["$defs"]["ManifestInput"]["properties"])
    assert keys == {
        *("vendor", "device", "payload", "priority", "component", "sign-image", "signing-tool")
    }


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), 2),
        (("--help",), 0),
        (("--version",), 0),
        (("create", "--help"), 0),
        (("create",), 2),
        (("create", "--config", "v3/raw.yaml", "--key", KEY, "--fw-v", "1.1.0", "--out", "o"), 0),
        (("create", "-c", "v3/raw.yaml", "-k", KEY, "-v", "1.2", "-o", "o"), 2),
        (("create", "-c", "v3/raw.yaml", "-k", KEY, "-v", "1.2.3\n", "-o", "o"), 2),
        (("create", "-c", "none.yaml", "-k", KEY, "-v", "1.2.3", "-o", "o"), 2),
        (("create", "-c", "v3", "-k", KEY, "-v", "1.2.3", "-o", "o"), 2),
        (("create", "-c", "v3/raw.yaml", "-k", "none", "-v", "1.2.3", "-o", "o"), 1),
        (("create-v1", "-c", "none", "-k", KEY, "-o", "o", "--update-certificate", CERTIFICATE), 2),
        (("parse", "none"), 2),
        (("parse", "v3/raw.yaml"), 1),
        (("parse", "v3/raw.manifest.bin", "-p", PUBLIC_KEY, "-c", CERTIFICATE), 2),
        (("public-key", "none", "-o", "o"), 2),
        (("create-v1", "-c", "v1/raw-prio.yaml", "-k", KEY, "-o", "o"), 2),
    ],
)
def test_exit_status(arguments: tuple[str, ...], status: int, work: Path) -> None:
    assert ours("manifest-tool", *arguments, cwd=work).status == status


def test_debug_adds_the_traceback(work: Path) -> None:
    arguments = ("create", "-c", "v3/raw.yaml", "-k", "none", "-v", "1.2.3", "-o", "o")
    assert "Traceback" in ours("manifest-tool", "--debug", *arguments, cwd=work).stderr
    assert "Traceback" not in ours("manifest-tool", *arguments, cwd=work).stderr


def edit(work: Path, old: str, new: str) -> str:
    text = (work / "v3/raw.yaml").read_text(encoding="utf-8")
    assert old in text
    (work / "edited.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return "edited.yaml"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("priority: 1", "priority: 1\nsign_image: true", "edited.yaml:6: sign_image: unknown key"),
        ("priority: 1", "priority: 1\npriority: 2", "edited.yaml:6: priority: the key 'priority'"),
        ("priority: 1\n", "", "priority: this key is required"),
        ("327c726ac6", "0327c726ac6", "device.class-id"),
        ("url: http", "uri: http", "payload.uri: unknown key"),
    ],
)
def test_stricter_input_names_key_and_line(old: str, new: str, message: str, work: Path) -> None:
    done = create(work, edit(work, old, new), "-v", "1.1.0")
    assert (done.status, done.stdout.count("ERROR")) == (1, 0)
    assert message in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_dashed_ids_are_accepted(work: Path) -> None:
    dashed = "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe"
    config = edit(work, "fa6b4a53d5ad5fdfbe9de663e4d41ffe", dashed)
    assert create(work, config, "-v", "1.1.0").status == 0


def test_paths_beside_the_configuration_win_and_fallback_is_told(work: Path) -> None:
    done = create(work, "v3/raw.yaml", "-v", "1.1.0")
    assert "not beside the configuration" in done.stderr
    (work / "v3" / "firmware").mkdir()
    (work / "v3" / "firmware" / "fw-1.1.0.bin").write_bytes(b"beside")
    done = create(work, "v3/raw.yaml", "-v", "1.1.0")
    assert "one beside the configuration and one in the working directory" in done.stderr
    assert manifest_v3.decode_signed((work / "out").read_bytes()).manifest.payload_size == 6


def test_braces_in_a_url_stay(work: Path) -> None:
    config = edit(work, "fw-1.1.0.bin\n", "{file}?{x\n")
    assert create(work, config, "-v", "1.1.0").status == 0
    uri = manifest_v3.decode_signed((work / "out").read_bytes()).manifest.payload_uri
    assert uri.endswith("{file}?{x")


def tool(work: Path, script: str) -> str:
    path = work / "v3" / "sign.sh"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return edit(work, "priority: 1", "priority: 1\nsigning-tool: v3/sign.sh")


def test_signing_tool_is_verified_with_the_certificate(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tool(work, 'exec openssl dgst -sha256 -sign "$2" -out "$4" "$3"')
    refused = create(work, config, "-v", "1.1.0")
    assert "FOTABUILD_CREDENTIALS_CERTIFICATE" in refused.stderr
    assert refused.status == 1
    monkeypatch.setenv("FOTABUILD_CREDENTIALS_CERTIFICATE", str(work / CERTIFICATE))
    done = create(work, config, "-v", "1.1.0")
    assert done.status == 0, done.stderr
    parsed = ours("manifest-tool", "parse", "out", "-c", CERTIFICATE, cwd=work)
    assert "Manifest Signature verified!" in parsed.result
    # Its key is not that of the certificate.
    (work / KEY).write_bytes((work / "keys/TEST-ONLY-other.key.pem").read_bytes())
    assert create(work, config, "-v", "1.1.0", output="other").status == 1
    assert not (work / "other").exists()


def test_row_a1_failing_signing_tool_with_v1(work: Path) -> None:
    config = tool(work, "exit 7")
    arguments = ("-c", config, "-k", "id", "--update-certificate", CERTIFICATE, "-o", "out")
    done = ours("manifest-tool", "create-v1", *arguments, "-v", "5", cwd=work)
    assert (done.status, "exit status 7" in done.stderr) == (1, True)
    assert not (work / "out").exists()
    # Whoever has no fotabuild.yaml sets it in the environment.
    assert "FOTABUILD_CREDENTIALS_SHOW_SIGNING_TOOL" in done.stderr


@pytest.mark.parametrize("command", ["create", "create-v1"])
@pytest.mark.parametrize("config", ["c.yaml", "./c.yaml", "link.yaml", "-", "/dev/stdin"])
def test_row_b4_the_configuration_is_not_an_output(command: str, config: str, work: Path) -> None:
    before = (work / "v3/raw.yaml").read_bytes()
    (work / "c.yaml").write_bytes(before)
    (work / "link.yaml").symlink_to("c.yaml")
    more = ["-v", "1.1.0"]
    if command == "create-v1":
        more = ["-v", "5", "--update-certificate", CERTIFICATE]
    arguments = [command, "-c", config, "-k", KEY, "-o", "c.yaml", *more]
    with (work / "c.yaml").open("rb") as stdin:
        status, _ = run_module("manifest_tool", *arguments, cwd=work, stdin=stdin)
    assert (status, (work / "c.yaml").read_bytes()) == (1, before)


PASSPHRASE = "FOTABUILD_CREDENTIALS_PASSPHRASE"


@pytest.fixture
def locked(work: Path) -> str:
    from fotabuild.signing.pem import PemSigner

    (work / "locked.pem").write_bytes(PemSigner.open(work / KEY).to_pem(b"correct horse"))
    return "locked.pem"


LOCKED = [
    (
        "manifest-tool",
        ("create", "-c", "v3/raw.yaml", "-v", "1.1.0", "-o", "o", "-k", "locked.pem"),
    ),
    ("manifest-tool", ("parse", "v3/raw.manifest.bin", "-k", "locked.pem")),
    ("manifest-tool", ("public-key", "locked.pem", "-o", "o")),
    ("manifest-dev-tool", ("init", "--update-certificate", CERTIFICATE, "--key", "locked.pem")),
]


@pytest.mark.parametrize(("tool", "arguments"), LOCKED)
def test_row_a7_encrypted_keys(
    tool: str, arguments: tuple[str, ...], work: Path, locked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSPHRASE, raising=False)
    refused = ours(tool, *arguments, cwd=work)
    assert (refused.status, PASSPHRASE in refused.stderr) == (1, True), refused.stderr
    monkeypatch.setenv("OURS", "correct horse")
    monkeypatch.setenv(PASSPHRASE, "correct horse")
    refused = ours(tool, *arguments, cwd=work)
    assert (refused.status, "correct horse" in refused.stderr) == (1, False)
    monkeypatch.setenv(PASSPHRASE, "env:OURS")
    done = ours(tool, *arguments, cwd=work)
    assert done.status == 0, done.stderr
    if tool == "manifest-dev-tool":
        for _ in range(2):  # Also where the cache holds it already.
            assert ours(tool, *arguments, cwd=work).status == 0
        assert ours(tool, "init", cwd=work).status == 0
        create = ("create", "-u", "u", "-p", CERTIFICATE, "-o", "out")
        assert ours(tool, *create, cwd=work).status == 0


def test_version_line_is_that_of_the_real_tool(work: Path) -> None:
    from fotabuild import __version__

    for name in ("manifest-tool", "manifest-delta-tool", "manifest-dev-tool"):
        done = ours(name, "--version", cwd=work)
        assert (done.status, done.stdout) == (0, "Manifest-Tool version 2.6.2\n")
        assert f"fotabuild {__version__}" in ours(name, "--help", cwd=work).stdout


@pytest.mark.parametrize("number", ["+5", " 5", "1_0", "0x5", "0"])
def test_v1_versions_are_digits(number: str, work: Path) -> None:
    arguments = ("-c", "v3/raw.yaml", "-k", KEY, "--update-certificate", CERTIFICATE, "-o", "o")
    done = ours("manifest-tool", "create-v1", *arguments, "-v", number, cwd=work)
    assert (done.status, (work / "o").exists()) == (2, False)


@pytest.mark.parametrize("tool", ["manifest-tool", "manifest-dev-tool"])
def test_epoch_0_is_no_version(tool: str, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments: tuple[str, ...] = ("-u", "u", "-p", KEY)
    if tool == "manifest-tool":
        arguments = ("-c", "v3/raw.yaml", "-k", KEY, "--update-certificate", CERTIFICATE)
    assert ours("manifest-dev-tool", "init", cwd=work).status == 0
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    done = ours(tool, "create-v1", *arguments, "-o", "o", cwd=work)
    assert (done.status, "SOURCE_DATE_EPOCH" in done.stderr) == (2, True), done.stderr
    assert not (work / "o").exists()
    assert ours(tool, "create-v1", *arguments, "-o", "o", "-v", "1", cwd=work).status == 0


def test_a_key_with_a_colon_in_its_name_is_a_file(work: Path) -> None:
    (work / "key:2025.pem").write_bytes((work / KEY).read_bytes())
    arguments = ("-c", "v3/raw.yaml", "-k", "key:2025.pem", "-v", "1.1.0", "-o", "o")
    done = ours("manifest-tool", "create", *arguments, cwd=work)
    assert done.status == 0, done.stderr
