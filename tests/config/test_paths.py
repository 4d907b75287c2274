"""Relative paths: those of the file start at its folder, all others at the working folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fotabuild.config.fields import project_fields
from fotabuild.config.loader import load_config
from fotabuild.config.model import PathKind
from fotabuild.errors import ConfigError

from .conftest import Writer
from .samples import FULL, MINIMAL
from .test_precedence import value_of

PATHS = [field.name for field in project_fields() if field.path is not None]
# Their paths begin with "file:", and stay so.
PLACES = {"publish.access-key"}


def test_these_settings_are_paths() -> None:
    assert set(PATHS) == {
        "vendor.custom-data-path",
        "credentials.key",
        "credentials.certificate",
        "credentials.signing-tool",
        "payload.file-path",
        "layout.bootloader",
        "layout.header",
        "publish.destination",
        "publish.access-key",
        "publish.storage",
        "publish.journal",
    }


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_paths_of_the_file_start_at_its_folder(write: Writer, elsewhere: Path) -> None:
    path = write(FULL)
    config = load_config(path, environ={})
    assert (config.file, config.folder) == (path, path.parent)
    expected = {
        "vendor.custom-data-path": "data/vendor.bin",
        "credentials.key": "keys/update.key.pem",
        "credentials.certificate": "keys/update.cert.der",
        "payload.file-path": "build/fw.bin",
        "layout.bootloader": "boot.bin",
        "layout.header": "header.bin",
        "publish.destination": "out",
        "publish.storage": "store",
        "publish.journal": "journals",
    }
    assert set(PATHS) - set(expected) == {"credentials.signing-tool", *PLACES}
    assert {name: value_of(config, name) for name in expected} == {
        name: str(path.parent / value) for name, value in expected.items()
    }
    assert value_of(config, "publish.access-key") == f"file:{path.parent}/keys/access.key"
    assert isinstance(config.project.releases, tuple)
    assert config.project.releases[0].image == str(path.parent / "releases/fw-1.0.0.bin")
    assert config.project.package is not None
    # ".." is resolved; the entry without a file is the built image.
    assert [image.file_name for image in config.project.package.images] == [
        None,
        str(path.parent.parent / "table.bin"),
    ]


def test_a_relative_name_of_the_file_itself_does_not_matter(write: Writer, elsewhere: Path) -> None:
    path = write(FULL)
    relative = Path(os.path.relpath(path))
    assert not relative.is_absolute()
    assert load_config(relative, environ={}) == load_config(path, environ={})


@pytest.mark.parametrize("name", [name for name in PATHS if name not in PLACES])
def test_paths_of_other_sources_start_at_the_working_folder(
    name: str, write: Writer, elsewhere: Path
) -> None:
    path = write(FULL)
    variable = next(field.variable for field in project_fields() if field.name == name)
    for config in (
        load_config(path, options={name: "sub/../x.bin"}, environ={}),
        load_config(path, environ={variable: "sub/../x.bin"}),
    ):
        assert value_of(config, name) == str(elsewhere / "x.bin")
        absolute = load_config(path, options={name: "/abs/x.bin"}, environ={})
        assert value_of(absolute, name) == "/abs/x.bin"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("k.pem", "{folder}/k.pem"),
        ("file:k.pem", "{folder}/k.pem"),
        ("file:///etc/k.pem", "/etc/k.pem"),
        ("pkcs11:object=update", "pkcs11:object=update"),
    ],
)
def test_keys_that_do_not_live_in_files_keep_their_name(
    given: str, expected: str, write: Writer, elsewhere: Path
) -> None:
    path = write(MINIMAL + f"credentials: {{key: '{given}'}}\n")
    config = load_config(path, environ={})
    assert config.project.credentials.key == expected.format(folder=path.parent)
    kind = next(field.path for field in project_fields() if field.name == "credentials.key")
    assert kind is PathKind.KEY_URI


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("file:sub/../k", "file:{folder}/k"),
        ("file:/etc/k", "file:/etc/k"),
        ("env:KEY", "env:KEY"),
        ("fd:3", "fd:3"),
    ],
)
def test_places_of_access_keys(given: str, expected: str, write: Writer, elsewhere: Path) -> None:
    path = write(MINIMAL + f"publish: {{access-key: '{given}'}}\n")
    config = load_config(path, environ={})
    assert config.project.publish.access_key == expected.format(folder=path.parent)
    variable = {"FOTABUILD_PUBLISH_ACCESS_KEY": given}
    given_by_variable = load_config(write(MINIMAL), environ=variable).project.publish.access_key
    assert given_by_variable == expected.format(folder=elsewhere)


@pytest.mark.parametrize("key", ["ak_1CanaryKey", "ak_1:Canary", "env:ak-1Canary"])
def test_an_access_key_itself_is_refused_and_not_repeated(key: str, write: Writer) -> None:
    path = write(MINIMAL + f"publish: {{access-key: '{key}'}}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path, environ={})
    assert "Canary" not in str(caught.value)
    assert "never the key itself" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        load_config(write(MINIMAL), environ={"FOTABUILD_PUBLISH_ACCESS_KEY": key})
    assert "Canary" not in str(caught.value)


def test_nothing_is_looked_up_on_the_disk(write: Writer, elsewhere: Path) -> None:
    """Describing a build reads no key and no image: none of them exist here."""
    config = load_config(write(FULL), environ={})
    assert config.project.credentials.key
    assert [path.name for path in config.folder.iterdir()] == ["fotabuild.yaml"]
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("written", "there", "expected"),
    [
        ("./sign.sh", False, "{folder}/sign.sh"),
        ("../bin/sign", False, "{parent}/bin/sign"),
        ("/opt/sign", False, "/opt/sign"),
        ("sign.sh", True, "{folder}/sign.sh"),
        # Not in the folder of the file: looked up on PATH when it is run.
        ("sign.sh", False, "sign.sh"),
    ],
)
def test_programs_are_in_the_folder_or_on_path(
    written: str, there: bool, expected: str, write: Writer, elsewhere: Path
) -> None:
    path = write(MINIMAL + f"credentials: {{signing-tool: '{written}'}}\n")
    if there:
        (path.parent / written).write_text("")
    folder = path.parent
    tool = load_config(path, environ={}).project.credentials.signing_tool
    assert tool == expected.format(folder=folder, parent=folder.parent)


@pytest.mark.parametrize("key", ["update-key", "keys/a b", "slot:7", "file:x", "./x"])
@pytest.mark.parametrize("source", ["file", "build system", "environment", "option"])
def test_keys_of_a_signing_tool_keep_their_name(
    key: str, source: str, write: Writer, elsewhere: Path
) -> None:
    """The tool may be named by another source than the key."""
    given = key if source == "file" else "weaker"
    path = write(MINIMAL + f"credentials: {{key: '{given}', signing-tool: ./sign}}\n")
    config = load_config(
        path,
        options={"credentials.key": key} if source == "option" else {},
        environ={"FOTABUILD_CREDENTIALS_KEY": key} if source == "environment" else {},
        build_system={"credentials.key": key} if source == "build system" else {},
    )
    assert config.project.credentials.key == key


@pytest.mark.parametrize("name", ["pin-value", "PIN-VALUE", "pin%2Dvalue"])
def test_a_pin_in_the_name_of_a_key_is_refused_and_not_shown(name: str, write: Writer) -> None:
    path = write(MINIMAL)
    with pytest.raises(ConfigError, match="can be seen by others") as caught:
        load_config(path, options={"credentials.key": f"pkcs11:object=a?{name}=98761"}, environ={})
    assert "98761" not in str(caught.value)


def test_a_passphrase_where_its_source_belongs_is_refused_and_not_shown(write: Writer) -> None:
    path = write(MINIMAL)
    with pytest.raises(ConfigError, match="another form") as caught:
        load_config(path, options={"credentials.passphrase": "correct horse"}, environ={})
    assert "correct" not in str(caught.value)
