"""The signing tools for cloud services in ``docs/signing.md``, with stand-ins for programs."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from fotabuild.formats.manifest_v3 import decode_signed
from fotabuild.signing.verify import verify, verify_digest

from ..command import run_fotabuild
from ..conftest import ROOT
from ..formats.golden import KEY, PUBLIC_KEY
from .scene import write_project

_PAGE = (ROOT / "docs" / "signing.md").read_text(encoding="utf-8")
# What each program is called with and prints is in its own reference.
_COMMON = """\
#!{python}
import base64, hashlib, sys
from pathlib import Path
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key
def sign(digest):
    key = load_pem_private_key(Path({key!r}).read_bytes(), None)
    return key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
words = sys.argv[1:]
def option(name):
    return words[words.index(name) + 1]
"""
_PROGRAMS = {
    "gcloud": """\
assert words[:2] == ["kms", "asymmetric-sign"] and option("--digest-algorithm") == "sha256"
assert (option("--key"), option("--version")) == ("update", "1")
data = Path(option("--input-file")).read_bytes()
Path(option("--signature-file")).write_bytes(sign(hashlib.sha256(data).digest()))
""",
    "vault": """\
assert words[:3] == ["write", "-field=signature", "transit/sign/update/sha2-256"]
fields = dict(word.split("=", 1) for word in words[3:])
assert (fields["prehashed"], fields["marshaling_algorithm"]) == ("true", "asn1")
print("vault:v1:" + base64.b64encode(sign(base64.b64decode(fields["input"]))).decode())
""",
    "az": """\
assert words[:3] == ["keyvault", "key", "sign"] and option("--algorithm") == "ES256"
assert (option("--name"), option("--query"), option("-o")) == ("update", "signature", "tsv")
numbers = utils.decode_dss_signature(sign(base64.b64decode(option("--digest"))))
raw = b"".join(number.to_bytes(32, "big") for number in numbers)
print(base64.{encoding}(raw).decode())
""",
}


@pytest.mark.parametrize(
    ("script", "program", "encoding"),
    [
        ("sign-google.sh", "gcloud", ""),
        ("sign-vault.sh", "vault", ""),
        ("sign-azure.py", "az", "b64encode"),
        ("sign-azure.py", "az", "urlsafe_b64encode"),
    ],
)
def test_a_build_with_signed_images(
    script: str, program: str, encoding: str, tmp_path: Path
) -> None:
    write_project(tmp_path, f"key: update\n  signing-tool: ./{script}")
    found = re.search(rf"<!-- file: {script} -->\n```\w+\n(.*?)```\n", _PAGE, re.DOTALL)
    assert found is not None
    (tmp_path / script).write_text(found[1], encoding="utf-8")
    (tmp_path / script).chmod(0o755)
    programs = tmp_path / "programs"
    programs.mkdir()
    head = _COMMON.format(python=sys.executable, key=str(KEY))
    body = _PROGRAMS[program].replace("{encoding}", encoding)
    (programs / program).write_text(head + body, encoding="utf-8")
    (programs / program).chmod(0o755)
    path = os.pathsep.join((str(programs), str(Path(sys.executable).parent), os.environ["PATH"]))
    done = run_fotabuild(
        *("build", "app.bin", "-v", "1.1.0", "-o", "out"),
        cwd=tmp_path,
        env={"PATH": path},
    )
    assert done.status == 0, done.stderr
    manifests = sorted((tmp_path / "out").glob("*.manifest"))
    assert len(manifests) == 3
    for manifest in manifests:
        signed = decode_signed(manifest.read_bytes())
        verify(PUBLIC_KEY.read_bytes(), signed.signed_bytes, signed.signature)
        image = signed.manifest
        verify_digest(PUBLIC_KEY.read_bytes(), image.image_digest, image.installed_signature)
