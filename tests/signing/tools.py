"""Signing tools that do their work, and others that do not."""

from __future__ import annotations

import sys
from pathlib import Path

from ..formats.golden import KEY, OTHER_KEY

SECRET = "canary-5f1c7e-of-the-tool"
_GOOD = """\
import sys
from pathlib import Path
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
algorithm, key_id, source, target = sys.argv[1:]
key = load_pem_private_key(Path({key!r}).read_bytes(), None)
signature = key.sign(Path(source).read_bytes(), ec.ECDSA(hashes.SHA256()))
raw = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(signature))
assert Path(target).read_bytes() == b"" and Path(target).parent.stat().st_mode & 0o77 == 0
{body}
"""
_WRITE = "Path(target).write_bytes(signature)"
BODIES = {
    "good": _WRITE,
    "logging": f"print([algorithm, key_id], file=open({{log!r}}, 'a'))\n{_WRITE}",
    "exit 7": f"{_WRITE}\nsys.exit(7)",
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "empty": "pass",
    "garbage": "Path(target).write_bytes(b'x' * 70)",
    "huge": "Path(target).write_bytes(b'x' * 100000)",
    "raw": "Path(target).write_bytes(raw)",
    "removed": "Path(target).unlink()",
    "trailing": "Path(target).write_bytes(signature + b'\\0')",
    "hanging": "import time\ntime.sleep(600)",
    "chatty": f"print({SECRET!r})\nprint({SECRET!r}, file=sys.stderr)\n{_WRITE}",
    "chatty and failing": f"print({SECRET!r}, file=sys.stderr)\nsys.exit(1)",
}


def make_tool(path: Path, body: str, *, key: Path = KEY, log: Path | None = None) -> Path:
    """Write a signing tool, a program of its own."""
    text = BODIES[body].replace("{log!r}", repr(str(log)))
    script = _GOOD.format(key=str(key), body=text)
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    return path


def make_tool_of_another_key(path: Path) -> Path:
    """Write a signing tool that signs with a key of its own."""
    return make_tool(path, "good", key=OTHER_KEY)
