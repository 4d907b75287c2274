"""``fotabuild suit create|parse|sign|verify|keygen|pubkey|sever``."""

from __future__ import annotations

import io
import itertools
import json
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.names import Element, Profile

from ..formats.golden import OTHER_KEY
from ..suit.golden import ED25519, HMAC, KEYS, P256, P384, SUIT
from .conftest import Cli, MakeCli

CREATE = ("suit", "create", "-i", "suit.json", "-o", "m.suit")
KEY = "keys/update.key.pem"
SIGN = ("suit", "sign", "-m", "a.suit", "-o", "m.suit", "-k")


def profile_of(path: Path) -> Profile:
    return decode_envelope(path.read_bytes()).profile


def change(cli: Cli, **changes: object) -> None:
    """Change the only component of the description."""
    path = cli.folder / "suit.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    values["components"][0] |= {key.replace("_", "-"): value for key, value in changes.items()}
    path.write_text(json.dumps(values), encoding="utf-8")


def test_create_writes_current_unless_told_otherwise(cli: Cli) -> None:
    assert cli.good(*CREATE).stdout == "m.suit\n"
    assert profile_of(cli.folder / "m.suit") is Profile.CURRENT
    cli.good(*CREATE, "--profile", "draft-09")
    assert profile_of(cli.folder / "m.suit") is Profile.DRAFT_09


@pytest.mark.parametrize(
    ("form", "start"),
    [("suit", b"\xd8\x6b\xa3"), ("diag", b"107({\n"), ("json", b"{\n"), ("hex", b"d86ba3")],
)
def test_create_in_every_form(form: str, start: bytes, cli: Cli) -> None:
    cli.good(*CREATE, "-f", form)
    assert (cli.folder / "m.suit").read_bytes().startswith(start)


def test_create_finds_payloads_beside_the_description(cli: Cli) -> None:
    (cli.folder / "deep").mkdir()
    for name in ("suit.json", "app.bin"):
        (cli.folder / name).rename(cli.folder / "deep" / name)
    done = cli.good("suit", "create", "-i", "deep/suit.json", "-o", "m.suit")
    assert "warning" not in done.stderr
    (cli.folder / "app.bin").write_bytes(b"another one")
    done = cli.good("suit", "create", "-i", "deep/suit.json", "-o", "n.suit")
    assert "app.bin: there is another one in the working directory" in done.stderr
    assert (cli.folder / "m.suit").read_bytes() == (cli.folder / "n.suit").read_bytes()
    (cli.folder / "deep" / "app.bin").unlink()
    done = cli.good("suit", "create", "-i", "deep/suit.json", "-o", "n.suit")
    assert "not beside the description, taking the one in the working directory" in done.stderr


def test_create_integrates_payloads(cli: Cli) -> None:
    cli.good(*CREATE, "--integrate")
    envelope = decode_envelope((cli.folder / "m.suit").read_bytes())
    assert envelope.integrated == {"#payload-0": (cli.folder / "app.bin").read_bytes()}


def test_create_with_a_private_compression_parameter(cli: Cli) -> None:
    import gzip
    import hashlib

    packed = gzip.compress((cli.folder / "app.bin").read_bytes(), mtime=0)
    digest = {"algorithm-id": "sha256", "digest-bytes": hashlib.sha256(packed).hexdigest()}
    change(cli, compression_info="gzip", download_digest=digest)
    done = cli(*CREATE)
    assert (done.status, "[FB0423]" in done.stderr) == (1, True)
    cli.good(*CREATE, "--compression-parameter", "-300")
    for number in ("-255", "5", "x"):
        assert cli(*CREATE, "--compression-parameter", number).status == 2


