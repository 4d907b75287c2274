"""Known secrets, and every place where our commands leave something: none of them is there.

Looked through are stdout and stderr, with ``--json`` and with ``--debug`` (tracebacks too), every
file that was written, and the arguments of the programs that were started.
"""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fotabuild.cli.dropin import dev_tool, manifest_tool, package_tool
from fotabuild.cli.main import main
from fotabuild.signing import secret
from fotabuild.signing.certificate import make_self_signed
from fotabuild.signing.pem import PemSigner

from ..suit.golden import make, manifest
from .scene import write_project
from .tokens import PIN, SO_PIN, Tokens, make_tokens
from .tools import SECRET as TOOL_SECRET
from .tools import make_tool

PASSPHRASE = "canary-passphrase-90210"
SCALAR = int.from_bytes(b"canary key scalar, 32 bytes long", "big")
ACCESS_KEY = "ak_canary_7c1f5e_of_the_service"
_WAYS = ((), ("--json",), ("--debug",))
_WAYS_OF_OLDER_TOOLS = ((), ("--debug",))
_CREATE = ("manifest", "create", "-p", "app.bin", "--format", "raw-binary", "-v", "1.1.0")
_SIGN = ("suit", "sign", "-m", "a.suit", "-o", "b.suit")
_GOOD: tuple[tuple[str, ...], ...] = (
    ("build", "app.bin", "-v", "1.1.0", "-o", "out"),
    ("plan", "app.bin", "-v", "1.1.0", "-o", "out"),
    ("config",),
    ("keys", "check"),
    ("encrypt", "app.bin", "-v", "1.1.0", "-o", "app.enc", "--replace-key"),
    ("resources", "-o", "r.c"),
    ("build", "app.bin", "-v", "1.1.0", "-o", "suit", "--set", "formats=suit"),
    (*_SIGN, "-k", "encrypted.pem", "--passphrase", "env:OUR_PASSPHRASE"),
    ("suit", "pubkey", "-k", "encrypted.pem", "--passphrase", "env:OUR_PASSPHRASE"),
    ("suit", "pubkey", "-k", "plain.pem", "-f", "uecc"),
    ("suit", "parse", "-m", "suit/app-1.1.0.suit"),
    (*_CREATE, "-o", "m"),
    (*_CREATE, "-o", "m", "--dry-run"),
    ("inspect", "m"),
    ("inspect", "encrypted.pem"),
)
_BAD: tuple[tuple[str, ...], ...] = (
    (*_CREATE, "-o", "n", "--passphrase", "env:WRONG"),
    (*_CREATE, "-o", "n", "--passphrase", "env:NOT_SET_ANYWHERE"),
    (*_CREATE, "-o", "n", "--passphrase", PASSPHRASE),
    (*_CREATE, "-o", "n", "--set", f"credentials.passphrase=pass:{PASSPHRASE}"),
    (*_CREATE, "-o", "n", "-k", f"pkcs11:object=update?pin-value={PIN}"),
    (*_CREATE, "-o", "n", "-k", f"pkcs11:object=update;x={PIN}"),
    (*_CREATE, "-o", "n", "-k", "cut.pem"),
    (*_CREATE, "-o", "n", "--update-certificate", "encrypted.pem"),
    (*_CREATE, "-o", "n", "--config", "encrypted.pem"),
    (*_CREATE, "-o", "n", "--signing-tool", "./tool", "-k", "x"),
    (*_CREATE, "-o", "n", "--component", "MUCH-TOO-LONG"),
    ("manifest", "parse", "encrypted.pem"),
    ("keys", "rotate"),
    (*_SIGN, "-k", "encrypted.pem"),
    (*_SIGN, "-k", "encrypted.pem", "--passphrase", "env:WRONG"),
    (*_SIGN, "-k", "encrypted.pem", "--passphrase", PASSPHRASE),
    (*_SIGN, "-k", "cut.pem"),
    (*_SIGN, "-k", f"pkcs11:object=update?pin-value={PIN}"),
    (*_SIGN, "-k", "x", "--signing-tool", "./tool", "--certificate", "cert.der"),
    ("suit", "sign", "-m", "plain.pem", "-k", "plain.pem", "-o", "n"),
    ("suit", "create", "-i", "plain.pem", "-o", "n"),
    ("suit", "pubkey", "-k", "cut.pem"),
    ("suit", "verify", "-m", "a.suit", "-k", "plain.pem"),
    ("suit", "keygen", "-o", "plain.pem"),
)


