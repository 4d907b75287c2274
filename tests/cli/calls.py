"""One good call of every command in the sample project, for what all commands have in common."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from fotabuild.cli.main import make_parser

Path = tuple[str, ...]

CALLS: dict[Path, tuple[str, ...]] = {
    ("init",): ("fresh",),
    ("build",): ("app.elf", "-v", "1.1.0", "-o", "out"),
    ("plan",): ("app.elf", "-v", "1.1.0"),
    ("step",): ("step.json",),
    ("resources",): ("-o", "out/r.c"),
    ("image",): ("app.elf", "-o", "out/app.bin"),
    ("delta",): ("-c", "old.bin", "-n", "app.bin", "-o", "out/d.patch"),
    ("matrix",): ("--old", "old.bin", "--new", "app.bin", "-o", "out", "--jobs", "1"),
    ("release", "add"): ("app.bin", "-v", "1.1.0", "--store", "store", "--date", "2026-01-31"),
    ("release", "import"): ("releases.csv", "--store", "store"),
    ("release", "list"): ("--store", "store"),
    ("release", "show"): ("1.0.0", "--store", "store"),
    ("release", "verify"): ("--store", "store"),
    ("release", "retire"): ("1.0.0", "--store", "store"),
    ("release", "fsck"): ("--store", "store"),
    ("release", "pull"): ("--config", "stored.yaml"),
    ("package", "create"): ("-o", "out/p.tar", "--image", "app.bin"),
    ("package", "parse"): ("a.tar",),
    ("manifest", "create"): (
        "-v", "1.1.0", "-o", "out/m", "-p", "app.bin", "--format", "raw-binary",
    ),
    ("manifest", "create-v1"): (
        "-v", "5", "-o", "out/m1", "-p", "app.bin", "--format", "raw-binary",
    ),
    ("manifest", "prepare"): (
        "-v", "1.1.0", "-o", "out/tbs", "-p", "app.bin", "--format", "raw-binary",
    ),
    ("manifest", "prepare-v1"): (
        "-v", "5", "-o", "out/tbs1", "-p", "app.bin", "--format", "raw-binary",
    ),
    ("manifest", "attach"): ("a.tbs", "--signature", "a.sig", "-o", "out/m", "-p", "app.bin"),
    ("manifest", "parse"): ("a.manifest",),
    ("manifest", "verify"): ("a.manifest", "--payload", "app.bin"),
    ("encrypt",): (
        "app.bin", "-v", "1.1.0", "-o", "out/e", "--set", "device.features=encrypted",
    ),
    ("suit", "create"): ("-i", "suit.json", "-o", "out/m.suit"),
    ("suit", "parse"): ("-m", "a.suit"),
    ("suit", "sign"): ("-m", "a.suit", "-k", "keys/update.key.pem", "-o", "out/m.suit"),
    ("suit", "verify"): ("-m", "a.suit", "-k", "keys/update.cert.der"),
    ("suit", "keygen"): ("-o", "out/key.pem"),
    ("suit", "pubkey"): ("-k", "keys/update.key.pem"),
    ("suit", "sever"): ("-m", "a.suit", "-o", "out/m.suit", "-a"),
    ("keys", "check"): (),
    ("keys", "rotate"): ("--config", "unreleased.yaml", "--lock-out-devices"),
    ("migrate",): ("old-tool.yaml", "-o", "migrated.yaml"),
    ("device", "init"): ("sim", "--image", "old.bin", "-v", "1.0.0"),
    ("device", "run"): ("sim1", "--server", "http://127.0.0.1:9", "--timeout", "0.1"),
    ("device", "show"): ("sim1",),
    ("device", "fleet"): (
        "sim1", "--server", "http://127.0.0.1:9", "--timeout", "0.1", "--count", "2",
    ),
    ("upload",): ("app.elf", "-v", "1.1.0", "-o", "out"),
    ("cleanup",): ("--service", "http://127.0.0.1:9", "--set", "publish.journal=none"),
    ("serve",): ("--port", "0"),
    ("serve", "keys", "add"): ("--data", "server"),
    ("serve", "keys", "list"): ("--data", "server"),
    ("serve", "keys", "revoke"): ("--data", "server", "first"),
    ("inspect",): ("a.patch",),
    ("verify",): ("released",),
    ("report",): ("released", "-o", "out/report.html"),
    ("provenance", "create"): ("released", "-o", "out/p.intoto.json"),
    ("provenance", "sbom"): (
        "parts.yaml", "-p", "app.bin", "-v", "1.1.0", "-o", "out/s.cdx.json",
    ),
    ("config",): (),
    ("schema",): (),
    ("completion",): ("bash",),
}  # fmt: skip
"""Arguments behind the command."""

NEED_A_SERVER = {
    ("device", "fleet"),
    ("serve",),
    ("serve", "keys", "add"),
    ("serve", "keys", "list"),
    ("serve", "keys", "revoke"),
}
"""Commands whose call does not succeed without a server or its data, or that are one; their own
tests bring it."""


def registered() -> Iterator[tuple[Path, argparse.ArgumentParser]]:
    """Every command and verb that can be called, with its parser."""
    yield from _leaves((), make_parser())


def _leaves(
    path: Path, parser: argparse.ArgumentParser
) -> Iterator[tuple[Path, argparse.ArgumentParser]]:
    groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not any(group.required for group in groups):
        yield path, parser
    for group in groups:
        for name, child in group.choices.items():
            yield from _leaves((*path, name), child)
