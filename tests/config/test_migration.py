"""``fotabuild migrate``: the same identity and keys, no secret copied."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fotabuild import migration
from fotabuild.cli.dropin.dev_tool import entry_point as dev_tool
from fotabuild.config.loader import LoadedConfig, load_config
from fotabuild.errors import ConfigError, FotabuildError, OutputConflictError
from fotabuild.formats.manifest_v3 import SignedManifestV3, decode_signed
from fotabuild.migration import find_source, migrate
from fotabuild.signing.verify import verify

from ..command import run_fotabuild
from ..conftest import VECTORS
from ..dropin.tools import ours
from ..formats.golden import CERTIFICATE, KEY, PUBLIC_KEY
from ..signing.tools import make_tool

VENDOR, CLASS = "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", "327c726a-c6e5-4f7a-82fb-f1d3beda80f0"


def migrated(source: Path, output: Path) -> tuple[LoadedConfig, list[str]]:
    text, notes = migrate(source, output)
    assert output.read_text(encoding="utf-8") == text
    return load_config(output, environ={}), notes


def cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    shutil.copytree(VECTORS / "dev-tool" / "cache", folder / ".manifest-dev-tool")
    secret = "access_key: ak_canary\nhost: https://lab.example\n"
    (folder / ".manifest-dev-tool" / "dev.cloud_cfg.yaml").write_text(secret, encoding="utf-8")
    return find_source(Path())


def test_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, notes = migrated(cache(tmp_path, monkeypatch), tmp_path / "fotabuild.yaml")
    assert str(config.identity.vendor_id) == VENDOR
    assert str(config.identity.class_id) == CLASS
    credentials = config.project.credentials
    # The original paths lead nowhere from here: the copies are meant.
    assert credentials.key == str(tmp_path / ".manifest-dev-tool" / "dev.key.pem")
    assert credentials.certificate == str(tmp_path / ".manifest-dev-tool" / "dev.cert.der")
    assert any("MAIN was 1.1.1" in note for note in notes)
    written = (tmp_path / "fotabuild.yaml").read_text(encoding="utf-8")
    assert "ak_canary" not in written + "".join(notes)
    assert "PRIVATE" not in written


def build(folder: Path, *settings: str) -> SignedManifestV3:
    """Migrate, add what the notes ask for, and build; return the manifest."""
    done = run_fotabuild("--json", "migrate", cwd=folder)
    assert (done.status, "ak_canary" in done.stdout + done.stderr) == (0, False), done.stderr
    notes = json.loads(done.stdout)["notes"]
    for setting in settings:
        name, _, value = setting.partition("=")
        assert any(note.startswith(f"add {name}:") for note in notes), notes
        section, _, key = name.partition(".")
        config = folder / "fotabuild.yaml"
        text = config.read_text(encoding="utf-8")
        if f"{section}:\n" not in text:
            text += f"{section}:\n"
        text = text.replace(f"{section}:\n", f"{section}:\n  {key}: {value}\n")
        config.write_text(text, encoding="utf-8")
    image = (VECTORS / "firmware" / "fw-1.1.0.bin").read_bytes()
    (folder / "app.bin").write_bytes(image)
    done = run_fotabuild("build", "app.bin", "-v", "1.1.2", "-o", "out", cwd=folder)
    assert done.status == 0, done.stderr
    data = (folder / "out" / "app-1.1.2.manifest").read_bytes()
    signed = decode_signed(data)
    verify(PUBLIC_KEY.read_bytes(), signed.signed_bytes, signed.signature)
    assert (str(signed.manifest.identity.vendor_id), signed.manifest.payload_size) == (
        VENDOR,
        len(image),
    )
    assert str(signed.manifest.identity.class_id) == CLASS
    return signed


def test_a_cache_folder_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache(tmp_path, monkeypatch)
    signed = build(tmp_path, "payload.url=https://a.example/{file}")
    assert signed.manifest.payload_uri == "https://a.example/app-1.1.2.bin"
    # The older tool goes on in the same folder.
    done = ours("manifest-dev-tool", "create", "-u", "https://a.example/c", "-p", "app.bin",
                "-o", "old", cwd=tmp_path)  # fmt: skip
    assert done.status == 0, done.stderr
    assert decode_signed((tmp_path / "old").read_bytes()).manifest.payload_version == "1.1.2"


def test_a_cache_folder_with_a_signing_tool_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_tool(tmp_path / "sign", "good")
    arguments = ("--key", "slot/7", "--update-certificate", CERTIFICATE, "-s", "./sign",
                 "--vendor-id", VENDOR, "--class-id", CLASS)  # fmt: skip
    assert ours("manifest-dev-tool", "init", *arguments, cwd=tmp_path).status == 0
    build(tmp_path, "payload.url=https://a.example/{file}")


def test_files_of_release_1_build(tmp_path: Path) -> None:
    """Release 1 keeps the certificate in ``.update-certificates`` and may not name the key."""
    folder = tmp_path / ".update-certificates"
    folder.mkdir()
    shutil.copyfile(CERTIFICATE, folder / "default.der")
    shutil.copyfile(KEY, folder / "default.key.pem")
    old = {
        "applyImmediately": True,
        "classId": CLASS,
        "default-certificates": [{"file": ".update-certificates/default.der", "uri": ""}],
        "encryptionMode": "none-ecc-secp256r1-sha256",
        "vendorId": VENDOR,
    }
    (tmp_path / ".manifest_tool.json").write_text(json.dumps(old), encoding="utf-8")
    build(
        tmp_path,
        "credentials.key=.update-certificates/default.key.pem",
        "payload.url=https://a.example/{file}",
    )


@pytest.mark.parametrize("name", ["raw-domain-model", "raw-vendor-data", "raw-component"])
def test_input_of_manifest_tool(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(VECTORS)
    config, _ = migrated(VECTORS / "v3" / f"{name}.yaml", tmp_path / "fotabuild.yaml")
    project = config.project
    if name == "raw-domain-model":
        assert (project.vendor.domain, project.device.model_name) == (
            "izumanetworks.com",
            "Smart Slippers",
        )
    if name == "raw-vendor-data":
        assert project.vendor.custom_data_path == str(VECTORS / "v3" / "vendor-data.bin")
    if name == "raw-component":
        assert project.component == "COMP2"
    assert project.priority == 1


def test_files_of_release_1(tmp_path: Path) -> None:
    old = {
        "vendorId": VENDOR,
        "classId": CLASS.replace("-", ""),
        "default-certificates": [{"file": "certs/default.der"}],
        "private-key": "certs/default.key.pem",
        "applyImmediately": True,
    }
    (tmp_path / ".manifest_tool.json").write_text(json.dumps(old), encoding="utf-8")
    cloud = {"host": "https://lab.example", "api_key": "ak_canary"}
    (tmp_path / ".mbed_cloud_config.json").write_text(json.dumps(cloud), encoding="utf-8")
    config, notes = migrated(find_source(tmp_path), tmp_path / "fotabuild.yaml")
    assert str(config.identity.class_id) == CLASS
    assert config.project.credentials.key == str(tmp_path / "certs" / "default.key.pem")
    assert config.project.credentials.certificate == str(tmp_path / "certs" / "default.der")
    assert [note for note in notes if "not copied" in note]
    assert "ak_canary" not in (tmp_path / "fotabuild.yaml").read_text(encoding="utf-8")


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / ".manifest_tool.json").write_text(
        json.dumps({"vendorId": VENDOR, "classId": CLASS}), encoding="utf-8"
    )
    _, notes = migrated(tmp_path / ".manifest_tool.json", tmp_path / "fotabuild.yaml")
    assert [note.split(":")[0] for note in notes] == [
        "add credentials.certificate",
        "add credentials.key",
        "add payload.url",
    ]


def test_refusals(tmp_path: Path) -> None:
    output = tmp_path / "fotabuild.yaml"
    with pytest.raises(ConfigError, match="neither"):
        find_source(tmp_path)
    (tmp_path / "x.json").write_text('{"vendorId": "none"}', encoding="utf-8")
    with pytest.raises(FotabuildError, match=r"not a UUID"):
        migrate(tmp_path / "x.json", output)
    (tmp_path / "y.json").write_text("{}", encoding="utf-8")
    with pytest.raises(FotabuildError, match="vendorId is missing"):
        migrate(tmp_path / "y.json", output)
    assert not output.exists()
    output.write_text("kept", encoding="utf-8")
    with pytest.raises(OutputConflictError):
        migrate(VECTORS / "v3" / "raw.yaml", output)
    assert output.read_text(encoding="utf-8") == "kept"


def test_the_cache_of_another_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a cache of its own, under the name that the other's configuration holds."""
    made = tmp_path / "a", tmp_path / "b"
    for folder in made:
        folder.mkdir()
        monkeypatch.chdir(folder)
        assert dev_tool(["init"]) == 0
    config, _ = migrated(Path("../a/.manifest-dev-tool"), Path("fotabuild.yaml").absolute())
    credentials = config.project.credentials
    assert credentials.key == str(tmp_path / "a" / ".manifest-dev-tool" / "dev.key.pem")
    assert credentials.certificate == str(tmp_path / "a" / ".manifest-dev-tool" / "dev.cert.der")


