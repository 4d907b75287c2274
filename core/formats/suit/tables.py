"""What a profile is: the numbers of the names (suit specification, sections 3 and 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fotabuild.formats.suit.names import DigestAlgorithm, Element, Name, Parameter, Profile


@dataclass(frozen=True, kw_only=True)
class Table:
    """The numbers of one profile, and the few rules that differ.

    Attributes:
        profile: whose numbers these are.
        written_tag: tag of an envelope that we write, or None.
        envelope_tag: tag of an envelope that may be there.
        digests: digest algorithms.
        elements: elements, in the manifest and severed in the envelope alike.
        severable: elements that may lie in the envelope.
        commands: commands.
        parameters: parameters.
        payload_attached: whether a signature repeats the digest that it covers.
        text_has_languages: whether there is one set of texts per language.
        has_set_parameters: whether set-parameters is there, and used outside the shared sequence.
        single_index_in_alternatives: whether alternatives of a component with a single location
            select it again.
        named_payloads: whether the envelope may hold payloads under their URIs.
        spellings: names that differ from those of ``current``.
    """

    profile: Profile
    written_tag: int | None
    envelope_tag: int
    digests: Mapping[DigestAlgorithm, int]
    elements: Mapping[Element, int]
    severable: frozenset[Element]
    commands: Mapping[Name, int]
    parameters: Mapping[Parameter, int]
    payload_attached: bool
    text_has_languages: bool
    has_set_parameters: bool
    single_index_in_alternatives: bool
    named_payloads: bool
    spellings: Mapping[Element | Name, str]

    def spell(self, name: Element | Name) -> str:
        """Return how this profile spells a name."""
        return self.spellings.get(name, str(name.value))


_SHARED_COMMANDS = {
    Name.VENDOR_IDENTIFIER: 1,
    Name.CLASS_IDENTIFIER: 2,
    Name.IMAGE_MATCH: 3,
    Name.USE_BEFORE: 4,
    Name.SET_COMPONENT_INDEX: 12,
    Name.ABORT: 14,
    Name.TRY_EACH: 15,
    Name.SET_PARAMETERS: 19,
    Name.OVERRIDE_PARAMETERS: 20,
    Name.FETCH: 21,
    Name.COPY: 22,
    Name.INVOKE: 23,
    Name.DEVICE_IDENTIFIER: 24,
    Name.IMAGE_NOT_MATCH: 25,
    Name.MINIMUM_BATTERY: 26,
    Name.UPDATE_AUTHORIZED: 27,
    Name.VERSION: 28,
    Name.WAIT: 29,
}
_SHARED_PARAMETERS = {
    Parameter.VENDOR_ID: 1,
    Parameter.CLASS_ID: 2,
    Parameter.IMAGE_DIGEST: 3,
    Parameter.USE_BEFORE: 4,
    Parameter.STRICT_ORDER: 12,
    Parameter.SOFT_FAILURE: 13,
    Parameter.IMAGE_SIZE: 14,
    Parameter.URI: 21,
    Parameter.SOURCE_COMPONENT: 22,
    Parameter.INVOKE_ARGS: 23,
    Parameter.DEVICE_ID: 24,
    Parameter.MINIMUM_BATTERY: 26,
    Parameter.UPDATE_PRIORITY: 27,
    Parameter.VERSION: 28,
    Parameter.WAIT_INFO: 29,
}

_CURRENT = Table(
    profile=Profile.CURRENT,
    written_tag=107,
    envelope_tag=107,
    digests={
        DigestAlgorithm.SHA256: -16,
        DigestAlgorithm.SHAKE128: -18,
        DigestAlgorithm.SHA384: -43,
        DigestAlgorithm.SHA512: -44,
        DigestAlgorithm.SHAKE256: -45,
    },
    elements={
        Element.VALIDATE: 7,
        Element.LOAD: 8,
        Element.INVOKE: 9,
        Element.COSWID: 14,
        Element.DEPENDENCY_RESOLUTION: 15,
        Element.PAYLOAD_FETCH: 16,
        Element.CANDIDATE_VERIFICATION: 18,
        Element.INSTALL: 20,
        Element.TEXT: 23,
        Element.UNINSTALL: 24,
    },
    severable=frozenset(
        {
            Element.COSWID,
            Element.DEPENDENCY_RESOLUTION,
            Element.PAYLOAD_FETCH,
            Element.CANDIDATE_VERIFICATION,
            Element.INSTALL,
            Element.TEXT,
        }
    ),
    commands=_SHARED_COMMANDS
    | {
        Name.COMPONENT_SLOT: 5,
        Name.CHECK_CONTENT: 6,
        Name.DEPENDENCY_INTEGRITY: 7,
        Name.IS_DEPENDENCY: 8,
        Name.PROCESS_DEPENDENCY: 11,
        Name.WRITE: 18,
        Name.SWAP: 31,
        Name.RUN_SEQUENCE: 32,
        Name.UNLINK: 33,
        Name.OVERRIDE_MULTIPLE: 34,
        Name.COPY_PARAMETERS: 35,
    },
    parameters=_SHARED_PARAMETERS
    | {
        Parameter.COMPONENT_SLOT: 5,
        Parameter.CONTENT: 18,
        Parameter.ENCRYPTION_INFO: 19,
        Parameter.FETCH_ARGS: 25,
        Parameter.COMPONENT_METADATA: 30,
    },
    payload_attached=False,
    text_has_languages=True,
    has_set_parameters=False,
    single_index_in_alternatives=True,
    named_payloads=True,
    spellings={},
)

_DRAFT_09 = Table(
    profile=Profile.DRAFT_09,
    written_tag=None,
    envelope_tag=48,
    digests={
        DigestAlgorithm.SHA224: 1,
        DigestAlgorithm.SHA256: 2,
        DigestAlgorithm.SHA384: 3,
        DigestAlgorithm.SHA512: 4,
    },
    elements={
        Element.DEPENDENCY_RESOLUTION: 7,
        Element.PAYLOAD_FETCH: 8,
        Element.INSTALL: 9,
        Element.VALIDATE: 10,
        Element.LOAD: 11,
        Element.INVOKE: 12,
        Element.TEXT: 13,
        Element.COSWID: 14,
    },
    severable=frozenset(
        {
            Element.DEPENDENCY_RESOLUTION,
            Element.PAYLOAD_FETCH,
            Element.INSTALL,
            Element.TEXT,
            Element.COSWID,
        }
    ),
    commands=_SHARED_COMMANDS
    | {
        Name.COMPONENT_OFFSET: 5,
        Name.SET_DEPENDENCY_INDEX: 13,
        Name.PROCESS_DEPENDENCY: 18,
        Name.RUN_SEQUENCE: 30,
        Name.RUN_WITH_ARGUMENTS: 31,
        Name.SWAP: 32,
    },
    parameters=_SHARED_PARAMETERS
    | {
        Parameter.COMPONENT_OFFSET: 5,
        Parameter.ENCRYPTION_INFO: 18,
        Parameter.COMPRESSION_INFO: 19,
    },
    payload_attached=True,
    text_has_languages=False,
    has_set_parameters=True,
    single_index_in_alternatives=False,
    named_payloads=False,
    spellings={Element.INVOKE: "run", Name.INVOKE: "directive-run"},
)

TABLES = {table.profile: table for table in (_CURRENT, _DRAFT_09)}
