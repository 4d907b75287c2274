"""A virtual SUIT processor: it runs the commands of a manifest on a virtual device.

It is strict where devices differ: a failed alternative leaves its parameters and its component
index behind, parameters start empty for each element, and what is unknown ends the run. The number
of commands is limited, as indices in nested sequences could make it grow without end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fotabuild.device.suit_commands import CommandFailedError, run_act
from fotabuild.device.suit_device import ProcessorReport, Step, VirtualDevice
from fotabuild.errors import FormatError, VerificationError
from fotabuild.formats.suit import model
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.digests import check_manifest_digest
from fotabuild.formats.suit.names import Element, Name, Parameter, Profile
from fotabuild.limits import READ_LIMITS

#: The order in which a device runs the elements: the update, then the start.
UPDATE = (
    Element.DEPENDENCY_RESOLUTION,
    Element.PAYLOAD_FETCH,
    Element.CANDIDATE_VERIFICATION,
    Element.INSTALL,
)
START = (Element.VALIDATE, Element.LOAD, Element.INVOKE)
_STEP_LIMIT = 10_000
_DEPTH_LIMIT = 16
#: Bytes that are moved and hashed. An image is hashed twice and moved thrice at most.
_WORK_LIMIT = 16 * READ_LIMITS.image
_PARAMETER_WORK = 1000


def run_manifest(
    envelope: model.Envelope,
    device: VirtualDevice,
    elements: Sequence[Element] = (*UPDATE, *START),
    step_limit: int = _STEP_LIMIT,
) -> ProcessorReport:
    """Run the elements of a manifest in order; the device keeps what they did.

    Args:
        envelope: the manifest; its digests and signatures are not checked here.
        device: the device.
        elements: what to run; elements that the manifest lacks are passed over.
        step_limit: most commands that are run.
    """
    run = Run(device, step_limit)
    try:
        for element in elements:
            run.element(envelope, element, 0)
    except CommandFailedError as error:
        failure = run.steps[-1] if run.steps and not run.steps[-1].passed else None
        return ProcessorReport(tuple(run.steps), failure, str(error))
    return ProcessorReport(tuple(run.steps))


class Run:
    """One run on one device.

    Args:
        device: the device.
        step_limit: most commands that are run.
    """

    def __init__(self, device: VirtualDevice, step_limit: int) -> None:
        self.device = device
        self.steps: list[Step] = []
        self._step_limit = step_limit
        self._work_left = _WORK_LIMIT
        self._children: dict[bytes, model.Envelope | None] = {}

    def work(self, size: int) -> None:
        """Account for bytes that are moved or hashed.

        Raises:
            CommandFailedError: they are more than any honest manifest needs.
        """
        self._work_left -= size
        if self._work_left < 0:
            raise CommandFailedError("more bytes are moved than any manifest needs", fatal=True)

    def child(self, data: bytes) -> model.Envelope | None:
        """Return the manifest in a component, or None when it is damaged or none; read once."""
        if data not in self._children:
            try:
                envelope = decode_envelope(data)
                check_manifest_digest(envelope)
            except (FormatError, VerificationError):
                self._children[data] = None
            else:
                self._children[data] = envelope
        return self._children[data]

    def element(self, envelope: model.Envelope, element: Element, depth: int) -> None:
        """Run one element, after the shared commands.

        Raises:
            CommandFailedError: a command failed.
        """
        value = envelope.element(element)
        if value is None or not element.is_sequence:
            return
        if isinstance(value, model.Digest):
            raise CommandFailedError(f"{element.value} was removed from the envelope")
        if depth > _DEPTH_LIMIT:
            raise CommandFailedError("dependencies are nested too deep", fatal=True)
        assert isinstance(value, tuple)
        scope = Scope(self, envelope, element, depth)
        scope.run(envelope.manifest.shared, None)
        scope.start()
        scope.run(value, element)

    def record(self, step: Step) -> None:
        """Keep a step.

        Raises:
            CommandFailedError: there are too many.
        """
        self.steps.append(step)
        if len(self.steps) > self._step_limit:
            raise CommandFailedError(f"more than {self._step_limit} commands are run", fatal=True)


@dataclass
class Scope:
    """The state while one element of one manifest runs.

    Attributes:
        whole_run: the run that it is a part of.
        envelope: the envelope of the manifest.
        section: the element.
        depth: nesting.
        parameters: what is set, by the index of the component.
        selected: indices that commands are about.
        dependency: index of the selected dependency of draft-09, or None.
    """

    whole_run: Run
    envelope: model.Envelope
    section: Element
    depth: int
    parameters: dict[int, dict[Parameter | int, model.ParameterValue]] = field(default_factory=dict)
    selected: tuple[int, ...] = ()
    dependency: int | None = None
    soft_failure: bool = False

    def __post_init__(self) -> None:
        self.locations: dict[int, model.ComponentId] = dict(
            enumerate(self.envelope.manifest.components)
        )
        for needed in self.envelope.manifest.dependencies:
            if self.envelope.profile is Profile.DRAFT_09:
                # Their indices are others than those of components; here they are below zero.
                self.locations[-1 - needed.index] = (b"dependency", bytes([needed.index & 0xFF]))
            elif needed.prefix is not None:
                self.locations.setdefault(needed.index, needed.prefix)
        self.start()

    def start(self) -> None:
        """Select the only component, or nothing: with several, manifests have to say which."""
        self.selected = (0,) if tuple(self.locations) == (0,) else ()
        self.dependency = None

    @property
    def device(self) -> VirtualDevice:
        """The device."""
        return self.whole_run.device

    def select(self, index: int | bool | tuple[int, ...]) -> None:
        """Make commands be about these components.

        Raises:
            CommandFailedError: there is no such component.
        """
        self.dependency = None
        if isinstance(index, bool):
            self.selected = tuple(i for i in self.locations if i >= 0) if index else ()
            return
        self.selected = index if isinstance(index, tuple) else (index,)
        for each in self.selected:
            if each not in self.locations or each < 0:
                raise CommandFailedError(f"there is no component {each}")

    def run(self, commands: model.Commands, element: Element | None) -> None:
        """Run commands.

        Raises:
            CommandFailedError: one failed.
        """
        for command in commands:
            self._command(command, element)

    def _command(  # noqa: C901 - one case for each kind of command.
        self, command: model.Command, element: Element | None
    ) -> None:
        match command:
            case model.SelectComponent(index):
                self._step(element, Name.SET_COMPONENT_INDEX.value, None, f"{index}")
                self.select(index)
            case model.SelectDependency(index):
                self._step(element, Name.SET_DEPENDENCY_INDEX.value, None, f"{index}")
                self.selected, self.dependency = (), int(index)
            case model.SetParameters(values, override):
                for index in self._targets():
                    self._set(index, values, override=override)
                name = Name.OVERRIDE_PARAMETERS if override else Name.SET_PARAMETERS
                detail = ", ".join(k.value if isinstance(k, Parameter) else str(k) for k in values)
                self._step(element, name.value, self._one(), detail)
            case model.OverrideMultiple(by_index):
                self._step(element, Name.OVERRIDE_MULTIPLE.value, None)
                for index, values in by_index.items():
                    self._set(index, values, override=True)
            case model.CopyParameters(names):
                self._step(element, Name.COPY_PARAMETERS.value, self._one())
                for source, labels in names.items():
                    known = self.parameters.get(source, {})
                    copied = {label: known[label] for label in labels if label in known}
                    for index in self._targets():
                        self._set(index, copied, override=True)
            case model.TryEach(alternatives, may_all_fail):
                self._each(lambda: self._try_each(alternatives, may_all_fail, element))
            case model.RunSequence(commands):
                self._each(lambda: self._run_sequence(commands, element))
            case model.CustomCommand(code):
                self._fail(element, f"private command {code}", "no device here understands it")
            case model.Act(name):
                self._act(name, element)

    def _act(self, name: Name, element: Element | None) -> None:
        if not self._targets():
            self._fail(element, name.value, "no component is selected")
        for index in self._targets():
            location = self.locations.get(index)
            try:
                detail = run_act(name, self, index)
            except CommandFailedError as error:
                if error.fatal:
                    raise
                self._fail(element, name.value, str(error), location)
            else:
                self._step(element, name.value, location, detail)

    def _targets(self) -> tuple[int, ...]:
        return self.selected if self.dependency is None else (-1 - self.dependency,)

    def _one(self) -> model.ComponentId | None:
        return self.locations.get(self.selected[0]) if len(self.selected) == 1 else None

    def _set(self, index: int, values: model.Parameters, *, override: bool) -> None:
        self.whole_run.work(_PARAMETER_WORK * (1 + len(values)))
        known = self.parameters.setdefault(index, {})
        replaces = override or (
            self.envelope.profile is Profile.DRAFT_09 and self.device.set_replaces
        )
        for label, value in values.items():
            if replaces or label not in known:
                known[label] = value
        soft = values.get(Parameter.SOFT_FAILURE)
        if isinstance(soft, bool):
            self.soft_failure = soft

    def _each(self, action: Callable[[], None]) -> None:
        """Run a nesting command for every selected component on its own."""
        if self.depth >= _DEPTH_LIMIT:
            raise CommandFailedError("sequences are nested too deep", fatal=True)
        before, soft = self.selected, self.soft_failure
        self.depth += 1
        try:
            if len(before) < 2:
                action()
                return
            for index in before:
                self.selected = (index,)
                action()
            self.selected = before
        finally:
            self.depth -= 1
            self.soft_failure = soft

    def _try_each(
        self, alternatives: tuple[model.Commands, ...], may_all_fail: bool, element: Element | None
    ) -> None:
        problem = ""
        for place, commands in enumerate(alternatives):
            self._step(element, Name.TRY_EACH.value, self._one(), f"alternative {place + 1}")
            try:
                self.run(commands, element)
            except CommandFailedError as error:
                if error.fatal:
                    raise
                problem = str(error)
            else:
                return
        if not may_all_fail:
            raise CommandFailedError(f"no alternative succeeds; the last one: {problem}")

    def _run_sequence(self, commands: model.Commands, element: Element | None) -> None:
        self.soft_failure = False
        self._step(element, Name.RUN_SEQUENCE.value, self._one())
        try:
            self.run(commands, element)
        except CommandFailedError as error:
            if error.fatal or not self.soft_failure:
                raise

    def _step(
        self,
        element: Element | None,
        command: str,
        location: model.ComponentId | None,
        detail: str = "",
        *,
        passed: bool = True,
    ) -> None:
        self.whole_run.record(
            Step(element, self.section, command, location, passed, detail, self.depth)
        )

    def _fail(
        self,
        element: Element | None,
        command: str,
        detail: str,
        location: model.ComponentId | None = None,
    ) -> None:
        self._step(element, command, location, detail, passed=False)
        raise CommandFailedError(f"{self.section.value}: {command}: {detail}")
