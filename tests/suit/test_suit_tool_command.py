"""The drop-in ``suit-tool``: its options, its vectors, and the defects of its command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from fotabuild.cli.dropin.suit_tool import entry_point, make_parser
from fotabuild.cli.suit.component_option import component_entry
from fotabuild.device.suit_acceptance import accept_envelope, verify_envelope
from fotabuild.errors import UsageError
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.diagnostic import diagnose
from fotabuild.formats.suit.names import Element, Profile

from .golden import HSS, INDEX, KEYS, P256, P521, SUIT, component, manifest, public_keys, vector

CASES = INDEX["draft-09"]
MATCHING = [case for case in CASES if case["match-upstream"]]
CREATE = ("create", "-i", "draft-09/inputs/02-fetch-install.json")


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the vectors, as the working directory of suit-tool users."""
    for name in ("payloads", "keys"):
        shutil.copytree(SUIT / name, tmp_path / name)
    shutil.copytree(SUIT / "draft-09" / "inputs", tmp_path / "draft-09" / "inputs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str | Path) -> int:
    return entry_point([str(argument) for argument in arguments])


def good(*arguments: str | Path) -> None:
    assert run(*arguments) == 0, arguments


def piped(*arguments: str | Path, data: bytes = b"") -> bytes:
    """Run in a process of its own with pipes, successfully; return its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "fotabuild.cli.dropin.suit_tool", *map(str, arguments)],
        input=data,
        capture_output=True,
        env={**os.environ},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def describe(work: Path, value: object) -> Path:
    path = work / "in.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_bytes_are_those_of_suit_tool_or_right(work: Path) -> None:
    expected = {case["id"]: case["upstream"]["unsigned.suit"] for case in MATCHING}
    assert len(expected) == 25
    fixed = {case["id"]: case["fixed"] for case in CASES if "fixed" in case}
    assert len(fixed) == 11
    for case in CASES:
        output = {**expected, **fixed}.get(case["id"])
        if output is not None:
            options = case.get("options", ())
            good("-l", "exception", "create", "-i", case["input"], *options, "-o", "out.suit")
            assert Path("out.suit").read_bytes() == vector(output["path"]), case["id"]


def test_severable_as_an_option_or_in_the_input(work: Path) -> None:
    good(*CREATE, "-s", "-o", "a.suit")
    values = json.loads(Path(CREATE[-1]).read_text())
    good("create", "-i", describe(work, {**values, "severable": True}), "-o", "b.suit")
    assert Path("a.suit").read_bytes() == Path("b.suit").read_bytes()
    assert decode_envelope(Path("a.suit").read_bytes()).severed


def test_it_writes_draft_09_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    good(*CREATE, "-o", "a.suit")
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    assert captured.out.endswith("INFO Created a.suit\n")
    assert "--profile current writes SUIT manifest (draft-ietf-suit-manifest-37)" in captured.err
    assert decode_envelope(Path("a.suit").read_bytes()).profile is Profile.DRAFT_09
    good(*CREATE, "--profile", "current", "-o", "a.suit")
    assert capsys.readouterr().err == ""
    assert decode_envelope(Path("a.suit").read_bytes()).profile is Profile.CURRENT
    good("-l", "exception", *CREATE, "-o", "a.suit")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_payloads_are_those_of_the_working_directory(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("payloads", "draft-09/inputs/payloads")
    good(*CREATE, "-o", "a.suit")
    assert "there is another one beside the description" in capsys.readouterr().err
    (work / "draft-09/inputs/payloads/app.bin").write_bytes(b"another one")
    good(*CREATE, "-o", "b.suit")
    assert Path("a.suit").read_bytes() == Path("b.suit").read_bytes()
    shutil.rmtree("payloads")
    good(*CREATE, "-o", "b.suit")
    assert Path("a.suit").read_bytes() != Path("b.suit").read_bytes()


@pytest.mark.parametrize("key", ["es256-ietf-draft-example", "es384-test", "ed25519-test"])
def test_keys_sign_with_the_older_ids_and_current_ones(key: str, work: Path) -> None:
    numbers = {}
    for profile in Profile:
        good(*CREATE, "--profile", profile.value, "-o", "a.suit")
        output = f"{profile.value}.suit"
        good("sign", "-m", "a.suit", "-k", f"keys/{key}.pem", "-o", output)
        envelope = verify_envelope(Path(output).read_bytes(), public_keys())
        numbers[profile] = envelope.blocks[0].algorithm
    assert numbers[Profile.CURRENT] < numbers[Profile.DRAFT_09] or "384" in key
    assert numbers[Profile.CURRENT] != numbers[Profile.DRAFT_09]


def test_a_second_signature_and_hss(work: Path) -> None:
    good(*CREATE, "-o", "a.suit")
    good("sign", "-m", "a.suit", "-k", P256, "-o", "b.suit")
    good("sign", "-m", "b.suit", "-k", "keys/hsslms-test.prv", "-o", "c.suit")
    assert Path("keys/hsslms-test.prv").read_bytes() != HSS.read_bytes()
    envelope = verify_envelope(Path("c.suit").read_bytes(), public_keys())
    assert [block.algorithm for block in envelope.blocks] == [-7, -46]


def test_a_state_of_an_hss_key_is_not_used_up_for_nothing(work: Path) -> None:
    good(*CREATE, "-o", "a.suit")
    for bad in (("-o", "a.suit"), ("-o", "keys/hsslms-test.prv"), ("-m", "keys", "-o", "b")):
        assert run("sign", "-m", "a.suit", "-k", "keys/hsslms-test.prv", *bad) == 1
    Path("a.suit").write_bytes(Path("a.suit").read_bytes().replace(b"acme", b"evil"))
    assert run("sign", "-m", "a.suit", "-k", "keys/hsslms-test.prv", "-o", "b.suit") == 1
    assert Path("keys/hsslms-test.prv").read_bytes() == HSS.read_bytes()


def test_an_older_signature_of_suit_tool_is_no_signature() -> None:
    """Of its ES384: sign again, and the manifest is right."""
    data = vector("draft-09/02-fetch-install.signed-es384-INVALID.suit")
    Path("bad.suit").write_bytes(data)
    assert not accept_envelope(data, public_keys()).accepted
    assert run("parse", "-m", "bad.suit") == 0


def test_defect_10_the_key_id_is_written() -> None:
    good(*CREATE, "-o", "a.suit")
    good("sign", "-m", "a.suit", "-k", P256, "-i", "key 7", "-o", "b.suit")
    assert decode_envelope(Path("b.suit").read_bytes()).blocks[0].key_id == b"key 7"


def test_defect_12_json_of_signed_envelopes_and_of_create(
    capsys: pytest.CaptureFixture[str],
) -> None:
    good(*CREATE, "-f", "json", "-o", "a.json")
    created = json.loads(Path("a.json").read_text())
    good(*CREATE, "-o", "a.suit")
    good("sign", "-m", "a.suit", "-k", P256, "-o", "b.suit")
    capsys.readouterr()
    good("parse", "-j", "-m", "b.suit")
    signed = json.loads(capsys.readouterr().out)
    assert signed["manifest"] == created["manifest"]
    assert [len(values["authentication-wrapper"]) for values in (created, signed)] == [1, 2]


def test_json_of_parse_is_that_of_suit_tool(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.suit").write_bytes(vector("draft-09/03-fetch-install-run.unsigned.suit"))
    good("parse", "-j", "-m", "a.suit")
    ours = json.loads(capsys.readouterr().out)
    commands = ours["manifest"]["install"]
    assert [command.get("command-id") for command in commands] == [
        "directive-set-parameters",
        "directive-fetch",
        "condition-image-match",
    ]
    assert {tuple(command["component-id"]) for command in commands} == {("00",)}


def test_diagnostic_notation_of_create_and_parse(capsys: pytest.CaptureFixture[str]) -> None:
    good(*CREATE, "-o", "a.suit")
    good(*CREATE, "-f", "suit-debug", "-o", "a.txt")
    capsys.readouterr()
    good("parse", "-m", "a.suit")
    printed = capsys.readouterr().out
    assert printed == Path("a.txt").read_text() == diagnose(Path("a.suit").read_bytes())


def test_defect_13_sever_removes_what_is_named(work: Path) -> None:
    long = component(uri="http://a.example/" + "x" * 60)
    value = manifest(long, update_description="text")
    good("create", "-s", "-i", describe(work, value), "-o", "a.suit")
    good("sign", "-m", "a.suit", "-k", P256, "-o", "b.suit")
    good("sever", "-m", "b.suit", "-e", "text", "-o", "c.suit")
    left = verify_envelope(Path("c.suit").read_bytes(), public_keys())
    assert set(left.severed) == {Element.INSTALL}
    good("sever", "-m", "b.suit", "-e", "text", "-e", "install", "-o", "d.suit")
    good("sever", "-m", "b.suit", "-a", "-o", "e.suit")
    assert Path("d.suit").read_bytes() == Path("e.suit").read_bytes()
    assert not verify_envelope(Path("e.suit").read_bytes(), public_keys()).severed
    assert run("sever", "-m", "c.suit", "-e", "text", "-o", "f.suit") == 1
    assert run("sever", "-m", "c.suit", "-o", "f.suit") == 2
    assert not Path("f.suit").exists()


def test_defect_14_keys_through_pipes() -> None:
    private = piped("keygen", "-t", "secp384r1")
    Path("k.pem").write_bytes(private)
    public = piped("pubkey", "-k", "k.pem")
    key = load_pem_private_key(private, None)
    assert public.startswith(b"-----BEGIN PUBLIC KEY-----\n")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    numbers = key.public_key().public_numbers()
    found = piped("pubkey", "-k", "k.pem", "-f", "der")
    assert found.endswith(numbers.x.to_bytes(48, "big") + numbers.y.to_bytes(48, "big"))


def _digits(array: str) -> bytes:
    return bytes(int(word.strip(" ,\n"), 16) for word in array.split("{")[1].split("}")[0].split())


def test_defect_14_uecc_into_a_file_with_its_full_length() -> None:
    good("pubkey", "-k", P256, "-f", "uecc", "-o", "key.h")
    assert Path("key.h").read_text() == (KEYS / f"{P256.stem}.uecc.h").read_text()
    # The first scalar whose point has a leading zero.
    for scalar in range(1, 2000):
        key = ec.derive_private_key(scalar, ec.SECP256R1())
        if key.public_key().public_numbers().x >> 248 == 0:
            break
    else:
        pytest.fail("no such point")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    Path("k.pem").write_bytes(pem)
    good("pubkey", "-k", "k.pem", "-f", "uecc", "-o", "key.h")
    coordinates = _digits(Path("key.h").read_text())
    assert (len(coordinates), coordinates[0]) == (64, 0)


def test_hss_keys_have_forms_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    good("pubkey", "-k", "keys/hsslms-test.prv", "-f", "c-hsslms")
    assert capsys.readouterr().out == (KEYS / "hsslms-test.c-hsslms.h").read_text()
    good("pubkey", "-k", "keys/hsslms-test.prv", "-f", "hsslms", "-o", "key.pub")
    assert Path("key.pub").read_bytes() == (KEYS / "hsslms-test.pub").read_bytes()
    good("keygen", "-t", "hsslms", "-l", "1", "-o", "new.prv")
    good(*CREATE, "-o", "a.suit")
    good("sign", "-m", "a.suit", "-k", "new.prv", "-o", "b.suit")
    assert HSS.read_bytes() == Path("keys/hsslms-test.prv").read_bytes()


def test_keygen_never_replaces_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("keys/es256-ietf-draft-example.pem").read_bytes()
    assert run("keygen", "-o", "keys/es256-ietf-draft-example.pem") == 1
    assert "there is a key already" in capsys.readouterr().err
    assert Path("keys/es256-ietf-draft-example.pem").read_bytes() == before
    good("keygen", "-f", "der", "-o", "k.der")
    assert Path("k.der").stat().st_mode & 0o777 == 0o600


def test_defect_15_components_of_the_command_line(work: Path) -> None:
    one = "file=payloads/radio.bin,inst=['01'],uri=http://a.example/r"
    two = 'uri=http://a.example/?a=1,b=2,file=payloads/app.bin,inst=["x,y", "z"]'
    good(*CREATE, "-c", one, "-c", two, "-o", "a.suit")
    found = decode_envelope(Path("a.suit").read_bytes()).manifest
    assert found.components == ((b"\0",), (b"\x01",), (b"x,y", b"z"))


@pytest.mark.parametrize(
    "text",
    [
        "file=a,inst=__import__('os').system('touch owned')",
        "file=a,inst=[__import__('os').system('touch owned')]",
        "file=a,inst=['00'",
        "file=a,inst=" + "[" * 5000,
        "inst=['00']",
        "file=a",
        "file=a,file=b,inst=['00']",
        "x,file=a,inst=['00']",
        "",
    ],
)
def test_defect_15_an_id_is_no_code(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError):
        component_entry(text)
    assert run(*CREATE, "-c", text, "-o", "a.suit") == 2
    assert "[FB0100]" in capsys.readouterr().err
    assert not Path("owned").exists()
    assert not Path("a.suit").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text("{"),
        lambda path: path.unlink(),
        lambda path: path.write_text(json.dumps(manifest(component(install_id="00")))),
        lambda path: path.write_text(json.dumps(manifest(component(file="none.bin")))),
        lambda path: path.write_text(json.dumps(manifest(component(slot=1)))),
    ],
)
@pytest.mark.parametrize("before", [None, b"an earlier manifest"])
def test_defect_16_a_failure_leaves_the_output_as_it_was(
    change: Callable[[Path], object], before: bytes | None, work: Path
) -> None:
    path = describe(work, manifest())
    change(path)
    if before is not None:
        Path("a.suit").write_bytes(before)
    names = sorted(Path().iterdir())
    assert run("create", "-i", path, "-o", "a.suit") == 1
    assert sorted(Path().iterdir()) == names
    assert before is None or Path("a.suit").read_bytes() == before


def test_streams_in_place_of_files() -> None:
    data = Path(CREATE[-1]).read_bytes()
    made = piped("-l", "exception", "create", "-i", "-", "-o", "-", data=data)
    assert made == vector("draft-09/02-fetch-install.unsigned.suit")
    signed = piped("sign", "-m", "-", "-k", P256, "-o", "-", data=made)
    verify_envelope(signed, public_keys())
    assert piped("parse", "-m", "-", data=signed).startswith(b"{\n  / authentication-wrapper /")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), 2),
        (("frobnicate",), 2),
        (("create",), 2),
        ((*CREATE, "-o", "x", "-f", "xml"), 2),
        ((*CREATE, "-o", "x", "--profile", "draft-10"), 2),
        (("-l", "loud", *CREATE, "-o", "x"), 2),
        (("keygen", "-t", "rsa"), 2),
        (("keygen", "-t", "hsslms", "-l", "9"), 2),
        (("keygen", "-f", "c-hss-lms"), 1),
        (("pubkey", "-k", "none"), 1),
        (("sign", "-m", "none", "-k", str(P521), "-o", "x"), 1),
        (("parse", "-m", "payloads/app.bin"), 1),
        (("parse", "-m", "no.suit"), 1),
        (("parse", "-m", "no.suit", "-f", "suit-debug"), 1),
        (("parse", "-m", "no.suit", "-f", "hex"), 1),
        (("parse", "-m", "no.suit", "-j"), 1),
        (("--version",), 0),
        (("create", "--help"), 0),
    ],
)
def test_exit_statuses(
    arguments: tuple[str, ...], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("no.suit").write_bytes(cbor2.dumps({1: b"CBOR, and no SUIT"}))
    assert run(*arguments) == status
    assert status == 0 or capsys.readouterr().out == ""
    assert not Path("x").exists()


def test_every_option_of_suit_tool_is_there() -> None:
    options = {
        "create": "-i -o -f -s -c", "sign": "-m -k -i -o", "parse": "-m -j",
        "keygen": "-t -f -l -o", "pubkey": "-k -f -o", "sever": "-m -o -e -a",
    }  # fmt: skip
    (actions,) = (a for a in make_parser()._actions if a.dest == "action")
    assert actions.choices is not None
    parsers = dict(actions.choices)
    assert set(parsers) == set(options)
    for name, letters in options.items():
        assert set(letters.split()) <= set(parsers[name]._option_string_actions), name
        assert all(action.help for action in parsers[name]._actions)
