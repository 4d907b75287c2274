"""Two names for one id: exactly one counts, and a stronger source may choose the other."""

from __future__ import annotations

import pytest

from fotabuild.config.loader import Source, load_config
from fotabuild.errors import ConfigError
from fotabuild.formats.identity import class_id_from_model_name, vendor_id_from_domain

from .conftest import Writer
from .samples import FULL

VENDOR = "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe"
CLASS = "327c726a-c6e5-4f7a-82fb-f1d3beda80f0"
PAIRS = (
    ("vendor.domain", "acme.com", "vendor.vendor-id", VENDOR),
    ("device.model-name", "Toaster", "device.class-id", CLASS),
)


@pytest.mark.parametrize("vendor", ["domain: acme.com", f"vendor-id: {VENDOR}"])
@pytest.mark.parametrize("device", ["model-name: T", f"class-id: {CLASS}"])
def test_every_combination_gives_an_identity(vendor: str, device: str, write: Writer) -> None:
    config = load_config(write(f"vendor: {{{vendor}}}\ndevice: {{{device}}}\n"), environ={})
    vendor_id = vendor_id_from_domain("acme.com") if "domain" in vendor else VENDOR
    assert str(config.identity.vendor_id) == str(vendor_id)
    class_id = class_id_from_model_name(config.identity.vendor_id, "T")
    assert str(config.identity.class_id) == (str(class_id) if "model" in device else CLASS)


@pytest.mark.parametrize(
    "text",
    [VENDOR, VENDOR.upper(), VENDOR.replace("-", ""), f"'{{{VENDOR}}}'"],
    ids=["dashes", "capitals", "plain", "braces"],
)
def test_usual_forms_of_an_id(text: str, write: Writer) -> None:
    path = write(f"vendor: {{vendor-id: {text}}}\ndevice: {{model-name: T}}\n")
    assert str(load_config(path, environ={}).identity.vendor_id) == VENDOR


@pytest.mark.parametrize(("first", "first_text", "second", "second_text"), PAIRS)
def test_a_stronger_source_replaces_the_other_name(
    first: str, first_text: str, second: str, second_text: str, write: Writer
) -> None:
    path = write(FULL)
    variables = {name: f"FOTABUILD_{name}".upper() for name in (first, second)}
    variables = {name: text.replace(".", "_").replace("-", "_") for name, text in variables.items()}
    by_id = load_config(path, environ={variables[second]: second_text})
    assert second_text in (str(by_id.identity.vendor_id), str(by_id.identity.class_id))
    assert by_id.origin(second).source is Source.ENVIRONMENT
    # The value of the file is gone, so nobody gave it.
    assert by_id.origin(first).source is Source.DEFAULT
    back = load_config(path, environ={variables[second]: second_text}, options={first: first_text})
    assert back.identity == load_config(path, environ={}).identity
    assert back.origin(second).source is Source.DEFAULT


@pytest.mark.parametrize(("first", "first_text", "second", "second_text"), PAIRS)
def test_both_names_from_one_source_are_an_error(
    first: str, first_text: str, second: str, second_text: str, write: Writer
) -> None:
    both = {first: first_text, second: second_text}
    section = first.partition(".")[0]
    for given in (both, dict(reversed(both.items()))):
        for options, build_system in ((given, None), (None, given)):
            with pytest.raises(ConfigError, match="both of") as caught:
                load_config(write(FULL), environ={}, options=options, build_system=build_system)
            assert caught.value.field == section
    text = FULL.replace(f"  {first.partition('.')[2]}: {first_text}\n", "")
    lines = "".join(f"  {name.partition('.')[2]}: {value}\n" for name, value in both.items())
    with pytest.raises(ConfigError, match="both of") as caught:
        load_config(write(text.replace(f"{section}:\n", f"{section}:\n{lines}", 1)), environ={})
    assert (caught.value.field, caught.value.line is not None) == (section, True)


@pytest.mark.parametrize("section", ["vendor", "device"])
def test_neither_name_is_an_error(section: str, write: Writer) -> None:
    key = {"vendor": "  domain: acme.com\n", "device": "  model-name: Toaster\n"}[section]
    with pytest.raises(ConfigError, match="neither of") as caught:
        load_config(write(FULL.replace(key, "")), environ={})
    assert caught.value.field == section
