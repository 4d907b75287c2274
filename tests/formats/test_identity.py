"""Vendor and class ids: given as text, or derived from names (manifest-v3, section 4)."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.errors import FormatError
from fotabuild.formats.identity import (
    class_id_from_model_name,
    parse_uuid,
    vendor_id_from_domain,
)

from .strategies import QUICK

VENDOR = "887b8f5e-aec2-5feb-860e-dfadf5a4bb9b"


def test_worked_example_of_the_specification() -> None:
    vendor = vendor_id_from_domain("izumanetworks.com")
    assert str(vendor) == VENDOR
    assert str(class_id_from_model_name(vendor, "Smart Slippers")) == (
        "2618dbc1-df59-55d4-b566-67bb3720b073"
    )


def test_names_are_hashed_as_utf_8() -> None:
    vendor = vendor_id_from_domain("b\u00fccher.example")
    assert vendor == uuid.uuid5(uuid.NAMESPACE_DNS, "b\u00fccher.example")
    assert vendor != vendor_id_from_domain("bucher.example")


def test_class_depends_on_the_vendor_and_on_every_letter() -> None:
    vendor, other = uuid.UUID(VENDOR), uuid.UUID(int=1)
    ids = {class_id_from_model_name(v, name) for v in (vendor, other) for name in ("a", "A", "a ")}
    assert len(ids) == 6


@QUICK
@given(st.uuids())
def test_every_usual_form_is_the_same_id(value: uuid.UUID) -> None:
    for text in (str(value), value.hex, value.hex.upper(), value.urn, f"{{{value}}}"):
        assert parse_uuid(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        VENDOR[:-1],
        VENDOR + "0",
        VENDOR + "\n",
        " " + VENDOR,
        "{" + VENDOR,
        VENDOR + "}",
        VENDOR.replace("-", "", 1),
        VENDOR.replace("8", "g"),
        VENDOR.replace("8", "\u0668"),
        "0x" + VENDOR.replace("-", "")[2:],
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(FormatError, match="is not a UUID"):
        parse_uuid(text)


@pytest.mark.parametrize(
    "domain",
    ["", "localhost", ".", "a.", ".a", "a..b", "a b.c", "a.b\n", "https://a.b", "a.b/c", "-a.b"],
)
def test_texts_that_are_no_domain_are_refused(domain: str) -> None:
    with pytest.raises(FormatError, match="is not a domain name"):
        vendor_id_from_domain(domain)


@pytest.mark.parametrize("domain", ["a.b", "acme.com", "a-b.c-d.example", "x_y.example", "1.2"])
def test_domains_are_accepted(domain: str) -> None:
    assert vendor_id_from_domain(domain) == uuid.uuid5(uuid.NAMESPACE_DNS, domain)