def test_original_and_copy_that_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = cache(tmp_path, monkeypatch)
    shutil.copytree(VECTORS / "keys", tmp_path / "keys")
    other = tmp_path / "keys" / "TEST-ONLY-other.key.pem"
    other.replace(tmp_path / "keys" / "TEST-ONLY-update.key.pem")
    with pytest.raises(FotabuildError, match="differs from its copy"):
        migrate(source, tmp_path / "fotabuild.yaml")
    assert not (tmp_path / "fotabuild.yaml").exists()


def tool_cache(folder: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> Path:
    source = cache(folder, monkeypatch)
    config = source / "dev.cfg.yaml"
    text = config.read_text(encoding="utf-8")
    text = text.replace("keys/TEST-ONLY-update.key.pem", json.dumps(key))
    config.write_text(f"{text}signing-tool: sign.sh\n", encoding="utf-8")
    return source


def test_key_of_a_signing_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tool_cache(tmp_path, monkeypatch, "slot-3")
    config, notes = migrated(source, tmp_path / "fotabuild.yaml")
    assert config.project.credentials.key == "slot-3"
    assert [note for note in notes if "no PIN" in note]


@pytest.mark.parametrize(
    "key",
    [
        "pkcs11:object=a?pin-value=8472",
        "pkcs11:object=a?PIN%2Dvalue=8472",
        "slot=3,pin=8472",
        "slot 3 PIN: 8472",
        "user:8472@hsm.example",
        "https://user:8472@hsm.example/key",
        "name;password=8472",
        "name --passphrase 8472",
        "name?secret=8472",
    ],
)
def test_a_pin_is_not_copied(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tool_cache(tmp_path, monkeypatch, key)
    done = run_fotabuild("migrate", source, cwd=tmp_path)
    assert done.status == 0, done.stderr
    assert "credentials.key was left out" in done.stderr
    text = (tmp_path / "fotabuild.yaml").read_text(encoding="utf-8")
    assert "8472" not in text + done.stdout + done.stderr


@pytest.mark.parametrize(
    "key",
    [
        "arn:aws:kms:eu:1:key/spinner",
        "pkcs11:token=updates;object=a?pin-source=env:PIN",
        "pins/7",
        "compass=3",
        "a@b",
    ],
)
def test_names_that_only_look_like_one(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, _ = migrated(tool_cache(tmp_path, monkeypatch, key), tmp_path / "fotabuild.yaml")
    assert config.project.credentials.key == key


def test_files_beside_the_configuration_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for the programs themselves."""
    source, here = tmp_path / "source", tmp_path / "here"
    for folder in (source, here):
        (folder / "certs").mkdir(parents=True)
        for name in ("both.der", "sign.sh", "vendor.bin"):
            (folder / "certs" / name).write_bytes(folder.name.encode())
    (here / "certs" / "only.pem").touch()
    old = {
        "vendorId": VENDOR,
        "classId": CLASS,
        "default-certificates": ["certs/both.der"],
        "private-key": "certs/only.pem",
    }
    (source / ".manifest_tool.json").write_text(json.dumps(old), encoding="utf-8")
    monkeypatch.chdir(here)
    config, notes = migrated(source / ".manifest_tool.json", tmp_path / "one.yaml")
    credentials = config.project.credentials
    assert credentials.certificate == str(source / "certs" / "both.der")
    assert credentials.key == str(here / "certs" / "only.pem")
    assert [note for note in notes if "both.der" in note]
    assert [note for note in notes if "only.pem" in note]
    text = (VECTORS / "v3" / "raw.yaml").read_text(encoding="utf-8")
    text += "signing-tool: certs/sign.sh\n"
    text = text.replace("vendor:\n", "vendor:\n  custom-data-path: certs/vendor.bin\n")
    (source / "input.yaml").write_text(text, encoding="utf-8")
    config, _ = migrated(source / "input.yaml", tmp_path / "two.yaml")
    assert config.project.vendor.custom_data_path == str(source / "certs" / "vendor.bin")
    assert config.project.credentials.signing_tool == str(source / "certs" / "sign.sh")


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("input.yaml", "vendor-id: fa6b", "domain: fa6b", "vendor.domain: "),
        ("input.yaml", "vendor-id: fa6b", "vendor-id: x", "not a UUID"),
        ("old.json", "the.pem", "a?pin-value=8472", "a PIN in the key's URI"),
    ],
)
def test_what_cannot_be_a_configuration_is_never_written(
    name: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    """The error names the source, not a file that nobody finds."""
    texts = {
        "input.yaml": (VECTORS / "v3" / "raw.yaml").read_text(encoding="utf-8"),
        "old.json": json.dumps({"vendorId": VENDOR, "classId": CLASS, "private-key": "the.pem"}),
    }
    assert old in texts[name]
    (tmp_path / name).write_text(texts[name].replace(old, new), encoding="utf-8")
    done = run_fotabuild("migrate", name, cwd=tmp_path)
    assert (done.status, message in done.stderr) == (1, True), done.stderr
    assert name in done.stderr
    assert "fotabuild.yaml" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_configuration_that_appears_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cache(tmp_path, monkeypatch)
    output = tmp_path / "fotabuild.yaml"

    def check(*arguments: object, **options: object) -> None:
        output.write_text("of somebody else", encoding="utf-8")

    monkeypatch.setattr(migration, "load_config", check)
    with pytest.raises(OutputConflictError):
        migrate(source, output)
    assert output.read_text(encoding="utf-8") == "of somebody else"


def test_the_source_is_not_an_output(tmp_path: Path) -> None:
    before = (VECTORS / "v3" / "raw.yaml").read_bytes()
    (tmp_path / "c.yaml").write_bytes(before)
    with pytest.raises(OutputConflictError):
        migrate(tmp_path / "c.yaml", tmp_path / "c.yaml")
    assert (tmp_path / "c.yaml").read_bytes() == before