def test_create_from_stdin_to_stdout(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (cli.folder / "suit.json").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    text = cli.good("suit", "create", "-i", "-", "-o", "-", "-f", "hex").stdout
    cli.good(*CREATE, "-f", "hex")
    assert text == (cli.folder / "m.suit").read_text()
    done = cli("--json", "suit", "create", "-i", "suit.json", "-o", "-")
    assert (done.status, "both want stdout" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("changes", "code", "problem"),
    [
        ({"instal_size": 5}, "FB0422", "components[0]: unknown key 'instal-size'; did you mean"),
        ({"install_size": 5}, "FB0422", "components[0].install-size: 5, but the file has"),
        ({"offset": 0}, "FB0423", "slot"),
        ({"file": "none.bin"}, "FB0300", "cannot read the payload"),
        ({"install_id": "00"}, "FB0422", "a component id is a list"),
    ],
)
def test_create_failures(changes: dict[str, object], code: str, problem: str, cli: Cli) -> None:
    change(cli, **changes)
    before = cli.tree()
    done = cli(*CREATE)
    assert (done.status, done.stdout) == (1, "")
    assert problem in done.stderr
    assert f"[{code}]" in done.stderr
    assert cli.tree() == before


def test_create_never_overwrites_what_it_read(cli: Cli) -> None:
    before = cli.tree()
    for name in ("suit.json", "app.bin"):
        assert cli("suit", "create", "-i", "suit.json", "-o", name).status == 1
    assert cli.tree() == before


def test_parse_says_what_the_device_does(look: Cli) -> None:
    done = look.good("suit", "parse", "-m", "a.suit")
    assert "  download from the stated URI into component 0 [00]\n" in done.stdout
    assert "update-description [en]: Toasts evenly\n" in done.stdout
    assert "no signature was verified" in done.stderr
    values = look.json("suit", "parse", "-m", "a.suit")["suit"]
    assert values["manifest"]["manifest-sequence-number"] == 7


def test_parse_in_other_forms(look: Cli) -> None:
    found = look.good("suit", "parse", "-m", "a.suit", "-f", "hex").stdout
    assert bytes.fromhex(found) == (look.folder / "a.suit").read_bytes()
    assert look.good("suit", "parse", "-m", "a.suit", "-f", "diag").stdout.startswith("107({\n")
    assert json.loads(look.good("suit", "parse", "-m", "a.suit", "-j").stdout)["manifest"]


def test_parse_refuses_damage_with_its_place(cli: Cli) -> None:
    data = (cli.folder / "a.suit").read_bytes()
    (cli.folder / "bad").write_bytes(data + b"\0")
    done = cli("suit", "parse", "-m", "bad")
    assert (done.status, done.stdout) == (1, "")
    assert f"error: bad: offset {len(data):#x}: " in done.stderr


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (KEY, "ESP256"), (P384, "ESP384"), (ED25519, "Ed25519"), (HMAC, "HMAC-256"),
    ],
)  # fmt: skip
def test_sign_with_every_kind_of_key(key: Path | str, algorithm: str, cli: Cli) -> None:
    named = ("--alg", algorithm) if key == HMAC else ()
    assert cli.json(*SIGN, key, *named)["algorithm"] == algorithm
    trusted: tuple[Path | str, ...] = ("-k", KEYS / f"{Path(key).stem}.pub.pem")
    if key in (HMAC, KEY):
        trusted = ("--secret", HMAC) if key == HMAC else ()
    call = ("suit", "verify", "-m", "m.suit", "-k", "keys/update.cert.der", *trusted)
    assert f"passed   signature-2              {algorithm} verified" in cli.good(*call).stdout


