"""Conditions and directives as the virtual processor carries them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fotabuild.device.suit_device import Part, VirtualDevice
from fotabuild.device.suit_image import Image
from fotabuild.formats.suit import model
from fotabuild.formats.suit.names import Compression, Name, Parameter

if TYPE_CHECKING:
    from fotabuild.device.suit_processor import Scope

#: Decompressing a byte takes longer than moving one.
_UNPACKING = 4
_COMPRESSIONS = {each.number: each for each in Compression}
#: Conditions that depend on the moment; the virtual device always meets them.
_ALWAYS_MET = {
    Name.USE_BEFORE,
    Name.MINIMUM_BATTERY,
    Name.UPDATE_AUTHORIZED,
    Name.VERSION,
    Name.WAIT,
}


class CommandFailedError(Exception):
    """A command failed. It ends the sequence, and with it maybe the run; never leaves the room.

    Args:
        problem: why.
        fatal: whether no other alternative is tried.
    """

    def __init__(self, problem: str, *, fatal: bool = False) -> None:
        super().__init__(problem)
        self.fatal = fatal


def run_act(name: Name, scope: Scope, index: int) -> str:
    """Carry out a condition or directive on one component.

    Returns:
        what was compared or done.

    Raises:
        CommandFailedError: it failed.
    """
    if name in _ALWAYS_MET:
        return "depends on the moment; met here"
    action = _ACTIONS.get(name)
    if action is None:
        raise CommandFailedError("the virtual device cannot do this")
    return action(scope, index)


def _parameter(scope: Scope, index: int, label: Parameter) -> model.ParameterValue:
    value = scope.parameters.get(index, {}).get(label)
    if value is None:
        raise CommandFailedError(f"the parameter {label.value} is not set")
    return value


def _content(scope: Scope, index: int) -> Image:
    location = scope.locations.get(index)
    image = None if location is None else scope.device.contents.get(location)
    if image is None:
        raise CommandFailedError("the component is empty")
    scope.whole_run.work(len(image.data or b""))
    return image


def _store(scope: Scope, index: int, image: Image) -> None:
    location = scope.locations.get(index)
    if location is None:
        raise CommandFailedError("there is no such component")
    scope.device.contents[location] = scope.device.transforms.get(location, image)


def _identity(
    label: Parameter, own: Callable[[VirtualDevice, Part], object]
) -> Callable[[Scope, int], str]:
    def check(scope: Scope, index: int) -> str:
        wanted = _parameter(scope, index, label)
        shown = wanted.hex() if isinstance(wanted, bytes) else str(wanted)
        if wanted != own(scope.device, scope.device.part(scope.locations.get(index))):
            raise CommandFailedError(f"{label.value} {shown} is not that of the device")
        return f"{label.value} {shown}"

    return check


def _image_match(scope: Scope, index: int) -> str:
    if index < 0:
        wanted = scope.envelope.manifest.dependencies[-1 - index].digest
        if _child_digest(scope, _content(scope, index)) != wanted:
            raise CommandFailedError("the dependency is another manifest, or none")
        return "the manifest has this digest"
    digest = _parameter(scope, index, Parameter.IMAGE_DIGEST)
    size = scope.parameters[index].get(Parameter.IMAGE_SIZE)
    assert isinstance(digest, model.Digest)
    assert size is None or isinstance(size, int)
    image = _content(scope, index)
    if image.matches(digest, size):
        return f"{digest.algorithm.value} {digest.value.hex()[:16]}..."
    # The examples of trust domains match a dependency by the digest of its manifest.
    if _is_dependency(scope, index) and _child_digest(scope, image) == digest:
        return f"manifest with {digest.algorithm.value} {digest.value.hex()[:16]}..."
    raise CommandFailedError("the image has another digest or size")


def _image_not_match(scope: Scope, index: int) -> str:
    try:
        _image_match(scope, index)
    except CommandFailedError:
        return "another image"
    raise CommandFailedError("the image has this digest")


def _fetch(scope: Scope, index: int) -> str:
    uri = _parameter(scope, index, Parameter.URI)
    assert isinstance(uri, str)
    integrated = scope.envelope.integrated.get(uri)
    image = Image(integrated) if integrated is not None else scope.device.payloads.get(uri)
    if image is None:
        raise CommandFailedError(f"nothing is at {uri}")
    _store(scope, index, _unpacked(scope, index, image))
    return uri


def _copy(scope: Scope, index: int) -> str:
    source = _parameter(scope, index, Parameter.SOURCE_COMPONENT)
    assert isinstance(source, int)
    _store(scope, index, _unpacked(scope, index, _content(scope, source)))
    return f"from component {source}"


def _unpacked(scope: Scope, index: int, image: Image) -> Image:
    known = scope.parameters.get(index, {})
    label: Parameter | int = Parameter.COMPRESSION_INFO
    if label not in known and scope.device.compression_parameter is not None:
        label = scope.device.compression_parameter
    if label not in known:
        if Parameter.ENCRYPTION_INFO in known:
            raise CommandFailedError("the virtual device cannot decrypt")
        return image
    number = known[label]
    compression = _COMPRESSIONS.get(number) if isinstance(number, int) else None
    if compression is None:
        raise CommandFailedError(f"unknown compression {number!r}")
    try:
        unpacked = image.decompress(compression)
    except ValueError as error:
        raise CommandFailedError(f"cannot decompress {compression.value}: {error}") from None
    scope.whole_run.work(_UNPACKING * len(unpacked.data or b""))
    return unpacked


def _swap(scope: Scope, index: int) -> str:
    source = _parameter(scope, index, Parameter.SOURCE_COMPONENT)
    assert isinstance(source, int)
    one, other = _content(scope, index), _content(scope, source)
    _store(scope, index, other)
    _store(scope, source, one)
    return f"with component {source}"


def _written(scope: Scope, index: int) -> bytes:
    content = _parameter(scope, index, Parameter.CONTENT)
    assert isinstance(content, bytes)
    return content


def _write(scope: Scope, index: int) -> str:
    content = _written(scope, index)
    _store(scope, index, _unpacked(scope, index, Image(content)))
    return f"{len(content)} bytes"


def _check_content(scope: Scope, index: int) -> str:
    content = _written(scope, index)
    if _content(scope, index).data != content:
        raise CommandFailedError("the component has another content")
    return f"{len(content)} bytes"


def _unlink(scope: Scope, index: int) -> str:
    _content(scope, index)
    del scope.device.contents[scope.locations[index]]
    return "removed"


def _invoke(scope: Scope, index: int) -> str:
    _content(scope, index)
    scope.device.invoked.append(scope.locations[index])
    return "started"


def _abort(_scope: Scope, _index: int) -> str:
    raise CommandFailedError("the manifest says so")


def _is_dependency(scope: Scope, index: int) -> bool:
    return any(needed.index == index for needed in scope.envelope.manifest.dependencies)


def _check_dependency(scope: Scope, index: int) -> str:
    if not _is_dependency(scope, index):
        raise CommandFailedError("the component is no dependency")
    return "it is"


def _child_digest(scope: Scope, image: Image) -> model.Digest | None:
    child = None if image.data is None else scope.whole_run.child(image.data)
    return None if child is None else child.digest


def _dependency_integrity(scope: Scope, index: int) -> str:
    digest = _parameter(scope, index, Parameter.IMAGE_DIGEST)
    if _child_digest(scope, _content(scope, index)) != digest:
        raise CommandFailedError("the component holds another manifest, or none")
    return "the manifest has this digest"


def _process_dependency(scope: Scope, index: int) -> str:
    child = scope.whole_run.child(_content(scope, index).data or b"")
    if child is None:
        raise CommandFailedError("the component holds no manifest, or a damaged one")
    if scope.device.runs_dependencies:
        scope.whole_run.element(child, scope.section, scope.depth + 1)
    return f"manifest number {child.manifest.sequence_number}"


_ACTIONS: dict[Name, Callable[[Scope, int], str]] = {
    Name.VENDOR_IDENTIFIER: _identity(Parameter.VENDOR_ID, lambda _, part: part.vendor_id),
    Name.CLASS_IDENTIFIER: _identity(Parameter.CLASS_ID, lambda _, part: part.class_id),
    Name.DEVICE_IDENTIFIER: _identity(Parameter.DEVICE_ID, lambda device, _: device.device_id),
    Name.COMPONENT_SLOT: _identity(Parameter.COMPONENT_SLOT, lambda _, part: part.slot),
    Name.COMPONENT_OFFSET: _identity(Parameter.COMPONENT_OFFSET, lambda _, part: part.offset),
    Name.IMAGE_MATCH: _image_match,
    Name.IMAGE_NOT_MATCH: _image_not_match,
    Name.CHECK_CONTENT: _check_content,
    Name.ABORT: _abort,
    Name.FETCH: _fetch,
    Name.COPY: _copy,
    Name.WRITE: _write,
    Name.SWAP: _swap,
    Name.UNLINK: _unlink,
    Name.INVOKE: _invoke,
    Name.IS_DEPENDENCY: _check_dependency,
    Name.DEPENDENCY_INTEGRITY: _dependency_integrity,
    Name.PROCESS_DEPENDENCY: _process_dependency,
}
