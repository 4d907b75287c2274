"""Statements as others verify them: envelope, statement and predicate, each with the makers' code.

securesystemslib verifies the signature, the in-toto project's own classes read the statement, and
the published schema of SLSA provenance reads the predicate, which refuses fields that it lacks.
"""

from __future__ import annotations

import json

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement as ForeignStatement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError as ForeignError

from fotabuild.provenance.envelope import seal
from fotabuild.provenance.statement import BUILD_TYPE
from fotabuild.signing.signer import open_signer

from ..formats.golden import KEY
from .test_envelope import OTHER_KEY, foreign_public
from .test_statement import STATEMENT


def foreign_statement(data: bytes) -> ForeignStatement:
    """Read a statement; unknown fields are errors."""
    message = json_format.Parse(data.decode(), statement_pb2.Statement())
    found = ForeignStatement.copy_from_pb(message)
    found.validate()
    return found


def test_envelope_statement_and_predicate_are_read_by_others() -> None:
    envelope = Envelope.from_dict(json.loads(seal(STATEMENT.encode(), open_signer(str(KEY)))))
    envelope.verify([foreign_public()], 1)
    assert envelope.payload_type == "application/vnd.in-toto+json"
    found = foreign_statement(envelope.payload)
    subjects = {item.name: bytes.fromhex(item.digest["sha256"]) for item in found.pb.subject}
    assert subjects == STATEMENT.subjects
    predicate = json_format.Parse(
        json_format.MessageToJson(found.pb.predicate), provenance_pb2.Provenance()
    )
    definition = predicate.build_definition
    assert definition.build_type == BUILD_TYPE
    assert dict(definition.external_parameters) == STATEMENT.parameters
    (source, other) = definition.resolved_dependencies
    assert (source.name, source.uri) == ("sources", "git+https://acme.com/fw")
    assert dict(source.digest) == {"gitCommit": "0" * 40}
    assert dict(other.digest) == {"sha256": "1" * 64}
    details = predicate.run_details
    assert details.builder.id == STATEMENT.builder
    assert dict(details.builder.version) == {"fotabuild": "1.2.3"}
    assert details.metadata.invocation_id == "run 7"


def test_others_refuse_what_is_not_of_the_key_or_the_schema() -> None:
    envelope = Envelope.from_dict(json.loads(seal(STATEMENT.encode(), open_signer(str(KEY)))))
    with pytest.raises(ForeignError):
        envelope.verify([foreign_public(OTHER_KEY)], 1)
    values = json.loads(STATEMENT.encode())
    for broken in ({**values, "more": 1}, {**values, "subject": []}):
        with pytest.raises((json_format.ParseError, ValueError)):
            foreign_statement(json.dumps(broken).encode())