def test_sign_takes_the_older_ids_for_older_devices(cli: Cli) -> None:
    cli.good(*CREATE, "--profile", "draft-09")
    cli.good("suit", "sign", "-m", "m.suit", "-o", "n.suit", "-k", KEY, "-i", "hex:0102")
    (block,) = decode_envelope((cli.folder / "n.suit").read_bytes()).blocks
    assert (block.algorithm, block.key_id) == (-7, b"\x01\x02")
    cli.good(*SIGN, KEY, "--alg", "ES256", "--kid", "ü")
    _, block = decode_envelope((cli.folder / "m.suit").read_bytes()).blocks
    assert (block.algorithm, block.key_id) == (-7, "ü".encode())


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        ((KEY, "--alg", "Ed25519"), 1, "Ed25519 is for keys of the kind Ed25519"),
        ((OTHER_KEY, "--certificate", "keys/update.cert.der"), 1, "not of the private key"),
        (("none.pem",), 1, "cannot read the private key"),
        (("app.bin",), 1, "app.bin: this is no private key"),
        ((KEY, "-i", "hex:0"), 2, "not hexadecimal"),
        ((KEY, "-o", "a.suit"), 1, "overwrite an input"),
        ((KEY, "-o", KEY), 1, "overwrite an input"),
        (("vault:x",), 1, "no signer for keys of the kind 'vault:'"),
        ((KEY, "--signing-tool", "./none"), 1, "needs the update certificate"),
    ],
)
def test_sign_failures(
    arguments: tuple[str | Path, ...], status: int, problem: str, cli: Cli
) -> None:
    before = cli.tree()
    done = cli(*SIGN, *arguments)
    assert (done.status, problem in done.stderr) == (status, True), done.stderr
    assert cli.tree() == before


def test_sign_refuses_a_manifest_that_does_not_fit_its_digest(cli: Cli) -> None:
    data = (cli.folder / "a.suit").read_bytes()
    (cli.folder / "bad").write_bytes(data.replace(b"acme.com", b"evil.com"))
    done = cli("suit", "sign", "-m", "bad", "-o", "m.suit", "-k", KEY)
    assert (done.status, "its digest is" in done.stderr) == (3, True)
    assert not (cli.folder / "m.suit").exists()


def test_verify_names_every_check(look: Cli) -> None:
    done = look.good("suit", "verify", "-m", "a.suit", "-k", "keys/update.cert.der")
    assert "passed   manifest-digest" in done.stdout
    assert done.stderr == "accepted\n"
    assert look.json("suit", "verify", "-m", "a.suit", "-k", "keys/update.cert.der")["accepted"]


def test_verify_refuses_other_keys(cli: Cli) -> None:
    public = KEYS / f"{P256.stem}.pub.pem"
    done = cli("suit", "verify", "-m", "a.suit", "-k", public)
    assert done.status == 3
    assert "failed   signature-1" in done.stdout
    assert done.stderr.endswith("[FB0700]\n")
    cli.good(*SIGN, P256)
    assert cli("suit", "verify", "-m", "m.suit", "-k", public).status == 3
    assert (
        "skipped  signature-1"
        in cli.good("suit", "verify", "-m", "m.suit", "-k", public, "--any").stdout
    )


def test_verify_refuses_what_was_changed(cli: Cli) -> None:
    data = (cli.folder / "a.suit").read_bytes()
    (cli.folder / "bad").write_bytes(data.replace(b"Toasts evenly", b"Burns quickly"))
    done = cli("suit", "verify", "-m", "bad", "-k", "keys/update.cert.der")
    assert (done.status, "failed   severed-digests" in done.stdout) == (3, True)


@pytest.mark.parametrize("kind", ["secp256r1", "secp384r1", "secp521r1", "ed25519", "hsslms"])
def test_keygen_makes_keys_that_sign(kind: str, cli: Cli) -> None:
    levels = ("-l", "1") if kind == "hsslms" else ()
    assert cli.good("suit", "keygen", "-t", kind, *levels, "-o", "k").stdout == "k\n"
    assert (cli.folder / "k").stat().st_mode & 0o777 == 0o600
    cli.good("suit", "pubkey", "-k", "k", "-o", "k.pub")
    cli.good(*SIGN, "k")
    trusted = ("-k", "keys/update.cert.der", "-k", "k.pub")
    cli.good("suit", "verify", "-m", "m.suit", *trusted)


def test_keygen_never_overwrites(cli: Cli) -> None:
    before = cli.tree()
    done = cli("suit", "keygen", "-o", KEY)
    assert (done.status, "there is a key already" in done.stderr) == (1, True)
    assert cli("suit", "keygen", "-o", "-").status == 2
    assert cli.tree() == before


