"""``fotabuild keys check`` and ``rotate``."""

from __future__ import annotations

import json
import re
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fotabuild.cli.main import main
from fotabuild.files.writing import OutputSet
from fotabuild.signing import secret
from fotabuild.signing.certificate import make_self_signed, public_key_of, read_certificate
from fotabuild.signing.pem import PemSigner

from ..formats.golden import KEY, OTHER_KEY
from ..signing.scene import write_project
from ..signing.tools import make_tool

ROTATE = ("keys", "rotate", "--lock-out-devices")
CHECKS = ["key-file-mode", "certificate", "certificate-size", "certificate-dates", "key",
          "signature", "pair"]  # fmt: skip


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    config = write_project(tmp_path)
    (tmp_path / "key.pem").chmod(0o600)
    config.write_text(re.sub(r"releases:\n.*\n", "", config.read_text()))
    return tmp_path


def verdicts(capsys: pytest.CaptureFixture[str], *options: str, status: int) -> dict[str, str]:
    assert main(["--json", "keys", "check", *options]) == status
    values = json.loads(capsys.readouterr().out)
    assert values["sound"] == (status == 0)
    return {result["name"]: result["verdict"] for result in values["results"]}


def test_a_sound_pair(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdicts(capsys, status=0) == dict.fromkeys(CHECKS, "passed")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read(mode: int, capsys: pytest.CaptureFixture[str]) -> None:
    Path("key.pem").chmod(mode)
    found = verdicts(capsys, status=3)
    assert found == {**dict.fromkeys(CHECKS, "passed"), "key-file-mode": "failed"}


def test_a_key_of_another_certificate(capsys: pytest.CaptureFixture[str]) -> None:
    Path("key.pem").write_bytes(OTHER_KEY.read_bytes())
    assert verdicts(capsys, status=3)["pair"] == "failed"


def test_a_certificate_too_large_for_the_device(capsys: pytest.CaptureFixture[str]) -> None:
    size = len(Path("cert.der").read_bytes())
    for limit, status in ((size, 0), (size - 1, 3)):
        option = f"device.limits.certificate-size={limit}"
        found = verdicts(capsys, "--set", option, status=status)
        assert found["certificate-size"] == ("failed" if status else "passed")


@pytest.mark.parametrize(
    ("days", "verdict"),
    [
        (0, "passed"),
        (7300 - 91, "passed"),
        (7300 - 89, "warning"),
        (7301, "warning"),
        (-1, "warning"),
    ],
)
def test_dates_are_worth_a_note(
    days: int, verdict: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("cert.der").write_bytes(make_self_signed(KEY.read_bytes(), 1_800_000_000, serial=1))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(1_800_000_000 + days * 86400))
    assert verdicts(capsys, status=0)["certificate-dates"] == verdict


def test_a_signing_tool_is_tried(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_tool(project / "tool", "good")
    tool = ("--signing-tool", "./tool", "-k", "id")
    found = verdicts(capsys, *tool, status=0)
    assert found == {**dict.fromkeys(CHECKS, "passed"), "key-file-mode": "skipped"}
    make_tool(project / "tool", "garbage")
    found = verdicts(capsys, *tool, status=3)
    assert (found["key"], found["signature"]) == ("passed", "failed")


def test_a_broken_certificate_and_a_broken_key(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cert.der").write_bytes(b"x")
    assert verdicts(capsys, status=3)["certificate"] == "failed"
    Path("key.pem").write_bytes(b"x")
    assert verdicts(capsys, status=3)["key"] == "failed"


def test_rotation_needs_its_consequence_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in project.iterdir()}
    assert main(["keys", "rotate"]) == 1
    error = capsys.readouterr().err
    assert "until their storage is erased" in error
    assert "--lock-out-devices" in error
    assert "[FB0606]" in error
    assert {path.name: path.read_bytes() for path in project.iterdir()} == before


def test_rotation_is_refused_with_releases_in_the_field(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (project / "fotabuild.yaml").open("a") as config:
        config.write("releases:\n- {version: 1.0.0, image: old.bin}\n")
    before = {path.name: path.read_bytes() for path in project.iterdir()}
    assert main(ROTATE) == 1
    assert "1 release is in the field, and the devices would" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in project.iterdir()} == before


def test_old_keys_are_kept_under_free_names(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "key.old-2.pem").write_bytes(b"somebody's")
    pairs = []
    for _ in range(3):
        pairs.append((Path("key.pem").read_bytes(), Path("cert.der").read_bytes()))
        assert main(ROTATE) == 0
        assert "will refuse every update" in capsys.readouterr().err.replace("\n", " ")
        assert verdicts(capsys, status=0)["pair"] == "passed"
    assert len({key for key, _ in pairs}) == 3
    for number, certificate_number, pair in zip((1, 3, 4), (1, 2, 3), pairs, strict=True):
        kept = project / f"key.old-{number}.pem"
        old = (project / f"cert.old-{certificate_number}.der").read_bytes()
        assert (kept.read_bytes(), old) == pair
        assert kept.stat().st_mode & 0o777 == 0o600
    assert (project / "key.old-2.pem").read_bytes() == b"somebody's"
    assert Path("key.pem").stat().st_mode & 0o777 == 0o600


def test_the_old_pair_survives_a_failure(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Backups are complete before the first rename."""
    pair = (Path("key.pem").read_bytes(), Path("cert.der").read_bytes())

    def fail(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(OutputSet, "commit", _fail_for("key.pem", fail))
    assert main(ROTATE) == 130
    assert (Path("key.pem").read_bytes(), Path("cert.der").read_bytes()) == pair
    assert (Path("key.old-1.pem").read_bytes(), Path("cert.old-1.der").read_bytes()) == pair


def _fail_for(name: str, fail: object) -> object:
    commit = OutputSet.commit

    def replaced(self: OutputSet) -> None:
        if any(output.path.name == name for output in self._outputs):
            assert callable(fail)
            fail(self)
        commit(self)

    return replaced


def test_an_encrypted_key_gets_an_encrypted_successor(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret._kept.clear()
    monkeypatch.setenv("OUR_PASSPHRASE", "canary-rotate")
    Path("key.pem").write_bytes(PemSigner.open(KEY).to_pem(b"canary-rotate"))
    assert main([*ROTATE, "--passphrase", "env:OUR_PASSPHRASE"]) == 0
    pem = Path("key.pem").read_bytes()
    with pytest.raises(TypeError):
        load_pem_private_key(pem, None)
    opened = PemSigner.open(Path("key.pem"), "env:OUR_PASSPHRASE")
    assert opened.public_key() == public_key_of(read_certificate(Path("cert.der")))


def test_keys_that_are_not_in_files_are_left_alone(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ROTATE, "-k", "pkcs11:object=update"]) == 1
    assert "only a key in a file" in capsys.readouterr().err
    assert not list(project.glob("*old-*"))
    assert Path("key.pem").exists()


def test_nothing_is_kept_when_the_certificate_is_missing(project: Path) -> None:
    Path("cert.der").unlink()
    before = {path.name for path in project.iterdir()}
    assert main(ROTATE) == 1
    assert {path.name for path in project.iterdir()} == before


def test_a_pem_certificate_stays_one(project: Path) -> None:
    der = Path("cert.der").read_bytes()
    pem = ssl.DER_cert_to_PEM_cert(der)
    Path("cert.der").write_text(pem)
    assert main(ROTATE) == 0
    assert Path("cert.old-1.der").read_text() == pem
    new = Path("cert.der").read_text()
    assert new.startswith("-----BEGIN CERTIFICATE-----")
    assert ssl.PEM_cert_to_DER_cert(new) != der


def test_the_word_encrypted_in_a_plain_key_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_PASSPHRASE", "")
    plain = Path("key.pem").read_text()
    Path("key.pem").write_text(f"# not ENCRYPTED\n{plain}")
    assert main([*ROTATE, "--passphrase", "env:OUR_PASSPHRASE"]) == 0
    assert PemSigner.open(Path("key.pem")).public_key()
