"""What is missing is told before anything is written, and by a dry run as well."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.signing.pem import PemSigner

from ..command import Finished
from ..formats.golden import OTHER_KEY
from .conftest import Cli

BUILD = ("build", "app.elf", "-v", "1.1.0", "-o", "out", "--resources", "out/r.c")
REPORT = ("--set", "report.write=true")


CERTIFICATE, KEY = "keys/update.cert.der", "keys/update.key.pem"


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def make_folder(name: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return make


def configure(text: str) -> Callable[[Path], object]:
    """Add settings; those of a release go below the last one."""

    def add(folder: Path) -> None:
        config = folder / "fotabuild.yaml"
        if text.startswith(" "):
            config.write_text(
                config.read_text().replace("image: old.bin\n", f"image: old.bin\n{text}")
            )
        else:
            config.write_text(config.read_text() + text)

    return add


def keep(_folder: Path) -> None:
    """Spoil nothing: an option names what is missing."""


MISSING = {
    "firmware": (remove("app.elf"), (), "FB0300", "cannot read the firmware: No such file"),
    "folder": (make_folder("app.elf"), (), "FB0300", "cannot read the firmware: Is a directory"),
    "release": (remove("old.bin"), (), "FB0300", "cannot read the old image: No such file"),
    "part": (remove("table.bin"), (), "FB0300", "cannot read the packaged image: No such file"),
    "certificate": (
        remove(CERTIFICATE), (), "FB0300",
        "cannot read the update certificate: No such file",
    ),
    "no certificate": (
        lambda folder: (folder / CERTIFICATE).write_bytes(b"nonsense"), (), "FB0600",
        "this is not an X.509 certificate",
    ),
    "key": (remove(KEY), (), "FB0300", "cannot read the private key: No such"),
    "key folder": (
        make_folder(KEY), (), "FB0300", "cannot read the private key: Is a dir",
    ),
    "huge key": (
        lambda folder: os.truncate(folder / KEY, 1 << 30), (), "FB0300",
        "this private key has 1073741824 bytes",
    ),
    "vendor data": (
        keep, ("--set", "vendor.custom-data-path=gone"), "FB0300",
        "cannot read the vendor data: No such file",
    ),
    "linked file": (
        configure("  elf: gone.elf\n"), (), "FB0300", "cannot read the linked file: No such file",
    ),
    "bootloader": (
        configure("layout:\n  bootloader: gone\n  application-offset: 4096\n"), (), "FB0300",
        "cannot read the bootloader: No such file",
    ),
    "payload of SUIT": (
        configure(
            "formats: [v3, suit]\nsuit:\n  components:\n  - component-id: ['01']\n    file: gone\n"
        ),
        (), "FB0300", "cannot read the payload: No such file",
    ),
    "signing tool": (
        keep, ("--signing-tool", "./gone"), "FB0603", "it cannot be started: No such file",
    ),
    "signing tool on PATH": (
        keep, ("--signing-tool", "no-such-tool"), "FB0603", "nor on PATH",
    ),
}  # fmt: skip
"""What is done to the project, further options, code and text of the error."""


@pytest.mark.parametrize("case", MISSING)
def test_a_dry_run_ends_as_the_build(case: str, cli: Cli) -> None:
    spoil, options, code, text = MISSING[case]
    spoil(cli.folder)
    before = cli.tree()
    dry, real = (cli(*BUILD, *options, *flag) for flag in (("--dry-run",), ()))
    assert dry == real
    assert (dry.status, dry.stdout) == (1, "")
    assert text in dry.stderr
    assert dry.stderr.endswith(f"[{code}]\n")
    assert cli.tree() == before
    assert not (cli.folder / "out").exists()


def test_so_does_a_dry_run_of_what_is_signed_elsewhere(cli: Cli) -> None:
    (cli.folder / "app.elf").unlink()
    dry, real = (cli(*BUILD, "--prepare", "tbs", *flag) for flag in (("--dry-run",), ()))
    assert dry == real
    assert "app.elf: cannot read the firmware: No such file" in dry.stderr
    assert not (cli.folder / "out").exists()


def test_a_dry_run_of_one_step_describes_what_is_not_there_yet(cli: Cli) -> None:
    """As CMake does while it configures."""
    [step] = cli.json("image", "gone.elf", "-o", "out/i.bin", "--dry-run")["steps"]
    assert step["inputs"] == ["gone.elf"]


def test_a_dry_run_reads_no_private_key(cli: Cli) -> None:
    """Whether it is one shows in the build, before its first output."""
    (cli.folder / KEY).write_bytes(b"nonsense")
    assert "would make image:app-1.1.0.bin" in cli.good(*BUILD, "--dry-run").stderr
    done = cli(*BUILD)
    assert (done.status, done.stdout) == (1, "")
    assert "this is not a PEM private key" in done.stderr
    assert not (cli.folder / "out").exists()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("-k", str(OTHER_KEY)), "FB0601"),
        (("-k", "pkcs11:token=none?module-path=/none.so"), "FB0604"),
        (("-k", "gcpkms:what"), "FB0600"),
        (("-k", str(OTHER_KEY), "--set", "formats=v1"), "FB0601"),
        (("-k", str(OTHER_KEY), "--set", "formats=suit"), "FB0601"),
    ],
)
def test_a_wrong_key_leaves_nothing_behind(options: tuple[str, ...], code: str, cli: Cli) -> None:
    done = cli(*BUILD, *options)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].endswith(f"[{code}]")
    assert not (cli.folder / "out").exists()


def test_each_key_is_opened_once_ahead(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    open_key = PemSigner.open.__func__  # type: ignore[attr-defined]

    def counted(cls: type[PemSigner], path: Path, passphrase: str | None = None) -> PemSigner:
        opened.append((path.name, sorted(each.name for each in cli.folder.glob("out/*"))))
        signer: PemSigner = open_key(cls, path, passphrase)
        return signer

    monkeypatch.setattr(PemSigner, "open", classmethod(counted))
    cli.good(*BUILD)
    # Once ahead, and once for each of three manifests.
    assert [name for name, _ in opened] == ["update.key.pem"] * 4
    assert [bool(made) for _, made in opened] == [False, True, True, True]


def test_a_key_from_a_pipe_is_left_for_the_manifest(cli: Cli) -> None:
    reader, writer = os.pipe()
    os.write(writer, (cli.folder / KEY).read_bytes())
    os.close(writer)
    call = ("build", "app.elf", "-v", "1.1.0", "-o", "out", "-k", f"/dev/fd/{reader}")
    config = cli.folder / "unreleased.yaml"
    config.write_text(config.read_text().partition("package:")[0])
    try:
        for flag in ("--dry-run", "--json"):
            cli.good(*call, "--config", config, flag)
    finally:
        os.close(reader)
    assert (cli.folder / "out/app-1.1.0.manifest").is_file()


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)


def refused_for_the_extra(done: Finished) -> bool:
    wanted = "the page of a report needs the extra 'report'; pip install 'fotabuild[report]'"
    return (done.status, done.stdout) == (1, "") and f"error: {wanted} [FB0914]" in done.stderr


@pytest.mark.usefixtures("without_report")
def test_a_missing_extra_is_told_when_the_build_is_planned(cli: Cli) -> None:
    for call in ((*BUILD, *REPORT), (*BUILD, *REPORT, "--dry-run")):
        assert refused_for_the_extra(cli(*call))
    assert refused_for_the_extra(cli("plan", "app.elf", "-v", "1.1.0", *REPORT))
    assert not (cli.folder / "out").exists()
    cli.good(*BUILD)


@pytest.mark.usefixtures("without_report")
def test_where_no_report_is_made_its_extra_is_not_missed(cli: Cli) -> None:
    build = ("build", "app.elf", "-v", "1.1.0", "-o", "out", *REPORT)
    cli.good(*build, "--prepare", "signing")
    cli.good(*build, "--sign", "signing")
    before = cli.tree()
    assert refused_for_the_extra(cli(*build, "--attach", "signing"))
    assert cli.tree() == before


@pytest.mark.usefixtures("without_report")
def test_a_dry_run_of_a_report_misses_its_extra(cli: Cli) -> None:
    assert refused_for_the_extra(cli("report", "released", "-o", "out/report.html", "--dry-run"))
