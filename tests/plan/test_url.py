"""Payload URLs: templates with a closed set of names."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.errors import ConfigError
from fotabuild.formats.manifest_v3 import decode_signed
from fotabuild.plan.plan import make_plan
from fotabuild.plan.url import expand_url
from fotabuild.steps.manifest import ManifestStep
from fotabuild.steps.payload_manifest import DIGEST_PLACEHOLDER

from .conftest import MakeConfig
from .test_plan import build

VALUES = {"file": "fw 1.bin", "version": "1.1.0", "from": "1.0.0", "component": "MA/IN"}


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("https://a.b/fw.bin", "https://a.b/fw.bin"),
        ("https://a.b/{file}", "https://a.b/fw%201.bin"),
        ("https://a.b/{component}/{version}", "https://a.b/MA%2FIN/1.1.0"),
        ("{from}-{version}-{from}", "1.0.0-1.1.0-1.0.0"),
        ("https://a.b/{digest}", f"https://a.b/{DIGEST_PLACEHOLDER}"),
        ("https://a.b/{{digest}}", "https://a.b/{digest}"),
        ("https://a.b/{{file}}", "https://a.b/{file}"),
        ("https://a.b/\u00e4", "https://a.b/\u00e4"),
        ("coap://[2001:db8::1]/x?y=%20", "coap://[2001:db8::1]/x?y=%20"),
    ],
)
def test_names_are_filled_in(template: str, url: str) -> None:
    assert expand_url(template, VALUES) == url


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{image}", "unknown name {image}"),
        ("{}", "unknown name {}"),
        ("{0}", "unknown name {0}"),
        ("{file.name}", "unknown name {file.name}"),
        ("{file[0]}", "unknown name"),
        ("{file!r}", "unknown name"),
        ("{file:>9}", "unknown name"),
        ("{file", "braces do not match"),
        ("file}", "braces do not match"),
        ("{file{version}}", "unknown name|braces do not match"),
    ],
)
def test_other_names_are_refused(template: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        expand_url(template, VALUES)
    assert caught.value.field == "payload.url"
    assert "{digest}" in (caught.value.remedy or "")


def test_urls_of_a_plan(
    make_config: MakeConfig, tmp_path: Path, releases: list[dict[str, str]]
) -> None:
    url = "https://acme.com/{component}/{version}/{file}?since={from}"
    plan = make_plan(make_config(payload={"url": url}, releases=releases), build(tmp_path))
    urls = {s.outputs[0].name: s.url for s in plan.steps if isinstance(s, ManifestStep)}
    base = "https://acme.com/MAIN/2.0.0"
    assert urls == {
        "app-2.0.0.manifest": f"{base}/app-2.0.0.bin?since=",
        "app-1.9.0-to-2.0.0.manifest": f"{base}/app-1.9.0-to-2.0.0.patch?since=1.9.0",
        "app-1.10.0-to-2.0.0.manifest": f"{base}/app-1.10.0-to-2.0.0.patch?since=1.10.0",
    }


def test_digest_is_that_of_the_payload(run_project: Path) -> None:
    """The payload is not known before the step runs."""
    for manifest in run_project.glob("*.manifest"):
        found = decode_signed(manifest.read_bytes()).manifest
        assert found.payload_uri == f"https://acme.com/{found.payload_digest.hex()}"
