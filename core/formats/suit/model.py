"""A SUIT manifest as a value, which the compiler makes, the encoder writes, the decoder reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from fotabuild.formats.suit.names import (
    ComponentText,
    DigestAlgorithm,
    Element,
    ManifestText,
    Name,
    Parameter,
    Profile,
)

ComponentId: TypeAlias = tuple[bytes, ...]

#: Key of texts that have no language: draft-09 knows none.
NO_LANGUAGE = ""


@dataclass(frozen=True)
class Digest:
    """A digest with the name of its algorithm."""

    algorithm: DigestAlgorithm
    value: bytes


@dataclass(frozen=True)
class EnterpriseNumber:
    """A vendor id that is an IANA Private Enterprise Number (tag 112) and no UUID."""

    value: bytes


ParameterValue: TypeAlias = int | bool | str | bytes | Digest | EnterpriseNumber
#: Private parameters, below -255, and unregistered ones stand under their number. UUIDs are their
#: 16 bytes.
Parameters: TypeAlias = Mapping[Parameter | int, ParameterValue]


@dataclass(frozen=True)
class Act:
    """A condition, or a directive that has nothing but a reporting policy.

    Attributes:
        name: which one.
        policy: what the device reports: bit 0 success, bit 1 failure, bits 2 and 3 system
            information with these.
    """

    name: Name
    policy: int


@dataclass(frozen=True)
class SelectComponent:
    """The commands that follow are about this component, all (True) or these components."""

    index: int | bool | tuple[int, ...]


@dataclass(frozen=True)
class SelectDependency:
    """The commands that follow are about this dependency; draft-09 only."""

    index: int | bool


@dataclass(frozen=True)
class SetParameters:
    """Set parameters of the selected components.

    Attributes:
        values: the parameters.
        override: whether values that are set already are replaced.
    """

    values: Parameters
    override: bool = True


@dataclass(frozen=True)
class TryEach:
    """Run the alternatives until one succeeds.

    Attributes:
        alternatives: their commands.
        may_all_fail: whether the command succeeds when none of them does.
    """

    alternatives: tuple[Commands, ...]
    may_all_fail: bool = False


@dataclass(frozen=True)
class RunSequence:
    """Run commands."""

    commands: Commands


@dataclass(frozen=True)
class OverrideMultiple:
    """Set parameters of several components."""

    values: Mapping[int, Parameters]


@dataclass(frozen=True)
class CopyParameters:
    """Copy parameters of other components to the selected one."""

    names: Mapping[int, tuple[Parameter | int, ...]]


@dataclass(frozen=True)
class CustomCommand:
    """A private command, below -255."""

    code: int
    argument: bytes | str | int | None


Command: TypeAlias = (
    Act
    | SelectComponent
    | SelectDependency
    | SetParameters
    | TryEach
    | RunSequence
    | OverrideMultiple
    | CopyParameters
    | CustomCommand
)
Commands: TypeAlias = tuple[Command, ...]


@dataclass(frozen=True)
class LanguageText:
    """The texts in one language."""

    manifest: Mapping[ManifestText, str] = field(default_factory=dict)
    components: Mapping[ComponentId, Mapping[ComponentText, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Text:
    """All texts, by language tag; draft-09 has one set, under :data:`NO_LANGUAGE`."""

    languages: Mapping[str, LanguageText]


@dataclass(frozen=True)
class Dependency:
    """Another manifest that this one needs.

    Attributes:
        index: its component index in ``current``; its place in the list in draft-09.
        prefix: component id under which it works, None when it is not given.
        digest: digest of the child's manifest; draft-09 only.
    """

    index: int
    prefix: ComponentId | None = None
    digest: Digest | None = None


#: What an element holds: commands, texts, or the bytes of a CoSWID. A digest stands for an element
#: that lies in the envelope, or was removed.
ElementValue: TypeAlias = Commands | Text | bytes | Digest


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A manifest.

    Attributes:
        sequence_number: a device refuses a manifest with a number that is not higher than the last.
        components: the locations that commands name by their index.
        shared: commands that run before those of every element.
        elements: all other commands and texts.
        dependencies: manifests that this one needs.
        reference_uri: where the full manifest can be found.
        component_id: location of the manifest itself.
        version: version of the set, as update management understands it.
    """

    sequence_number: int
    components: tuple[ComponentId, ...]
    shared: Commands = ()
    elements: Mapping[Element, ElementValue] = field(default_factory=dict)
    dependencies: tuple[Dependency, ...] = ()
    reference_uri: str | None = None
    component_id: ComponentId | None = None
    version: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class CoseBlock:
    """One signature (COSE_Sign1) or message authentication code (COSE_Mac0).

    Attributes:
        is_mac: whether it is a COSE_Mac0.
        algorithm: the number of the COSE algorithm.
        protected: the protected header as it is signed.
        key_id: hint at the key, or None.
        payload: the attached payload, or None when it is detached.
        value: the signature or code.
        offset: where the block starts in the envelope.
    """

    is_mac: bool
    algorithm: int
    protected: bytes
    key_id: bytes | None
    payload: bytes | None
    value: bytes
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A decoded envelope. Its digests and signatures have not been compared with anything.

    Attributes:
        profile: its wire format.
        tagged: whether it carries the CBOR tag of envelopes.
        digest: the digest of the manifest that the envelope states.
        digest_bytes: that digest as encoded: what signatures cover.
        blocks: signatures and authentication codes.
        manifest: the manifest; severed elements are digests.
        manifest_bytes: the encoded byte string of the manifest with its head, as digested: a view
            of the file.
        severed: severed elements that are present.
        severed_bytes: their encoded byte strings with heads, as digested, likewise.
        integrated: payloads and dependencies inside the envelope, by URI.
        offsets: where the manifest and severed elements start in the file, by their names.
    """

    profile: Profile
    tagged: bool
    digest: Digest
    digest_bytes: bytes
    blocks: tuple[CoseBlock, ...]
    manifest: Manifest
    manifest_bytes: memoryview
    severed: Mapping[Element, ElementValue]
    severed_bytes: Mapping[Element, memoryview]
    integrated: Mapping[str, bytes]
    offsets: Mapping[str, int] = field(default_factory=dict, compare=False)

    def element(self, element: Element) -> ElementValue | None:
        """Return an element from where it lies; a digest when it was removed, None when absent."""
        value = self.manifest.elements.get(element)
        return self.severed.get(element, value) if isinstance(value, Digest) else value

    def whole_manifest(self) -> Manifest:
        """Return the manifest with the severed elements that are present in their places."""
        elements = {e: self.severed.get(e, v) for e, v in self.manifest.elements.items()}
        return replace(self.manifest, elements=elements)
