"""HSS/LMS keys: no state is used twice, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fotabuild.device.suit_acceptance import accept_envelope, verify_envelope
from fotabuild.errors import CoseKeyError, FileError, HssLmsError, VerificationError
from fotabuild.formats.suit.splicing import sign_envelope
from fotabuild.signing import hss_lms
from fotabuild.signing.cose import open_cose_signer
from fotabuild.signing.cose_algorithm import CoseAlgorithm
from fotabuild.signing.cose_verify import load_verification_key
from fotabuild.signing.hss_lms import HssLmsKey, is_hss_private_key

from .golden import HSS, KEYS, P256, make, manifest

PUBLIC = (KEYS / "hsslms-test.pub").read_bytes()
PRIVATE = HSS.read_bytes()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "update.prv"
    path.write_bytes(PRIVATE)
    path.chmod(0o600)
    return path


def leaf(signature: bytes) -> bytes:
    """Return the number of the one-time key in the last tree of a signature of two levels."""
    from pyhsslms import pyhsslms

    parsed: Any = pyhsslms.HssSignature.deserialize(signature)
    return int(parsed.lms_sig.q).to_bytes(4, "big")


def test_every_signature_advances_the_file_first(key: Path) -> None:
    signer = open_cose_signer(str(key))
    assert signer.algorithm is CoseAlgorithm.HSS_LMS
    verifier = load_verification_key(PUBLIC)
    leaves, states = [], [key.read_bytes()]
    for number in range(2):
        signature = signer.sign(bytes([number]))
        verifier.verify(-46, bytes([number]), signature)
        leaves.append(leaf(signature))
        states.append(key.read_bytes())
    assert len(set(leaves)) == 2
    assert len(set(states)) == 3
    assert key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key.parent.iterdir()] == [key.name]


def test_an_envelope_is_signed_and_verified(key: Path) -> None:
    data = sign_envelope(make(manifest()), open_cose_signer(str(key)))
    verify_envelope(data, [load_verification_key(PUBLIC)])
    assert not accept_envelope(data, [load_verification_key(_other_public())]).accepted
    with pytest.raises(CoseKeyError, match="ES256 is for keys of the kind P-256"):
        open_cose_signer(str(key), algorithm=CoseAlgorithm.ES256)


def _other_public() -> bytes:
    return PUBLIC[:-1] + bytes([PUBLIC[-1] ^ 1])


def test_nothing_is_signed_when_the_state_cannot_be_stored(
    key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = open_cose_signer(str(key))

    def full(*args: object, **kwargs: object) -> None:
        raise FileError("cannot write: No space left on device")

    monkeypatch.setattr(hss_lms, "write_file", full)
    with pytest.raises(HssLmsError, match=r"cannot be stored, so nothing is signed: .*No space"):
        signer.sign(b"x")
    assert key.read_bytes() == PRIVATE


def test_two_processes_never_use_one_state(key: Path) -> None:
    program = (
        "import sys; from fotabuild.signing.cose import open_cose_signer\n"
        "signer = open_cose_signer(sys.argv[1])\n"
        "for n in range(1): print(signer.sign(bytes([n])).hex())\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(key)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    leaves = {leaf(bytes.fromhex(text)) for output in outputs for text in output}
    assert len(leaves) == 2


def test_a_key_that_is_used_up_says_so(tmp_path: Path) -> None:
    private, public = HssLmsKey.generate(1)
    path = tmp_path / "small.prv"
    path.write_bytes(private[:-4] + (31).to_bytes(4, "big"))
    signer = open_cose_signer(str(path))
    signer.sign(b"the last one")
    state = path.read_bytes()
    with pytest.raises(HssLmsError, match="has made all of its signatures; make a new key"):
        signer.sign(b"x")
    assert path.read_bytes() == state
    assert load_verification_key(public).public_bytes == signer.key.public_bytes


def test_one_time_signatures_are_of_the_type_of_the_key(key: Path) -> None:
    """RFC 8554, section 5.4.2: pyhsslms alone takes the type that the signature claims."""
    from pyhsslms import pyhsslms

    signature = open_cose_signer(str(key)).sign(b"x")
    load_verification_key(PUBLIC).verify(-46, b"x", signature)
    w8, w4 = (4).to_bytes(4, "big"), (3).to_bytes(4, "big")
    assert PUBLIC[8:12] == w8
    other = PUBLIC[:8] + w4 + PUBLIC[12:]
    lenient: Any = pyhsslms.HssPublicKey.deserialize(other)
    assert lenient.verify(b"x", signature) is True
    with pytest.raises(VerificationError):
        load_verification_key(other).verify(-46, b"x", signature)


def test_another_key_in_the_file_is_noticed(key: Path) -> None:
    signer = open_cose_signer(str(key))
    key.write_bytes(HssLmsKey.generate(1)[0])
    with pytest.raises(HssLmsError, match="another key was put in this file"):
        signer.sign(b"x")


@pytest.mark.parametrize("levels", [0, 9])
def test_levels_are_limited(levels: int) -> None:
    with pytest.raises(HssLmsError, match=r"levels; an HSS key has 1 to 8"):
        HssLmsKey.generate(levels)


def test_private_keys_are_recognised() -> None:
    assert is_hss_private_key(PRIVATE)
    assert not is_hss_private_key(P256.read_bytes())
    assert not is_hss_private_key(PRIVATE[:12])


def test_trees_that_take_hours_are_refused(key: Path) -> None:
    data = bytearray(PRIVATE)
    data[15] = 9
    key.write_bytes(bytes(data))
    with pytest.raises(HssLmsError, match="trees of a height above 10"):
        open_cose_signer(str(key))


@pytest.mark.parametrize("size", [20, 40, 71, 72, -1])
def test_damaged_private_keys_are_refused(key: Path, size: int) -> None:
    key.write_bytes(PRIVATE[:size])
    with pytest.raises(HssLmsError, match=r"damaged|no HSS"):
        open_cose_signer(str(key)).sign(b"x")


def test_damaged_public_keys_are_refused() -> None:
    for data in (PUBLIC[:-1], PUBLIC + b"x", PUBLIC[:8] + b"\x00\x00\x00\x63" + PUBLIC[12:]):
        with pytest.raises(HssLmsError, match="no HSS public key"):
            load_verification_key(data)


def test_changed_signatures_are_refused(key: Path) -> None:
    signature = open_cose_signer(str(key)).sign(b"x")
    verifier = load_verification_key(PUBLIC)
    verifier.verify(-46, b"x", signature)
    bad = [signature + b"x", signature[:-1], b"", b"\xff" * 40, signature[:4] + bytes(90)]
    for place in range(0, len(signature), 97):
        bad.append(signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :])
    for changed in bad:
        with pytest.raises(VerificationError, match="not of this key"):
            verifier.verify(-46, b"x", changed)
    with pytest.raises(VerificationError, match="not of this key"):
        verifier.verify(-46, b"y", signature)


def test_without_the_extra_its_name_is_said(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyhsslms", None)
    for use in (lambda: open_cose_signer(str(key)), lambda: load_verification_key(PUBLIC)):
        with pytest.raises(HssLmsError, match=r"pip install 'fotabuild\[hss-lms\]'") as caught:
            use()
        assert caught.value.code == "FB0611"
