"""What is wrong in a file is said with the key, the line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.config.loader import load_config
from fotabuild.errors import ConfigError, FileError

from .conftest import Writer
from .samples import FULL, PUBLISH


@pytest.mark.parametrize(
    ("old", "new", "field", "line", "problem"),
    [
        ("priority: 7", "priority: high", "priority", 11, "expected `int`, got `str`"),
        ("priority: 7", "priority: -1", "priority", 11, "expected `int` >= 0"),
        ("priority: 7", "priority: true", "priority", 11, "expected `int`, got `bool`"),
        ("priority: 7", "priority: 1.5", "priority", 11, "expected `int`, got `float`"),
        ("priority: 7", "priority: '7'", "priority", 11, "expected `int`, got `str`"),
        ("priority: 7", "priority:", "priority", 11, "expected `int`, got `null`"),
        ("priority: 7", "prioritty: 7", "prioritty", 11, "unknown key"),
        ("sign-image: false", "sign_image: false", "sign_image", 12, "unknown key"),
        ("sign-image: false", "sign-image: 1", "sign-image", 12, "expected `bool`"),
        ("    uri-size: 200", "    uri-sise: 200", "device.limits.uri-sise", 8, "unknown key"),
        ("    uri-size: 200", "    uri-size: -1", "device.limits.uri-size", 8, ">= 0"),
        ("[delta, combined]", "[delta, teleport]", "device.features[1]", 6, "invalid enum"),
        ("[delta, combined]", "delta", "device.features", 6, "expected `array`"),
        ("format: encrypted-raw", "format: raw", "payload.format", 19, "invalid enum value 'raw'"),
        ("  domain: acme.com", "  domain: localhost", "vendor.domain", 2, "is not a domain name"),
        ("  domain: acme.com", "  domain: ''", "vendor.domain", 2, "text is empty"),
        ("  domain: acme.com", "  vendor-id: 12", "vendor.vendor-id", 2, "expected `str"),
        ("    size: 5", "    size: 0", "payload.encrypted.size", 22, ">= 1"),
        ("  block-size: 1024", "  block-size: 63", "delta.block-size", 25, ">= 64"),
        ("  effort: fast", "  effort: extreme", "delta.effort", 27, "enum value 'extreme'"),
        ("  time-limit: 60", "  time-limit: 0", "delta.time-limit", 28, ">= 1"),
        ("formats: [v3]", "formats: []", "formats", 23, "length >= 1"),
        ("formats: [v3]", "formats: [v4]", "formats[0]", 23, "invalid enum value 'v4'"),
        ("- version: 1.0.0", "- version: '1.0'", "releases[0].version", 45, "another form"),
        ("- version: 1.0.0", "- version: 0.0.0", "releases[0].version", 45, "firmware version"),
        ("- version: 1.0.0", "- verzion: 1.0.0", "releases[0].verzion", 45, "unknown key"),
        ("  image: releases/fw-1.0.0.bin\n", "", "releases[0].image", 45, "required and missing"),
        ("    vendor-data: b\n", "", "package.images[1].vendor-data", 34, "required and missing"),
        (
            "device:\n  model-name: Toaster",
            "device:\n  class-id: xyz",
            "device.class-id",
            5,
            "form",
        ),
        (PUBLISH, "publish: out\n", "publish", 77, "expected `object`"),
        ("https://updates.acme.com/api", "ftp://acme.com", "publish.service", 79, "another form"),
        ("file:keys/access.key", "ak_12345678", "publish.access-key", 80, "another form"),
        ("publish:\n", "priority: 8\npublish:\n", "priority", 77, "stands twice, first on line 11"),
    ],
)
def test_problem_key_and_line(
    old: str, new: str, field: str, line: int, problem: str, write: Writer
) -> None:
    assert FULL.count(old) == 1
    path = write(FULL.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_config(path, environ={})
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert (caught.value.file, caught.value.line) == (path, line)
    assert str(caught.value).startswith(f"{path}:{line}: {field}: ")


@pytest.mark.parametrize(
    ("old", "new", "suggestion"),
    [
        ("priority: 7", "prioritty: 7", "did you mean 'priority'?"),
        ("sign-image: false", "sign_image: false", "did you mean 'sign-image'?"),
        ("  domain: acme.com", "  domian: acme.com", "did you mean 'domain'?"),
        ("releases:\n", "release:\n", "did you mean 'releases'?"),
        ("priority: 7", "zzz: 7", "see 'fotabuild schema'"),
    ],
)
def test_unknown_keys_get_a_suggestion(old: str, new: str, suggestion: str, write: Writer) -> None:
    with pytest.raises(ConfigError, match="unknown key") as caught:
        load_config(write(FULL.replace(old, new)), environ={})
    assert caught.value.remedy == suggestion


def test_section_that_is_missing_altogether(write: Writer) -> None:
    with pytest.raises(ConfigError, match="required and missing") as caught:
        load_config(write("vendor: {domain: acme.com}\n"), environ={})
    assert (caught.value.field, caught.value.line) == ("device", 1)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot read the configuration") as caught:
        load_config(tmp_path / "none.yaml", environ={})
    assert caught.value.file == tmp_path / "none.yaml"


def test_the_complete_sample_is_good(write: Writer) -> None:
    assert load_config(write(FULL), environ={}).project.component == "BOOT"
