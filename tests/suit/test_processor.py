"""The virtual processor: every command, and where it stops."""

from __future__ import annotations

import gzip

import pytest

from fotabuild.device.suit_device import Part, ProcessorReport, VirtualDevice
from fotabuild.device.suit_image import Image
from fotabuild.device.suit_processor import run_manifest
from fotabuild.device.suit_self_check import check_envelope
from fotabuild.formats.suit import model
from fotabuild.formats.suit.compiler import compile_manifest
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.digests import compute_digest
from fotabuild.formats.suit.envelope import encode_envelope
from fotabuild.formats.suit.model import Act, RunSequence, SelectComponent, SetParameters, TryEach
from fotabuild.formats.suit.names import (
    Compression,
    DigestAlgorithm,
    Element,
    Name,
    Parameter,
    Profile,
)
from fotabuild.formats.suit.splicing import sever

from .golden import APP, SUIT, component, describe, make, manifest, sha

A, B = (b"a",), (b"b",)
PART = Part(bytes(16), b"c" * 16, slot=1, offset=4096)


def digest(data: bytes) -> model.Digest:
    return compute_digest(DigestAlgorithm.SHA256, data)


def run(
    *commands: model.Command,
    device: VirtualDevice | None = None,
    components: tuple[model.ComponentId, ...] = (A,),
    integrated: dict[str, bytes] | None = None,
    shared: model.Commands = (),
    dependencies: tuple[model.Dependency, ...] = (),
    step_limit: int = 1000,
) -> ProcessorReport:
    value = model.Manifest(
        sequence_number=1,
        components=components,
        shared=shared,
        elements={Element.INSTALL: commands},
        dependencies=dependencies,
    )
    data = encode_envelope(value, Profile.CURRENT, integrated=integrated)
    device = device or VirtualDevice(default=PART)
    return run_manifest(decode_envelope(data), device, step_limit=step_limit)


def put(**values: object) -> SetParameters:
    return SetParameters({Parameter[key.upper()]: value for key, value in values.items()})  # type: ignore[misc]


def act(name: Name) -> Act:
    return Act(name, 15)


def holding(**contents: bytes) -> VirtualDevice:
    return VirtualDevice(
        default=PART,
        device_id=b"d" * 16,
        contents={(key.encode(),): Image(value) for key, value in contents.items()},
        payloads={"u": Image(b"payload")},
    )


PASSES: dict[str, tuple[model.Command, ...]] = {
    "vendor": (put(vendor_id=bytes(16)), act(Name.VENDOR_IDENTIFIER)),
    "class": (put(class_id=b"c" * 16), act(Name.CLASS_IDENTIFIER)),
    "device": (put(device_id=b"d" * 16), act(Name.DEVICE_IDENTIFIER)),
    "slot": (put(component_slot=1), act(Name.COMPONENT_SLOT)),
    "match": (put(image_digest=digest(b"old"), image_size=3), act(Name.IMAGE_MATCH)),
    "not match": (put(image_digest=digest(b"new")), act(Name.IMAGE_NOT_MATCH)),
    "content": (put(content=b"old"), act(Name.CHECK_CONTENT)),
    "fetch": (
        put(uri="u", image_digest=digest(b"payload")),
        act(Name.FETCH),
        act(Name.IMAGE_MATCH),
    ),
    "write": (put(content=b"new"), act(Name.WRITE), act(Name.CHECK_CONTENT)),
    "unlink": (act(Name.UNLINK),),
    "battery": (act(Name.MINIMUM_BATTERY), act(Name.USE_BEFORE), act(Name.WAIT)),
    "invoke": (act(Name.INVOKE),),
    "run sequence": (RunSequence((put(content=b"x"), act(Name.WRITE))), act(Name.CHECK_CONTENT)),
    "soft failure": (RunSequence((put(soft_failure=True), act(Name.ABORT))),),
    "second alternative": (TryEach(((act(Name.ABORT),), (put(content=b"old"),))),),
    "all may fail": (TryEach(((act(Name.ABORT),),) * 2, may_all_fail=True),),
    "copied parameters": (
        put(content=b"old"),
        model.CopyParameters({0: (Parameter.CONTENT,)}),
        act(Name.CHECK_CONTENT),
    ),
    "several": (
        model.OverrideMultiple({0: {Parameter.CONTENT: b"old"}}),
        act(Name.CHECK_CONTENT),
    ),
    "set keeps": (
        put(content=b"old"),
        SetParameters({Parameter.CONTENT: b"new"}, override=False),
        act(Name.CHECK_CONTENT),
    ),
}