def test_keygen_encrypts(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASS", "canary")
    cli.good("suit", "keygen", "--passphrase", "env:PASS", "-o", "k.pem")
    load_pem_private_key((cli.folder / "k.pem").read_bytes(), b"canary")
    done = cli(*SIGN, "k.pem")
    assert (done.status, "k.pem: this private key is encrypted" in done.stderr) == (1, True)
    cli.good(*SIGN, "k.pem", "--passphrase", "env:PASS")
    monkeypatch.setenv("PASS", "wrong")
    done = cli(*SIGN, "k.pem", "--passphrase", "env:PASS")
    assert (done.status, "does not open" in done.stderr) == (1, True)
    done = cli("suit", "keygen", "-t", "hsslms", "--passphrase", "env:PASS", "-o", "h")
    assert (done.status, "cannot be encrypted" in done.stderr) == (1, True)


def test_pubkey_forms(look: Cli) -> None:
    uecc = look.good("suit", "pubkey", "-k", P256, "-f", "uecc").stdout
    assert uecc == (KEYS / f"{P256.stem}.uecc.h").read_text()
    array = look.good("suit", "pubkey", "-k", KEYS / "hsslms-test.prv", "-f", "c-hsslms").stdout
    assert array == (KEYS / "hsslms-test.c-hsslms.h").read_text()
    pem = (KEYS / f"{P256.stem}.pub.pem").read_text()
    assert look.good("suit", "pubkey", "-k", P256).stdout == pem
    assert look.json("suit", "pubkey", "-k", P256)["public-key"] == pem
    found = look.json("suit", "pubkey", "-k", KEYS / "hsslms-test.prv")["public-key"]
    assert found == (KEYS / "hsslms-test.pub").read_bytes().hex()


def test_pubkey_takes_public_keys_and_certificates(look: Cli) -> None:
    of_key = look.good("suit", "pubkey", "-k", KEY).stdout
    assert look.good("suit", "pubkey", "-k", "keys/update.cert.der").stdout == of_key
    pem = (KEYS / f"{P256.stem}.pub.pem").read_text()
    assert look.good("suit", "pubkey", "-k", KEYS / f"{P256.stem}.pub.pem").stdout == pem


@pytest.mark.parametrize(
    ("key", "form", "problem"),
    [
        (ED25519, "uecc", "the form uecc is not for a key of the kind Ed25519; write pem or der"),
        (P256, "hsslms", "write pem or der or uecc"),
        (KEYS / "hsslms-test.prv", "pem", "write hsslms or c-hsslms"),
        (HMAC, "pem", "no public half"),
    ],
)
def test_pubkey_refuses_forms_of_other_keys(key: Path, form: str, problem: str, look: Cli) -> None:
    done = look("suit", "pubkey", "-k", key, "-f", form)
    assert (done.status, done.stdout) == (1, "")
    assert problem in done.stderr


def test_sever_removes_what_is_named(cli: Cli) -> None:
    change(cli, uri="https://acme.com/" + "x" * 60)
    cli.good(*CREATE, "-s")
    cli.good("suit", "sign", "-m", "m.suit", "-o", "s.suit", "-k", KEY)
    done = cli.good("suit", "sever", "-m", "s.suit", "-o", "t.suit", "-e", "text")
    assert (done.stdout, done.stderr) == ("t.suit\n", "removed: text\n")
    assert set(decode_envelope((cli.folder / "t.suit").read_bytes()).severed) == {Element.INSTALL}
    cli.good("suit", "verify", "-m", "t.suit", "-k", "keys/update.cert.der")
    values = cli.json("suit", "sever", "-m", "s.suit", "-o", "u.suit", "-a")
    assert values["removed"] == ["install", "text"]
    assert "removed from the envelope" in cli.good("suit", "parse", "-m", "u.suit").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        (("-e", "install"), 1, "install: this element is not severed"),
        (("-e", "invoke", "-e", "nonsense"), 2, "unknown element 'nonsense'"),
        ((), 2, "one of the arguments -e/--element -a/--all is required"),
        (("-e", "text", "-a"), 2, "not allowed with"),
    ],
)
def test_sever_failures(arguments: tuple[str, ...], status: int, problem: str, cli: Cli) -> None:
    before = cli.tree()
    done = cli("suit", "sever", "-m", "a.suit", "-o", "out.suit", *arguments)
    assert (done.status, problem in done.stderr) == (status, True), done.stderr
    assert cli.tree() == before


