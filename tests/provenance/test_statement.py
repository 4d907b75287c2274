"""Statements are of the published form, say what was made, and are the same each time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fotabuild.errors import ProvenanceError
from fotabuild.provenance.statement import (
    PREDICATE_TYPE,
    STATEMENT_TYPE,
    Material,
    Statement,
    read_subjects,
)

STATEMENT = Statement(
    subjects={"b.bin": b"\2" * 32, "a.bin": b"\1" * 32},
    parameters={"component": "MAIN"},
    materials=(
        Material({"gitCommit": "0" * 40}, "sources", "git+https://acme.com/fw"),
        Material({"sha256": "1" * 64}),
    ),
    builder="https://ci.acme.com/builder",
    version="1.2.3",
    invocation="run 7",
)


def test_it_has_the_fields_of_in_toto_and_slsa() -> None:
    """https://slsa.dev/spec/v1.0/provenance and in-toto's Statement v1."""
    values = json.loads(STATEMENT.encode())
    assert set(values) == {"_type", "subject", "predicateType", "predicate"}
    assert values["_type"] == "https://in-toto.io/Statement/v1"
    assert values["predicateType"] == "https://slsa.dev/provenance/v1"
    assert values["subject"] == [
        {"name": "a.bin", "digest": {"sha256": "01" * 32}},
        {"name": "b.bin", "digest": {"sha256": "02" * 32}},
    ]
    definition = values["predicate"]["buildDefinition"]
    assert set(definition) == {"buildType", "externalParameters", "resolvedDependencies"}
    assert definition["resolvedDependencies"] == [
        {
            "name": "sources",
            "uri": "git+https://acme.com/fw",
            "digest": {"gitCommit": "0" * 40},
        },
        {"digest": {"sha256": "1" * 64}},
    ]
    details = values["predicate"]["runDetails"]
    assert details["builder"]["id"] == "https://ci.acme.com/builder"
    assert details["metadata"] == {"invocationId": "run 7"}


def test_the_order_of_subjects_does_not_matter() -> None:
    turned = dict(reversed(list(STATEMENT.subjects.items())))
    assert Statement(subjects=turned).encode() == Statement(subjects=STATEMENT.subjects).encode()


def test_subjects_come_back() -> None:
    assert read_subjects(STATEMENT.encode()) == STATEMENT.subjects


def _statement(**changes: Any) -> bytes:
    values = {
        "_type": STATEMENT_TYPE,
        "predicateType": PREDICATE_TYPE,
        "subject": [{"name": "a", "digest": {"sha256": "00" * 32}}],
        "predicate": {},
    }
    return json.dumps({**values, **changes}).encode()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "_type"),
        ({"predicateType": "https://slsa.dev/provenance/v0.2"}, "predicateType"),
        ({"subject": []}, "0 subjects"),
        ({"subject": [{"name": "", "digest": {}}]}, "empty"),
        ({"subject": [{"name": "a", "digest": {"sha256": "00" * 32}}] * 2}, "twice"),
        ({"subject": [{"name": "a", "digest": {"sha512": "00" * 64}}]}, "no SHA-256"),
        ({"subject": [{"name": "a", "digest": {"sha256": "zz" * 32}}]}, "no SHA-256"),
        ({"subject": [{"name": "a", "digest": {"sha256": "00" * 31}}]}, "no SHA-256"),
        ({"subject": "a"}, "not an in-toto statement"),
    ],
    ids=str,
)
def test_other_statements_are_refused(changes: dict[str, Any], complaint: str) -> None:
    assert read_subjects(_statement()) == {"a": bytes(32)}
    with pytest.raises(ProvenanceError, match=complaint):
        read_subjects(_statement(**changes))