@pytest.mark.parametrize("name", PASSES)
def test_commands_that_pass(name: str) -> None:
    report = run(*PASSES[name], device=holding(a=b"old"))
    assert report.succeeded, report.problem
    assert all(step.section is Element.INSTALL for step in report.steps)


STOPS: dict[str, tuple[tuple[model.Command, ...], str]] = {
    "vendor": ((put(vendor_id=b"x" * 16), act(Name.VENDOR_IDENTIFIER)), "not that of the device"),
    "class": ((put(class_id=bytes(16)), act(Name.CLASS_IDENTIFIER)), "not that of the device"),
    "device": ((put(device_id=bytes(16)), act(Name.DEVICE_IDENTIFIER)), "not that of the device"),
    "slot": ((put(component_slot=0), act(Name.COMPONENT_SLOT)), "slot 0 is not that of the device"),
    "no parameter": ((act(Name.VENDOR_IDENTIFIER),), "the parameter vendor-id is not set"),
    "no digest": ((act(Name.IMAGE_MATCH),), "the parameter image-digest is not set"),
    "digest": ((put(image_digest=digest(b"new")), act(Name.IMAGE_MATCH)), "another digest or size"),
    "size": (
        (put(image_digest=digest(b"old"), image_size=4), act(Name.IMAGE_MATCH)),
        "another digest or size",
    ),
    "not match": (
        (put(image_digest=digest(b"old")), act(Name.IMAGE_NOT_MATCH)),
        "the image has this digest",
    ),
    "content": ((put(content=b"new"), act(Name.CHECK_CONTENT)), "has another content"),
    "uri": ((put(uri="v"), act(Name.FETCH)), "nothing is at v"),
    "abort": ((act(Name.ABORT),), "the manifest says so"),
    "custom": ((model.CustomCommand(-300, b""),), "private command -300: no device here"),
    "encrypted": ((put(uri="u", encryption_info=b""), act(Name.FETCH)), "cannot decrypt"),
    "no dependency": ((act(Name.IS_DEPENDENCY),), "the component is no dependency"),
    "no child": ((act(Name.PROCESS_DEPENDENCY),), "holds no manifest, or a damaged one"),
    "component": ((SelectComponent(7),), "there is no component 7"),
    "all alternatives": ((TryEach(((act(Name.ABORT),),) * 2),), "no alternative succeeds"),
    "hard failure": ((RunSequence((act(Name.ABORT),)),), "the manifest says so"),
    "unlinked": ((act(Name.UNLINK), act(Name.INVOKE)), "the component is empty"),
    "source": ((put(source_component=3), act(Name.COPY)), "the component is empty"),
}


@pytest.mark.parametrize("name", STOPS)
def test_commands_that_stop_the_run_with_a_reason(name: str) -> None:
    commands, problem = STOPS[name]
    report = run(*commands, device=holding(a=b"old"))
    assert not report.succeeded
    assert problem in report.problem
    if report.failure is not None:
        assert not report.failure.passed


def test_copy_and_swap_move_contents() -> None:
    device = holding(a=b"1", b=b"2")
    commands = (SelectComponent(0), put(source_component=1))
    assert run(*commands, act(Name.SWAP), device=device, components=(A, B)).succeeded
    assert (device.contents[A].data, device.contents[B].data) == (b"2", b"1")
    assert run(*commands, act(Name.COPY), device=device, components=(A, B)).succeeded
    assert device.contents[A].data == device.contents[B].data == b"1"