def forms_of(data: bytes) -> set[bytes]:
    """Return how a secret may look: as it is, in hexadecimal, in base64 at any offset."""
    forms = {data, data.hex().encode(), data.hex().upper().encode()}
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data)
        forms.add(text[4:-4] if shift else text[:-4])
    return forms


@dataclass
class Watch:
    """Collects what commands leave behind."""

    folder: Path
    capfd: pytest.CaptureFixture[str]
    given: set[str]
    seen: list[tuple[str, bytes]] = field(default_factory=list)

    def run(
        self,
        command: tuple[str, ...],
        status: int | None,
        program: Callable[[Sequence[str]], int] = main,
    ) -> None:
        """Run a command in each way; ``status`` is the expected one, None any failure."""
        for options in _WAYS if program is main else _WAYS_OF_OLDER_TOOLS:
            try:
                ended = program((*options, *command))
            except Exception:
                ended = 1
                self.seen.append((f"traceback of {command}", traceback.format_exc().encode()))
            stdout, stderr = self.capfd.readouterr()
            assert ended == status if status is not None else ended != 0, (command, stderr)
            self.seen += [(f"{command}", stdout.encode()), (f"{command}", stderr.encode())]

    def leaks(self, secrets: dict[str, bytes]) -> list[str]:
        """Return where which secret was found."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        made = [(str(path), path.read_bytes()) for path in files if path.name not in self.given]
        return [
            f"{name} in {place}"
            for place, content in self.seen + made
            for name, data in secrets.items()
            if any(form in content for form in forms_of(data))
        ]


@pytest.fixture
def watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Watch]:
    """A project with an encrypted key whose number and passphrase are known."""
    secret._kept.clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("OUR_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("WRONG", f"{PASSPHRASE}-and-more")
    signer = PemSigner(ec.derive_private_key(SCALAR, ec.SECP256R1()))
    write_project(tmp_path, "key: encrypted.pem\n  passphrase: env:OUR_PASSPHRASE")
    Path("cert.der").write_bytes(make_self_signed(signer.to_pem(), 1_700_000_000, serial=1))
    Path("encrypted.pem").write_bytes(signer.to_pem(PASSPHRASE.encode()))
    Path("encrypted.pem").chmod(0o600)
    Path("plain.pem").write_bytes(signer.to_pem())
    Path("plain.pem").chmod(0o600)
    Path("a.suit").write_bytes(make(manifest()))
    Path("cut.pem").write_bytes(signer.to_pem()[:-60])
    make_tool(tmp_path / "tool", "chatty and failing")
    given = {path.name for path in tmp_path.iterdir()}
    yield Watch(tmp_path, capfd, given)
    secret._kept.clear()


SECRETS = {
    "passphrase": PASSPHRASE.encode(),
    "key": SCALAR.to_bytes(32, "big"),
    "PIN": PIN.encode(),
    "SO PIN": SO_PIN.encode(),
    "the tool's secret": TOOL_SECRET.encode(),
}


def test_the_search_finds_what_is_there(watch: Watch) -> None:
    for form in forms_of(SECRETS["key"]):
        watch.seen = [("somewhere", b"x" + form + b"y")]
        assert watch.leaks(SECRETS) == ["key in somewhere"]
    watch.seen = [("the plain key", Path("plain.pem").read_bytes())]
    pem = b"".join(Path("plain.pem").read_bytes().splitlines()[1:-1])
    watch.seen = [("decoded", base64.b64decode(pem))]
    assert watch.leaks(SECRETS) == ["key in decoded"]
    watch.seen = []
    (watch.folder / "written").write_text(PASSPHRASE)
    assert watch.leaks(SECRETS) == [f"passphrase in {watch.folder / 'written'}"]


@pytest.mark.parametrize("key", ["encrypted.pem", "plain.pem"])
def test_keys_in_files(key: str, watch: Watch) -> None:
    config = watch.folder / "fotabuild.yaml"
    config.write_text(config.read_text().replace("key: encrypted.pem", f"key: {key}"))
    for command in _GOOD:
        watch.run(command, 0)
    assert len(watch.seen) == 6 * len(_GOOD)
    assert watch.leaks(SECRETS) == []


def test_commands_that_fail(watch: Watch) -> None:
    for command in _BAD:
        watch.run(command, None)
    assert watch.leaks(SECRETS) == []


def test_arguments_and_files_of_a_signing_tool(watch: Watch) -> None:
    """The tool looks at its own arguments and those of the process that started it."""
    tool = make_tool(watch.folder / "tool", "chatty")
    spy = (
        "import os\n"
        "for process in ('self', str(os.getppid())):\n"
        "    with open(f'/proc/{process}/cmdline', 'rb') as file, open('arguments', 'ab') as log:\n"
        "        log.write(file.read())\n"
    )
    tool.write_text(tool.read_text().replace("import sys\n", f"import sys\n{spy}", 1))
    text = tool.read_text()
    from ..formats.golden import KEY

    tool.write_text(text.replace(str(KEY), str(watch.folder / "plain.pem")))
    for command in ((*_CREATE, "-o", "m"), ("keys", "check")):
        watch.run((*command, "--signing-tool", "./tool", "-k", "update"), 0)
    assert b"sha256\0update\0" in (watch.folder / "arguments").read_bytes()
    assert watch.leaks(SECRETS) == []


@pytest.fixture
def tokens(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Tokens:
    made = make_tokens(tmp_path_factory.mktemp("softhsm"))
    monkeypatch.setenv("SOFTHSM2_CONF", made.environment["SOFTHSM2_CONF"])
    return made


@pytest.mark.softhsm
def test_keys_in_tokens(tokens: Tokens, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    import pkcs11

    from ..conftest import VECTORS, softhsm_module

    pkcs11.lib(str(softhsm_module())).reinitialize()
    (watch.folder / "cert.der").write_bytes(
        (VECTORS / "keys" / "TEST-ONLY-update.cert.der").read_bytes()
    )
    uri = tokens.uri("token=updates;object=update")
    for command in (_GOOD[0], _GOOD[3], _GOOD[6]):
        watch.run((*command, "-k", uri), 0)
    monkeypatch.setenv("WRONG", f"{PIN}-and-more")
    wrong = tokens.uri("token=updates;object=update", pin=False) + "&pin-source=env:WRONG"
    bare = tokens.uri("token=updates;object=update", pin=False)
    for bad in (wrong, tokens.uri("token=none;object=x"), f"{bare}&pin-source={PIN}"):
        watch.run((*_CREATE, "-o", "n", "-k", bad), None)
    assert watch.leaks(SECRETS) == []


def test_keys_in_aws_kms(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    from .kms_server import REGION, SECRET_KEY, SESSION_TOKEN, Service, environment, running

    key = ec.derive_private_key(SCALAR, ec.SECP256R1())
    uri = f"awskms:update?region={REGION}"
    secrets = {"access key": SECRET_KEY.encode(), "session token": SESSION_TOKEN.encode()}
    with running(Service({"update": key})) as service:
        for name, value in environment(service).items():
            monkeypatch.setenv(name, value)
        for command in (_GOOD[0], _GOOD[3], _GOOD[6]):
            watch.run((*command, "-k", uri), 0)
        service.failures = ["AccessDeniedException"] * 3
        watch.run((*_CREATE, "-o", "n", "-k", uri), None)
        watch.run((*_CREATE, "-o", "n", "-k", f"{uri}&secret={SECRET_KEY}"), None)
    assert watch.leaks({**SECRETS, **secrets}) == []


_INPUT = {
    "vendor": {"domain": "acme.com"},
    "device": {"model-name": "Thermometer"},
    "priority": 1,
    "payload": {"url": "http://a.b/c", "file-path": "app.bin", "format": "raw-binary"},
}
_OLD_CREATE = ("create", "-c", "c.yaml", "-v", "1.1.0", "-o", "m", "-k")
_OLD_CREATE_V1 = ("create-v1", *_OLD_CREATE[1:3], "-o", "m", "--update-certificate", "cert.der")
_INIT = ("init", "--key", "encrypted.pem", "--update-certificate", "cert.der")
_PAYLOAD = ("-u", "http://a.b/c", "-p", "app.bin", "-o", "m")
_GOOD_OLD: tuple[tuple[Callable[[Sequence[str]], int], tuple[str, ...]], ...] = (
    (manifest_tool.entry_point, (*_OLD_CREATE, "encrypted.pem")),
    (manifest_tool.entry_point, (*_OLD_CREATE_V1, "-k", "encrypted.pem")),
    (manifest_tool.entry_point, ("parse", "m", "-k", "encrypted.pem")),
    (manifest_tool.entry_point, ("public-key", "encrypted.pem", "-o", "p")),
    (dev_tool.entry_point, (*_INIT, "-a", ACCESS_KEY)),
    (dev_tool.entry_point, ("init", "-p", "lab")),
    (dev_tool.entry_point, ("init", "-p", "lab", "-a", ACCESS_KEY, "-u", "http://a")),
    (dev_tool.entry_point, ("create", *_PAYLOAD)),
    (dev_tool.entry_point, ("create-v1", *_PAYLOAD)),
    (dev_tool.entry_point, ("init", "--replace-key")),
    (dev_tool.entry_point, ("create", *_PAYLOAD)),
    (main, ("migrate", "-o", "of-cache.yaml")),
)
_BAD_OLD: tuple[tuple[Callable[[Sequence[str]], int], tuple[str, ...]], ...] = (
    (manifest_tool.entry_point, (*_OLD_CREATE, "cut.pem")),
    (manifest_tool.entry_point, (*_OLD_CREATE, f"pkcs11:object=update?pin-value={PIN}")),
    (manifest_tool.entry_point, ("create", "-c", "plain.pem", *_OLD_CREATE[3:], "plain.pem")),
    (manifest_tool.entry_point, (*_OLD_CREATE_V1[:-1], "plain.pem", "-k", "plain.pem")),
    (manifest_tool.entry_point, ("parse", "plain.pem")),
    (manifest_tool.entry_point, ("parse", "plain.pem", "-p", "plain.pem")),
    (package_tool.entry_point, ("create", "-c", "plain.pem", "-o", "x")),
    (package_tool.entry_point, ("parse", "-p", "plain.pem")),
    (dev_tool.entry_point, ("init", "--key", "cut.pem", "--update-certificate", "cert.der")),
    (dev_tool.entry_point, ("init", "--key", "plain.pem", "--update-certificate", "plain.pem")),
    (dev_tool.entry_point, ("init", "-p", "broken")),
    (dev_tool.entry_point, ("init", "-p", "lab", "-g", ".izuma-dev-presets.yaml")),
    (dev_tool.entry_point, ("init", "--cache-dir", "plain.pem", "-a", ACCESS_KEY)),
)


@pytest.fixture
def older(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """What the commands of manifest-tool need: an input, and presets with an access key."""
    monkeypatch.setenv("HOME", str(watch.folder))
    monkeypatch.setenv("FOTABUILD_CREDENTIALS_PASSPHRASE", "env:OUR_PASSPHRASE")
    (watch.folder / "c.yaml").write_text(json.dumps(_INPUT))
    lab = {"host": "https://lab.example", "access_key": ACCESS_KEY}
    presets = {"lab": lab, "broken": {**lab, "more": ACCESS_KEY}}
    (watch.folder / ".izuma-dev-presets.yaml").write_text(json.dumps(presets))
    # Two more files that are there to hold a secret.
    watch.given |= {".izuma-dev-presets.yaml", "dev.cloud_cfg.yaml"}
    return watch


def test_commands_of_the_older_tools(older: Watch) -> None:
    for program, command in _GOOD_OLD:
        if program is main:
            assert main(command) == 0
            older.seen.append((f"{command}", "".join(older.capfd.readouterr()).encode()))
        else:
            older.run(command, 0, program)
    cloud = older.folder / ".manifest-dev-tool" / "dev.cloud_cfg.yaml"
    assert ACCESS_KEY in cloud.read_text()
    assert list(older.folder.rglob("dev.key.old-*.pem"))
    assert older.leaks({**SECRETS, "access key": ACCESS_KEY.encode()}) == []


@pytest.mark.parametrize("source", ["env:OUR_PASSPHRASE", "env:WRONG", "env:NONE", PASSPHRASE])
def test_commands_of_the_older_tools_that_fail(
    source: str, older: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOTABUILD_CREDENTIALS_PASSPHRASE", source)
    commands = _BAD_OLD
    if source != "env:OUR_PASSPHRASE":
        commands = tuple(item for item in _GOOD_OLD if "encrypted.pem" in item[1])
    for program, command in commands:
        older.run(command, None, program)
    assert older.leaks({**SECRETS, "access key": ACCESS_KEY.encode()}) == []