def test_no_configuration_is_needed(cli_in: MakeCli, tmp_path: Path) -> None:
    cli = cli_in(tmp_path)
    cli.good("suit", "keygen", "-o", "k.pem")
    done = cli(
        "suit", "create", "-i", SUIT / "current/inputs/02-fetch-install.json", "-o", "m.suit"
    )
    assert (done.status, "payloads/app.bin" in done.stderr) == (1, True)


def test_keygen_with_an_empty_passphrase_makes_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unset secret of a pipeline often arrives as an empty variable."""
    monkeypatch.setenv("PASS", "")
    done = cli("suit", "keygen", "--passphrase", "env:PASS", "-o", "k.pem")
    assert (done.status, "is empty" in done.stderr) == (1, True)
    assert not (cli.folder / "k.pem").exists()


def test_keygen_follows_no_link(cli: Cli) -> None:
    (cli.folder / "link").symlink_to("elsewhere")
    assert cli("suit", "keygen", "-o", "link").status == 1
    assert not (cli.folder / "elsewhere").exists()


def test_sign_never_replaces_a_private_key(cli: Cli) -> None:
    cli.good("suit", "keygen", "-t", "hsslms", "-l", "1", "-o", "hss")
    for name in ("hss", "keys/update.key.pem"):
        before = (cli.folder / name).read_bytes()
        done = cli("suit", "sign", "-m", "a.suit", "-k", P256, "-o", name)
        assert (done.status, "private key" in done.stderr) == (1, True)
        assert (cli.folder / name).read_bytes() == before


def test_sign_uses_no_state_up_for_a_signature_too_many(cli: Cli) -> None:
    cli.good("suit", "keygen", "-t", "hsslms", "-l", "1", "-o", "hss")
    key = (cli.folder / "hss").read_bytes()
    names = ["a.suit", *(f"{number}.suit" for number in range(15))]
    for before, after in itertools.pairwise(names):
        cli.good("suit", "sign", "-m", before, "-k", P256, "-o", after)
    done = cli("suit", "sign", "-m", names[-1], "-k", "hss", "-o", "m.suit")
    assert (done.status, "16 signatures already" in done.stderr) == (1, True)
    assert (cli.folder / "hss").read_bytes() == key


def test_sign_with_what_could_be_a_public_key(cli: Cli) -> None:
    """32 bytes may be anything: taking them for a secret must be asked for."""
    (cli.folder / "raw").write_bytes(bytes(range(32)))
    done = cli("suit", "sign", "-m", "a.suit", "-k", "raw", "-o", "m.suit")
    assert (done.status, "could be a secret" in done.stderr) == (1, True)
    cli.good("suit", "sign", "-m", "a.suit", "-k", "raw", "--alg", "HMAC-256", "-o", "m.suit")
    trusted = ("suit", "verify", "-m", "m.suit", "-k", "keys/update.cert.der")
    done = cli(*trusted, "-k", "raw")
    assert (done.status, "could be a secret" in done.stderr) == (1, True)
    cli.good(*trusted, "--secret", "raw")


def test_verify_names_removed_elements(cli: Cli) -> None:
    change(cli, uri="https://acme.com/" + "x" * 60)
    cli.good(*CREATE, "-s")
    cli.good("suit", "sign", "-m", "m.suit", "-k", KEY, "-o", "s.suit")
    cli.good("suit", "sever", "-m", "s.suit", "-a", "-o", "v.suit")
    done = cli.good("suit", "verify", "-m", "v.suit", "-k", "keys/update.cert.der")
    assert "skipped  removed-elements" in done.stdout


def test_create_refuses_a_payload_of_the_envelope_that_is_not_there(cli: Cli) -> None:
    change(cli, uri="#firmware")
    done = cli(*CREATE)
    assert (done.status, "set integrate" in done.stderr) == (3, True)
    assert not (cli.folder / "m.suit").exists()
