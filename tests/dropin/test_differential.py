"""Random calls: the same verdict as manifest-tool 2.6.2, and the same signed bytes.

``FOTABUILD_DIFFERENTIAL`` says how many (default 200; 2,000 in CI). The closing lines tell how
often both agree, and the classes in which we are stricter on purpose; a difference outside of them
is a failure. The configuration lies in the working directory, in a folder with nothing else, and in
one that holds the same inputs.
"""

from __future__ import annotations

import collections
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fotabuild.formats import manifest_v1, manifest_v3
from fotabuild.formats.manifest_schema import schema_of

from .mutations import CERTIFICATE, Call, make_call
from .tools import Peer, command, ours

COUNT = int(os.environ.get("FOTABUILD_DIFFERENTIAL", "200"))
_LENIENT = "C3 dashed UUID (ours accepts)"
_FOLDERS = (".", ".", "elsewhere", "copy/of")


def prepare(work: Path) -> None:
    """Add inputs that are wrong in themselves."""
    bad = work / "bad"
    bad.mkdir()
    (bad / "empty.bin").touch()
    keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "secp256k1": ec.generate_private_key(ec.SECP256K1()),
        "secp384r1": ec.generate_private_key(ec.SECP384R1()),
    }
    for name, key in keys.items():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        (bad / f"{name}.pem").write_bytes(pem)
    shutil.copy(work / "firmware" / "fw-1.1.0.bin", bad / "patch.bin")
    shutil.copy(work / "delta" / "fw-1.0.0_to_fw-1.1.0_b512.yaml", bad / "patch.yaml")
    shutil.copytree(work, work / "copy" / "of", ignore=shutil.ignore_patterns("copy"))
    (work / "elsewhere").mkdir()


def signed_part(path: Path) -> bytes:
    """The signed bytes, without the random signature of the image."""
    data = path.read_bytes()
    if schema_of(data) == 1:
        return manifest_v1.decode_signed(data).signed_bytes
    signed = manifest_v3.decode_signed(data)
    signature = signed.manifest.installed_signature
    return signed.signed_bytes.replace(signature, bytes(64)) if signature else signed.signed_bytes


@pytest.mark.peer
def test_same_verdict_and_same_bytes(work: Path, peer: Peer, figure: Callable[[str], None]) -> None:
    prepare(work)
    chance = random.Random(20_251_122)
    agreements: collections.Counter[str] = collections.Counter()
    stricter: collections.Counter[str] = collections.Counter()
    failures: list[str] = []
    for _ in range(COUNT):
        call = make_call(chance)
        config = f"{chance.choice(_FOLDERS)}/call.json"
        (work / config).write_text(call.text, encoding="utf-8")
        problem = _compare(call, config, work, peer, agreements, stricter)
        if problem:
            written = command("manifest-tool", call.arguments(config, "O"))
            failures.append(f"{written}\n{call.text}\n{problem}")
    total = sum(agreements.values())
    figure(f"{COUNT} random calls of manifest-tool: {total} agree {dict(agreements)}")
    for reason, count in sorted(stricter.items()):
        figure(f"{count} of {COUNT} random calls differ on purpose: {reason}")
    assert not failures, "\n\n".join(failures[:5]) + f"\n{len(failures)} of {COUNT}"


def _compare(
    call: Call,
    config: str,
    work: Path,
    peer: Peer,
    agreements: collections.Counter[str],
    stricter: collections.Counter[str],
) -> str | None:
    """Count an agreement or a difference on purpose; return any other difference."""
    for name in ("theirs", "ours"):
        (work / name).unlink(missing_ok=True)
    theirs = peer("manifest-tool", *call.arguments(config, "theirs"), cwd=work)
    mine = ours("manifest-tool", *call.arguments(config, "ours"), cwd=work)
    if mine.status and (mine.status not in (1, 2) or (work / "ours").exists()):
        return f"status {mine.status} and a file"
    if (theirs.status == 0) != (mine.status == 0):
        wanted = {c for c in call.classes if (c == _LENIENT) == (mine.status == 0)}
        if not wanted:
            return (
                f"theirs {theirs.status}: {theirs.output_tail}\nours {mine.status}: {mine.stderr}"
            )
        stricter[sorted(wanted)[0]] += 1
        return None
    if theirs.status != 0:
        # With a reason of our own we may refuse earlier, as wrong usage.
        if theirs.status != mine.status and not call.classes:
            return f"status {theirs.status} of theirs, {mine.status} of ours: {mine.stderr}"
        agreements["refused"] += 1
        return None
    if signed_part(work / "theirs") != signed_part(work / "ours"):
        return "the signed bytes differ"
    for name, parse in (("theirs", ours), ("ours", peer)):
        done = parse("manifest-tool", "parse", name, "-c", CERTIFICATE, cwd=work)
        a9 = "encrypted" in call.config["payload"]["format"] and call.config.get("sign-image")
        expected = 1 if a9 and parse is peer else 0
        if done.status != expected:
            return f"{name} is not verified by the other: {done.stdout} {done.stderr}"
    agreements["accepted"] += 1
    return None