def test_with_several_components_one_must_be_selected() -> None:
    device = holding(a=b"1", b=b"2")
    report = run(act(Name.INVOKE), device=device, components=(A, B))
    assert report.problem == "install: directive-invoke: no component is selected"
    for index in (True, (0, 1)):
        device = holding(a=b"1", b=b"2")
        report = run(SelectComponent(index), act(Name.INVOKE), device=device, components=(A, B))
        assert report.succeeded
        assert device.invoked == [A, B]


def test_nesting_commands_run_for_each_selected_component() -> None:
    device = holding(a=b"1", b=b"2")
    commands = (SelectComponent(True), RunSequence((act(Name.INVOKE), act(Name.INVOKE))))
    assert run(*commands, device=device, components=(A, B)).succeeded
    assert device.invoked == [A, A, B, B]


def test_a_failed_alternative_leaves_its_component_selected() -> None:
    """The strict reading: alternatives have to select for themselves (defect 5)."""
    device = holding(a=b"1", b=b"2")
    careless = TryEach(((SelectComponent(1), act(Name.ABORT)), (act(Name.INVOKE),)))
    assert run(SelectComponent(0), careless, device=device, components=(A, B)).succeeded
    assert device.invoked == [B]


def test_parameters_start_empty_for_each_element() -> None:
    value = model.Manifest(
        sequence_number=1,
        components=(A,),
        elements={
            Element.INSTALL: (put(content=b"x"), act(Name.WRITE)),
            Element.VALIDATE: (act(Name.CHECK_CONTENT),),
        },
    )
    envelope = decode_envelope(encode_envelope(value, Profile.CURRENT))
    report = run_manifest(envelope, VirtualDevice())
    assert report.problem == "validate: condition-check-content: the parameter content is not set"


def test_integrated_payloads_come_before_the_network() -> None:
    device = holding()
    commands = (put(uri="u"), act(Name.FETCH))
    assert run(*commands, device=device, integrated={"u": b"inside"}).succeeded
    assert device.contents[A].data == b"inside"


def test_a_removed_element_stops_the_run() -> None:
    value = manifest(component(uri="http://a.example/" + "x" * 60))
    data = sever(make(value, severable=True))
    report = run_manifest(decode_envelope(data), VirtualDevice(default=PART))
    assert report.problem == "install was removed from the envelope"


def test_the_number_of_commands_is_limited() -> None:
    """Ten components, selected again in each of seven nested sequences, are ten million runs."""
    inner: model.Commands = (act(Name.WAIT),)
    for _ in range(7):
        inner = (SelectComponent(True), RunSequence(inner))
    ids = tuple((bytes([n]),) for n in range(10))
    report = run(*inner, components=ids)
    assert report.problem == "more than 1000 commands are run"
    assert len(report.steps) == 1001


def test_the_work_is_limited() -> None:
    """A large image, looked at again and again: few commands, much to do."""
    image = bytes(8 * 1024 * 1024)
    device = VirtualDevice(contents={A: Image(image)})
    report = run(*([act(Name.INVOKE)] * 600), device=device)
    assert report.problem == "more bytes are moved than any manifest needs"


def test_a_limit_ends_all_alternatives() -> None:
    inner: model.Commands = (act(Name.WAIT),) * 40
    report = run(TryEach((inner, inner)), step_limit=20)
    assert report.problem == "more than 20 commands are run"
    assert len(report.steps) == 21


def test_dependencies_run_and_end() -> None:
    child_value = model.Manifest(
        sequence_number=2,
        components=(B,),
        elements={Element.INSTALL: (put(content=b"child"), act(Name.WRITE))},
    )
    child = encode_envelope(child_value, Profile.CURRENT)
    needed = (model.Dependency(1, (b"child",)),)
    commands = (
        SelectComponent(1),
        put(uri="#child", image_digest=decode_envelope(child).digest, image_size=len(child)),
        act(Name.FETCH),
        act(Name.IMAGE_MATCH),
        act(Name.IS_DEPENDENCY),
        act(Name.DEPENDENCY_INTEGRITY),
        act(Name.PROCESS_DEPENDENCY),
    )
    device = holding()
    report = run(*commands, device=device, dependencies=needed, integrated={"#child": child})
    assert report.succeeded, report.problem
    assert device.contents[B].data == b"child"
    other = holding(b=b"")
    other.payloads = {"#child": Image(child[:-1])}
    report = run(*commands, device=other, dependencies=needed)
    assert "another digest or size" in report.problem


