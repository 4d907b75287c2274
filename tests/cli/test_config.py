"""``fotabuild config``: the settings and where they come from."""

from __future__ import annotations

import pytest

from fotabuild.config.fields import project_fields

from .conftest import Cli


def test_every_setting_is_printed(look: Cli) -> None:
    lines = look.good("config").stdout.splitlines()
    names = [line.split()[0] for line in lines]
    assert names == [*(field.name for field in project_fields()), "releases", "vendor", "class"]


def test_origins(look: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOTABUILD_PRIORITY", "5")
    found = look.json("config", "--set", "component=BOOT", "--build-setting", "delta.threshold=70")
    settings = {s["name"]: (s["value"], s["origin"]) for s in found["settings"]}
    assert settings["priority"] == (5, "environment FOTABUILD_PRIORITY")
    assert settings["component"] == ("BOOT", "option component")
    assert settings["delta.threshold"] == (70, "build system delta.threshold")
    assert settings["vendor.domain"] == ("acme.com", "file fotabuild.yaml:2")
    assert settings["delta.block-size"] == (512, "default")
    assert settings["releases"] == ([f"1.0.0 {look.folder / 'old.bin'}"], "file fotabuild.yaml:11")


def test_precedence_of_the_command_line(look: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def priority(*arguments: str) -> object:
        settings = look.json("config", *arguments)["settings"]
        return next(s["value"] for s in settings if s["name"] == "priority")

    weak, strong = ("--build-setting", "priority=1"), ("--set", "priority=3")
    assert [priority(), priority(*weak), priority(*weak, *strong)] == [0, 1, 3]
    monkeypatch.setenv("FOTABUILD_PRIORITY", "2")
    assert [priority(), priority(*weak), priority(*weak, *strong)] == [2, 2, 3]


def test_replaced_name_has_no_value_and_no_origin(look: Cli) -> None:
    vendor = "vendor.vendor-id=fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe"
    settings = look.json("config", "--set", vendor)["settings"]
    domain = next(s for s in settings if s["name"] == "vendor.domain")
    assert (domain["value"], domain["origin"]) == (None, "default")


@pytest.mark.parametrize("option", ["--set", "--build-setting"])
@pytest.mark.parametrize(
    ("text", "status", "problem"),
    [
        ("priority", 2, "needs NAME=VALUE"),
        ("nonsense=1", 1, "no such setting"),
        ("priority=x", 1, "expected `int`"),
        ("=1", 1, "no such setting"),
    ],
)
def test_unusable_settings(option: str, text: str, status: int, problem: str, look: Cli) -> None:
    done = look("config", option, text)
    assert (done.status, done.stdout) == (status, "")
    assert problem in done.stderr


def test_another_file(cli: Cli) -> None:
    (cli.folder / "sub").mkdir()
    (cli.folder / "sub" / "other.yaml").write_text(
        "vendor: {domain: a.b}\ndevice: {model-name: c}\n", encoding="utf-8"
    )
    settings = cli.json("config", "--config", "sub/other.yaml")["settings"]
    assert next(s for s in settings if s["name"] == "vendor.domain")["value"] == "a.b"
    done = cli("config", "--config", "none.yaml")
    assert (done.status, "cannot read the configuration" in done.stderr) == (1, True)
