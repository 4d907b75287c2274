"""A release that gets the full image alone."""

from __future__ import annotations

from pathlib import Path

from fotabuild.config.loader import load_config
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.plan import make_plan

CONFIG = """\
vendor: {domain: acme.com}
device: {model-name: board}
credentials: {key: key.pem}
payload: {url: "https://a.b/{file}"}
releases:
- {version: 1.0.0, image: old.bin, delta: false}
- {version: 1.0.1, image: new.bin}
"""


def test_no_delta_for_a_release_where_it_is_switched_off(tmp_path: Path) -> None:
    (tmp_path / "fotabuild.yaml").write_text(CONFIG, encoding="ascii")
    config = load_config(tmp_path / "fotabuild.yaml", environ={})
    version = FirmwareVersion.parse("1.1.0")
    plan = make_plan(config, Build(image=tmp_path / "a.elf", version=version, folder=tmp_path))
    patches = [step.outputs[0].name for step in plan.steps if step.kind.value == "delta"]
    assert patches == ["a-1.0.1-to-1.1.0.patch"]
    assert plan.notes == ("no delta from 1.0.0: switched off for this release",)