def test_a_manifest_that_needs_itself_ends() -> None:
    loop = model.Manifest(
        sequence_number=1,
        components=(A,),
        elements={Element.INSTALL: (act(Name.PROCESS_DEPENDENCY),)},
    )
    data = encode_envelope(loop, Profile.CURRENT)
    device = VirtualDevice(contents={A: Image(data)})
    report = run_manifest(decode_envelope(data), device)
    assert report.problem == "dependencies are nested too deep"


@pytest.mark.parametrize("profile", list(Profile))
def test_self_check_of_needed_manifests(profile: Profile) -> None:
    file = {
        Profile.CURRENT: "current/02-fetch-install.signed.suit",
        Profile.DRAFT_09: "draft-09/32-dependency-child.signed.suit",
    }[profile]
    for extra in ({"uri": "http://a.example/child"}, {}):
        entry = {"file": file, "install-id": ["child!"]} | extra
        value = manifest(dependencies=[entry])
        report = check_envelope(describe(value), make(value, profile))
        assert report.accepted, report.failures


@pytest.mark.parametrize("compression", list(Compression))
def test_images_are_decompressed_within_limits(compression: Compression) -> None:
    suffix = {"gzip": "gz", "bzip2": "bz2"}.get(compression.value, compression.value)
    packed = (SUIT / f"payloads/app.bin.{suffix}").read_bytes()
    assert Image(packed).decompress(compression).data == APP
    with pytest.raises(ValueError, match="more than 4095 bytes"):
        Image(packed).decompress(compression, 4095)
    for bad in (packed[:-9], packed[: len(packed) // 2], b"", b"\x00" * 40):
        with pytest.raises(ValueError, match=r"\w"):
            Image(bad).decompress(compression)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        Image(bomb).decompress(Compression.GZIP, 1000)


def test_self_check_finds_a_file_that_is_not_compressed_as_said() -> None:
    value = manifest(
        component(
            loadable=True,
            load_id=["01"],
            decompress_on_load=True,
            compression_info="bzip2",
            file="payloads/app.bin.gz",
            load_digest=sha(APP),
        )
    )
    report = check_envelope(describe(value), make(value, Profile.DRAFT_09))
    assert "cannot decompress bzip2" in report.failures[0].detail
    assert "compression-info" in report.failures[0].remedy


def test_self_check_finds_wrong_commands() -> None:
    """Each command that is taken out is missed by the device, or by the comparison."""
    value = manifest(
        component(bootable=True, install_on_download=False, download_id=["02"]),
    )
    description = describe(value)
    whole = compile_manifest(description, Profile.CURRENT).manifest
    missed = []
    for element, commands in whole.elements.items():
        assert isinstance(commands, tuple)
        for place, command in enumerate(commands):
            if isinstance(command, Act) and command.name is Name.IMAGE_MATCH:
                continue
            rest = commands[:place] + commands[place + 1 :]
            elements = {**whole.elements, element: rest or (act(Name.WAIT),)}
            changed = model.Manifest(
                sequence_number=1,
                components=whole.components,
                shared=whole.shared,
                elements=elements,
            )
            report = check_envelope(description, encode_envelope(changed, Profile.CURRENT))
            missed += [] if not report.accepted else [command]
    assert missed == []


def test_self_check_warns_about_digests_that_change_on_their_own() -> None:
    value = manifest(
        component(loadable=True, load_id=["01"], load_digest=sha(b"other"), load_size=5)
    )
    report = check_envelope(describe(value), make(value))
    assert report.accepted
    assert [warning.name for warning in report.warnings] == ["load-digest"]
