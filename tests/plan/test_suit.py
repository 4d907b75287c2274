"""SUIT manifests of a build: settings, steps, keys of every kind, what is left out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fotabuild.config.loader import load_config
from fotabuild.device.suit_acceptance import verify_envelope
from fotabuild.digest import sha256
from fotabuild.errors import (
    ConfigError,
    CoseKeyError,
    FotabuildError,
    HssLmsError,
    KeyMismatchError,
    PlanError,
    SuitInputError,
    VerificationError,
)
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.suit import model
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.names import Element, Parameter, Profile
from fotabuild.plan.build import Build
from fotabuild.plan.make import StepMaker
from fotabuild.plan.plan import make_plan
from fotabuild.plan.runner import run_plan
from fotabuild.plan.suit_template import sequence_number
from fotabuild.signing.cose_verify import load_secret, load_verification_key
from fotabuild.steps.description import describe_step, step_from_description
from fotabuild.steps.suit import SuitStep

from ..formats.golden import CERTIFICATE, OTHER_KEY
from ..suit.golden import ED25519, HMAC, HSS, KEYS, P384
from .conftest import BASE, COMPLETE, MakeConfig, complete_build, prepare

TRUSTED = load_verification_key(CERTIFICATE.read_bytes())
OTHER_IMAGE = {"component-id": ["text:radio"], "file": "table.bin"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepare(tmp_path)
    return tmp_path


def make(make_config: MakeConfig, folder: Path, **sections: Any) -> model.Envelope:
    """Build with SUIT manifests only, and return the one that was made."""
    plan = make_plan(make_config(formats=["suit"], **sections), complete_build(folder))
    run_plan(plan, lambda *_: None)
    (output,) = (folder / "update").glob("*.suit")
    return decode_envelope(output.read_bytes())


def without_resources(folder: Path) -> Build:
    """Resources hold the certificate, which must be on P-256."""
    return replace(complete_build(folder), resources=None)


def parameters(envelope: model.Envelope, element: Element | None = None) -> Mapping[Any, Any]:
    """Return all parameters that a sequence sets; of several values the last."""
    commands = envelope.manifest.shared if element is None else envelope.element(element)
    assert isinstance(commands, tuple)
    found: dict[Any, Any] = {}
    for command in commands:
        if isinstance(command, model.SetParameters):
            found |= command.values
    return found


def test_a_build_makes_a_signed_manifest(make_config: MakeConfig, folder: Path) -> None:
    make(make_config, folder)
    envelope = verify_envelope((folder / "update/app-1.1.0.suit").read_bytes(), [TRUSTED])
    assert envelope.profile is Profile.CURRENT
    assert envelope.manifest.sequence_number == 1001000
    assert envelope.manifest.components == ((b"\0",),)
    identity = make_config().identity
    shared = parameters(envelope)
    assert shared[Parameter.VENDOR_ID] == identity.vendor_id.bytes
    assert shared[Parameter.CLASS_ID] == identity.class_id.bytes
    image = (folder / "obj/app.bin").read_bytes()
    assert shared[Parameter.IMAGE_DIGEST].value == sha256(image)
    assert shared[Parameter.IMAGE_SIZE] == len(image)
    install = parameters(envelope, Element.INSTALL)
    assert install[Parameter.URI] == "https://acme.com/app-1.1.0.bin"
    assert Element.INVOKE in envelope.manifest.elements


def test_beside_the_other_formats(make_config: MakeConfig, folder: Path) -> None:
    config = make_config(**COMPLETE, formats=["v3", "v1", "suit"])
    plan = make_plan(config, complete_build(folder))
    for step in plan.steps:
        assert step_from_description(json.dumps(describe_step(step)).encode()) == step
    assert [step.name for step in plan.steps if isinstance(step, SuitStep)] == [
        "suit:app-1.1.0.suit"
    ]
    assert (
        "no SUIT manifest of the package: list its images in suit.components instead" in plan.notes
    )


def test_no_delta_where_nothing_could_describe_it(make_config: MakeConfig, folder: Path) -> None:
    plan = make_plan(make_config(**COMPLETE, formats=["suit"]), complete_build(folder))
    assert [step.kind.value for step in plan.steps] == ["resources", "image", "suit", "package"]
    assert plan.notes[0] == "no delta from 1.0.0: SUIT has no way to say that a payload is a patch"


def test_sequence_numbers_follow_versions() -> None:
    versions = [(0, 0, 1), (0, 1, 0), (0, 999, 999), (1, 0, 0), (1, 2, 3), (999, 999, 999)]
    numbers = [sequence_number(FirmwareVersion(*version)) for version in versions]
    assert numbers == sorted(set(numbers))
    assert numbers[-2:] == [1002003, 999999999]
    assert numbers[-1] < 2**31


def test_all_settings(make_config: MakeConfig, folder: Path) -> None:
    envelope = make(
        make_config,
        folder,
        suit={
            "sequence-number": 9,
            "component-id": ["text:main", "01"],
            "download-id": ["02"],
            "load-id": ["03"],
            "bootable": False,
            "uri": "coap://a.b/{component}/{digest}",
            "severable": True,
            "reference-uri": "https://acme.com/whole.suit",
            "algorithm": "ES256",
            "key-id": "update 7",
            "text": {"language": "de-CH", "update-description": "Röstet", "model-info": "rev 2"},
            "components": [OTHER_IMAGE],
        },
    )
    manifest = envelope.manifest
    assert manifest.sequence_number == 9
    assert manifest.components == ((b"main", b"\x01"), (b"\x02",), (b"\x03",), (b"radio",))
    assert Element.INVOKE not in manifest.elements
    assert manifest.reference_uri == "https://acme.com/whole.suit"
    assert Element.PAYLOAD_FETCH in envelope.severed
    (block,) = envelope.blocks
    assert (block.algorithm, block.key_id) == (-7, b"update 7")
    fetched = envelope.element(Element.PAYLOAD_FETCH)
    digest = sha256((folder / "obj/app.bin").read_bytes()).hex()
    assert f"coap://a.b/MAIN/{digest}" in repr(fetched)
    assert parameters(envelope, Element.INSTALL)[Parameter.URI] == "https://acme.com/table.bin"
    text = envelope.element(Element.TEXT)
    assert isinstance(text, model.Text)
    (language,) = text.languages.items()
    assert language[0] == "de-CH"
    assert {key.value: value for key, value in language[1].manifest.items()} == {
        "update-description": "Röstet"
    }
    (texts,) = language[1].components.values()
    assert {key.value: value for key, value in texts.items()} == {
        "vendor-domain": "acme.com",
        "model-name": "Toaster",
        "model-info": "rev 2",
        "component-version": "1.1.0",
    }


def test_draft_09_as_older_devices_need_it(make_config: MakeConfig, folder: Path) -> None:
    envelope = make(make_config, folder, suit={"profile": "draft-09"})
    assert (envelope.profile, envelope.blocks[0].algorithm) == (Profile.DRAFT_09, -7)


def test_integrated_images_need_no_url(make_config: MakeConfig, folder: Path) -> None:
    envelope = make(
        make_config, folder, payload={}, suit={"integrate": True, "components": [OTHER_IMAGE]}
    )
    assert envelope.integrated == {
        "#app-1.1.0.bin": (folder / "obj/app.bin").read_bytes(),
        "#table.bin": (folder / "table.bin").read_bytes(),
    }


@pytest.mark.parametrize(
    ("sections", "error", "message"),
    [
        ({"payload": {}}, ConfigError, "payload.url"),
        ({"credentials": {}}, ConfigError, "credentials.key"),
        ({"suit": {"component-id": ["hex:0"]}}, ConfigError, "suit.component-id[0].hex"),
        ({"suit": {"uri": "x{nonsense}"}}, ConfigError, "suit.uri: unknown name {nonsense}"),
        (
            {"payload": {"url": "https://a.b/x"}, "suit": {"components": [OTHER_IMAGE]}},
            ConfigError,
            "suit.components[0].uri: payload.url has neither",
        ),
    ],
)
def test_wrong_settings_are_found_when_the_build_is_planned(
    sections: dict[str, Any],
    error: type[FotabuildError],
    message: str,
    make_config: MakeConfig,
    tmp_path: Path,
) -> None:
    with pytest.raises(error) as caught:
        make_plan(make_config(formats=["suit"], **sections), without_resources(tmp_path))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("suit", "message"),
    [
        ({"component-id": []}, "suit.component-id"),
        ({"component-id": [0]}, "suit.component-id"),
        ({"sequence-number": -1}, "suit.sequence-number"),
        ({"profile": "draft-10"}, "suit.profile"),
        ({"algorithm": "RS256"}, "suit.algorithm"),
        ({"components": [{"file": "x"}]}, "component-id"),
        ({"slot": 1}, "slot"),
    ],
)
def test_wrong_types_are_named(suit: dict[str, Any], message: str, make_config: MakeConfig) -> None:
    with pytest.raises(ConfigError) as caught:
        make_config(suit=suit)
    assert message in str(caught.value)


def test_one_location_for_two_images(make_config: MakeConfig, folder: Path) -> None:
    with pytest.raises(SuitInputError, match=r"suit: 'load-id' is the install-id of something"):
        make(make_config, folder, suit={"load-id": ["01"], "components": [
            OTHER_IMAGE | {"component-id": ["01"]}
        ]})  # fmt: skip
    assert not list((folder / "update").glob("*.suit"))


def test_doubts_are_told_in_the_words_of_the_settings(
    make_config: MakeConfig, folder: Path
) -> None:
    other = OTHER_IMAGE | {"component-id": ["boot"]}
    suit = {"component-id": ["main"], "components": [other]}
    step = StepMaker(make_config(suit=suit)).suit(
        folder / "obj/app.bin", FirmwareVersion(1, 1, 0), folder / "a.suit"
    )
    assert step.run().warnings == (
        "suit.component-id[0]: the word 'main' is read as base64, giving 99a8a7; "
        "write text:main to get its letters",
        "suit.components[0].component-id[0]: the word 'boot' is read as base64, giving 6e8a2d; "
        "write text:boot to get its letters",
    )
    step = StepMaker(make_config(suit={"component-id": ["text:main"]})).suit(
        folder / "obj/app.bin", FirmwareVersion(1, 1, 0), folder / "a.suit"
    )
    assert step.run().warnings == ()


def test_components_can_be_given_by_options(make_config: MakeConfig, tmp_path: Path) -> None:
    make_config()
    options = {"suit.component-id": "usr, bin", "suit.text.update-description": "x"}
    config = load_config(tmp_path / "fotabuild.yaml", options=options, environ={})
    assert config.project.suit.component_id == ("usr", "bin")
    assert config.project.suit.text is not None
    environ = {"FOTABUILD_SUIT_SEQUENCE_NUMBER": "77"}
    config = load_config(tmp_path / "fotabuild.yaml", environ=environ)
    assert config.project.suit.sequence_number == 77


def test_images_of_components_are_inputs_beside_the_configuration(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(formats=["suit"], suit={"components": [OTHER_IMAGE]})
    (step,) = (
        s for s in make_plan(config, complete_build(tmp_path)).steps if isinstance(s, SuitStep)
    )
    assert tmp_path / "table.bin" in step.inputs
    assert str(tmp_path) not in step.signature()
    with pytest.raises(PlanError, match="overwrite this input"):
        make_plan(
            make_config(
                formats=["suit"],
                suit={"components": [OTHER_IMAGE | {"file": "update/app-1.1.0.suit"}]},
            ),
            complete_build(tmp_path),
        )


CHANGES = [
    ("suit.sequence-number", 5, True),
    ("suit.profile", "draft-09", True),
    ("suit.component-id", ["01"], True),
    ("suit.bootable", False, True),
    ("suit.key-id", "x", True),
    ("suit.algorithm", "ES256", True),
    ("suit.text", {}, True),
    ("payload.url", "https://acme.com/x/{file}", True),
    ("vendor.domain", "other.example", True),
    ("device.model-name", "Kettle", True),
    ("priority", 5, False),
    ("sign-image", True, False),
    ("component", "BOOT", False),
    ("device.limits.uri-size", 250, False),
    ("credentials.key", "keys/other.pem", False),
    ("publish.destination", "elsewhere", False),
]


@pytest.mark.parametrize(("name", "value", "remade"), CHANGES, ids=[c[0] for c in CHANGES])
def test_a_setting_remakes_the_manifest_only_if_it_is_part_of_it(
    name: str, value: Any, remade: bool, make_config: MakeConfig, tmp_path: Path
) -> None:
    def signature(sections: dict[str, Any]) -> str:
        maker = StepMaker(make_config(**sections))
        step = maker.suit(tmp_path / "a.bin", FirmwareVersion(1, 1, 0), tmp_path / "a.suit")
        return step.signature()

    section, _, key = name.partition(".")
    changed: dict[str, Any] = json.loads(json.dumps(BASE))
    if key:
        *parents, last = key.split(".")
        node = changed.setdefault(section, {})
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    else:
        changed[section] = value
    assert (signature(changed) != signature(BASE)) is remade


def test_twice_the_same_bytes(make_config: MakeConfig, folder: Path) -> None:
    make(make_config, folder)
    first = (folder / "update/app-1.1.0.suit").read_bytes()
    shutil.rmtree(folder / "update")
    make(make_config, folder)
    assert (folder / "update/app-1.1.0.suit").read_bytes() == first


@pytest.mark.parametrize(
    ("key", "public", "algorithm"),
    [
        (P384, KEYS / f"{P384.stem}.pub.pem", -51),
        (ED25519, KEYS / f"{ED25519.stem}.pub.pem", -19),
    ],
)
def test_keys_of_other_kinds(
    key: Path, public: Path, algorithm: int, make_config: MakeConfig, folder: Path
) -> None:
    config = make_config(formats=["suit"], credentials={"key": str(key)})
    run_plan(make_plan(config, without_resources(folder)), lambda *_: None)
    data = (folder / "update/app-1.1.0.suit").read_bytes()
    envelope = verify_envelope(data, [load_verification_key(public.read_bytes())])
    assert envelope.blocks[0].algorithm == algorithm


def test_a_secret_is_one_when_the_algorithm_says_so(make_config: MakeConfig, folder: Path) -> None:
    """A raw key has the same size; and a certificate is never that of a secret."""

    def build(**settings: object) -> None:
        config = make_config(formats=["suit"], **settings)
        run_plan(make_plan(config, without_resources(folder)), lambda *_: None)

    with pytest.raises(CoseKeyError, match="could be a secret"):
        build(credentials={"key": str(HMAC)})
    build(credentials={"key": str(HMAC)}, suit={"algorithm": "HMAC-256"})
    data = (folder / "update/app-1.1.0.suit").read_bytes()
    assert verify_envelope(data, [load_secret(HMAC.read_bytes())]).blocks[0].algorithm == 5


def test_a_key_that_changes_with_each_signature_is_not_for_builds(
    make_config: MakeConfig, folder: Path
) -> None:
    shutil.copyfile(HSS, folder / "hss.prv")
    step = StepMaker(make_config(credentials={"key": "hss.prv"})).suit(
        folder / "obj/app.bin", FirmwareVersion(1, 1, 0), folder / "a.suit"
    )
    with pytest.raises(HssLmsError, match="never be up to date"):
        step.run()
    assert (folder / "hss.prv").read_bytes() == HSS.read_bytes()


def test_a_key_of_another_certificate(make_config: MakeConfig, folder: Path) -> None:
    credentials = {**BASE["credentials"], "key": str(OTHER_KEY)}
    with pytest.raises(KeyMismatchError, match="not of the private key"):
        make(make_config, folder, credentials=credentials)


def test_finished_manifests_are_verified(make_config: MakeConfig, folder: Path) -> None:
    maker = StepMaker(make_config())
    output = folder / "a.suit"
    step = maker.suit(folder / "obj/app.bin", FirmwareVersion(1, 1, 0), output)
    step.run()
    assert step.verify().accepted
    (folder / "obj/app.bin").write_bytes(b"another image")
    with pytest.raises(VerificationError, match="device-1"):
        step.verify().require()
    output.write_bytes(b"\xd8\x6b\xa0")
    assert not step.verify().accepted
    bare = StepMaker(make_config(credentials={"key": "keys/update.key.pem"}))
    with pytest.raises(ConfigError, match=r"credentials\.certificate"):
        bare.suit(folder / "obj/app.bin", FirmwareVersion(1, 1, 0), output).verify()
