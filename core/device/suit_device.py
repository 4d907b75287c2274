"""A virtual device for SUIT manifests, and the report of what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fotabuild.device.suit_image import Image
from fotabuild.formats.suit.model import ComponentId
from fotabuild.formats.suit.names import Element


@dataclass(frozen=True)
class Part:
    """What one component of a device is; None matches nothing.

    Attributes:
        vendor_id: its vendor, 16 bytes.
        class_id: its class, 16 bytes.
        slot: index of the slot that updates go to.
        offset: address that its images must be linked to (draft-09).
    """

    vendor_id: bytes | None = None
    class_id: bytes | None = None
    slot: int | None = None
    offset: int | None = None


@dataclass
class VirtualDevice:
    """What the device is and holds; a processor changes its contents.

    Attributes:
        parts: what its components are.
        default: what the components are that ``parts`` does not name.
        device_id: the very device, 16 bytes, or None.
        payloads: what the network has, by URI.
        contents: what its components hold.
        transforms: what becomes of an image on its way into a component, where the device does
            something to it that the manifest does not say.
        compression_parameter: private parameter that it understands as compression, or None.
        set_replaces: whether set-parameters replaces values that are set already in draft-09.
            Processors that read manifests of suit-tool do; the text of the draft says no.
        runs_dependencies: whether it runs other manifests that this one needs, or only reads them.
        invoked: components that were started, in order.
    """

    parts: Mapping[ComponentId, Part] = field(default_factory=dict)
    default: Part = field(default_factory=Part)
    device_id: bytes | None = None
    payloads: Mapping[str, Image] = field(default_factory=dict)
    contents: dict[ComponentId, Image] = field(default_factory=dict)
    transforms: Mapping[ComponentId, Image] = field(default_factory=dict)
    compression_parameter: int | None = None
    set_replaces: bool = True
    runs_dependencies: bool = True
    invoked: list[ComponentId] = field(default_factory=list)

    def part(self, location: ComponentId | None) -> Part:
        """Return what a component is."""
        return self.default if location is None else self.parts.get(location, self.default)


@dataclass(frozen=True)
class Step:
    """One command as it was run.

    Attributes:
        element: the element whose commands run; None while the shared ones run before it.
        section: that element, also for the shared commands.
        command: the name of the command.
        component: the component that it was about, or None.
        passed: whether it succeeded.
        detail: what was compared or done.
        depth: nesting in try-each, run-sequence and dependencies.
    """

    element: Element | None
    section: Element
    command: str
    component: ComponentId | None
    passed: bool
    detail: str = ""
    depth: int = 0


@dataclass(frozen=True)
class ProcessorReport:
    """What a device did.

    Attributes:
        steps: every command in the order in which it was run.
        failure: the step that ended it, or None when all went well.
        problem: why it ended, empty when all went well.
    """

    steps: tuple[Step, ...]
    failure: Step | None = None
    problem: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the device ran the manifest to its end."""
        return not self.problem
