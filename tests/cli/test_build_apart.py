"""``fotabuild build --prepare|--sign|--attach``: the key is on a machine that builds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..formats.golden import OTHER_KEY
from .conftest import Cli

BUILD = ("build", "app.elf", "-v", "1.1.0")
ALL = "formats: [v3, v1, suit]\n"
MANIFESTS = [
    "app-1.0.0-to-1.1.0.manifest",
    "app-1.0.0-to-1.1.0.v1.manifest",
    "app-1.1.0.manifest",
    "app-1.1.0.package.manifest",
    "app-1.1.0.suit",
    "app-1.1.0.v1.manifest",
]


def names(cli: Cli, folder: str) -> list[str]:
    return sorted(path.name for path in (cli.folder / folder).glob("*"))


def contents(cli: Cli, folder: str = "update") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (cli.folder / folder).iterdir()}


@pytest.fixture
def prepared(cli: Cli) -> Cli:
    """A project whose manifests of all schemas are prepared where there is no key."""
    config = cli.folder / "fotabuild.yaml"
    config.write_text(config.read_text() + ALL)
    key = cli.folder / "keys" / "update.key.pem"
    key.rename(cli.folder / "away.pem")
    cli.good(*BUILD, "--prepare", "signing")
    return cli


@pytest.fixture
def signed(prepared: Cli) -> Cli:
    prepared.good(*BUILD, "--sign", "signing", "-k", "away.pem")
    return prepared


def test_the_stages_together_make_what_a_build_makes(signed: Cli) -> None:
    signed.good(*BUILD, "--attach", "signing")
    apart = contents(signed)
    signed.good(*BUILD, "-k", "away.pem", "-o", "whole")
    assert apart == contents(signed, "whole")
    assert set(MANIFESTS) < set(apart)


def test_each_stage_makes_its_own_files(prepared: Cli) -> None:
    assert names(prepared, "signing") == [f"{name}.tbs" for name in MANIFESTS]
    assert not set(MANIFESTS) & set(names(prepared, "update"))
    update = contents(prepared)
    both = [f"{name}.{kind}" for name in MANIFESTS for kind in ("sig", "tbs")]
    done = prepared.good(*BUILD, "--sign", "signing", "-k", "away.pem")
    folder = prepared.folder / "signing"
    assert sorted(done.stdout.splitlines()) == [str(folder / f"{n}.sig") for n in MANIFESTS]
    assert names(prepared, "signing") == sorted(both)
    assert contents(prepared) == update
    values = prepared.json(*BUILD, "--attach", "signing")
    assert values["stage"] == "attach"
    assert sorted(Path(file).name for file in values["files"]) == MANIFESTS


def test_no_key_is_needed_but_to_sign(prepared: Cli) -> None:
    config = prepared.folder / "fotabuild.yaml"
    config.write_text(config.read_text().replace("  key: keys/update.key.pem\n", ""))
    prepared.good(*BUILD, "--prepare", "signing")
    assert prepared(*BUILD, "--sign", "signing").stderr.rstrip().endswith("[FB0200]")
    prepared.good(*BUILD, "--sign", "signing", "-k", "away.pem")
    prepared.good(*BUILD, "--attach", "signing")


def test_a_dry_run_makes_nothing(signed: Cli) -> None:
    before = signed.tree()
    for stage in ("--prepare", "--sign", "--attach"):
        done = signed.good(*BUILD, stage, "signing", "-k", "away.pem", "--dry-run")
        assert "would make app-1.1.0.manifest" in done.stderr
    assert signed.tree() == before


@pytest.mark.parametrize(
    "file",
    [
        "update/app-1.1.0.bin",
        "update/app-1.0.0-to-1.1.0.patch",
        "update/app-1.1.0.package.tar",
        *(f"signing/{name}.tbs" for name in MANIFESTS),
    ],
)
def test_what_was_changed_on_the_way_is_not_signed(file: str, prepared: Cli) -> None:
    path = prepared.folder / file
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    done = prepared(*BUILD, "--sign", "signing", "-k", "away.pem")
    assert done.status in (1, 3)
    assert "Traceback" not in done.stderr
    # Not one of them is signed: all are compared first.
    assert names(prepared, "signing") == [f"{name}.tbs" for name in MANIFESTS]


def test_another_version_or_identity_is_not_signed(prepared: Cli) -> None:
    for option in (("--set", "device.model-name=Kettle"), ("--set", "priority=7")):
        done = prepared(*BUILD, *option, "--sign", "signing", "-k", "away.pem")
        assert (done.status, "[FB0700]" in done.stderr) == (3, True)
    tbs = prepared.folder / "signing/app-1.1.0.manifest.tbs"
    tbs.rename(tbs.with_name("app-1.2.0.manifest.tbs"))
    update = prepared.folder / "update"
    (update / "app-1.2.0.bin").write_bytes((update / "app-1.1.0.bin").read_bytes())
    done = prepared("build", "app.elf", "-v", "1.2.0", "--sign", "signing", "-k", "away.pem")
    assert (done.status, "[FB0700]" in done.stderr) == (3, True)
    assert not [name for name in names(prepared, "signing") if name.endswith(".sig")]


def test_leftovers_of_another_release_are_not_signed(prepared: Cli) -> None:
    (prepared.folder / "signing/app-0.9.0.manifest.tbs").write_bytes(b"old")
    prepared.good(*BUILD, "--sign", "signing", "-k", "away.pem")
    assert "app-0.9.0.manifest.sig" not in names(prepared, "signing")


def test_a_delta_that_is_not_worth_it_is_left_out_of_all_stages(prepared: Cli) -> None:
    small = ("--set", "delta.threshold=5")
    done = prepared.good(*BUILD, "--prepare", "signing", *small)
    assert "the full image is sent" in done.stderr
    full = [name for name in MANIFESTS if "-to-" not in name]
    assert names(prepared, "signing") == [f"{name}.tbs" for name in full]
    done = prepared.good(*BUILD, "--sign", "signing", "-k", "away.pem", *small)
    assert "it has no delta" in done.stderr
    done = prepared.good(*BUILD, "--attach", "signing", *small)
    assert sorted(Path(line).name for line in done.stdout.splitlines()) == full
    assert not [name for name in names(prepared, "update") if "-to-" in name]


@pytest.mark.parametrize("stage", ["--sign", "--attach"])
def test_nothing_prepared_is_an_error(stage: str, cli: Cli) -> None:
    done = cli(*BUILD, stage, "signing")
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.rstrip().endswith("[FB0300]")


def test_a_delta_without_its_prepared_bytes_is_an_error(prepared: Cli) -> None:
    (prepared.folder / "signing/app-1.0.0-to-1.1.0.manifest.tbs").unlink()
    done = prepared(*BUILD, "--sign", "signing", "-k", "away.pem")
    assert (done.status, "[FB0300]" in done.stderr) == (1, True)


def test_the_key_of_another_certificate_signs_nothing(prepared: Cli) -> None:
    done = prepared(*BUILD, "--sign", "signing", "-k", OTHER_KEY)
    assert (done.status, "[FB0601]" in done.stderr) == (1, True)
    assert not [name for name in names(prepared, "signing") if name.endswith(".sig")]


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_signature_of_something_else_is_not_attached(name: str, signed: Cli) -> None:
    signing = signed.folder / "signing"
    other = "app-1.1.0.v1.manifest" if name == "app-1.1.0.manifest" else "app-1.1.0.manifest"
    (signing / f"{name}.sig").write_bytes((signing / f"{other}.sig").read_bytes())
    done = signed(*BUILD, "--attach", "signing")
    assert done.status != 0
    assert "Traceback" not in done.stderr
    assert name not in names(signed, "update")


def test_suit_envelopes_may_be_signed_by_hand(prepared: Cli) -> None:
    prepared.good(*BUILD, "--sign", "signing", "-k", "away.pem")
    tbs, sig = (f"signing/app-1.1.0.suit.{kind}" for kind in ("tbs", "sig"))
    prepared.good("suit", "sign", "-m", tbs, "-k", "away.pem", "-o", sig)
    prepared.good(*BUILD, "--attach", "signing")
    # A sound envelope with another sequence number.
    prepared.good("build", "app.elf", "-v", "1.1.1", "--prepare", "later", "-o", "later")
    later = "later/app-1.1.1.suit.tbs"
    prepared.good("suit", "sign", "-m", later, "-k", "away.pem", "-o", sig)
    (prepared.folder / "update/app-1.1.0.suit").unlink()
    assert prepared(*BUILD, "--attach", "signing").status == 3
    assert "app-1.1.0.suit" not in names(prepared, "update")


def test_signed_images_are_refused_with_the_way_out(prepared: Cli) -> None:
    done = prepared(
        *BUILD, "--prepare", "other", "--set", "sign-image=true",
        "--set", "formats=v3", "--set", "device.features=delta,combined,signed-image",
    )  # fmt: skip
    assert (done.status, "--image-signature" in done.stderr) == (1, True)


def test_a_report_comes_with_the_manifests(prepared: Cli) -> None:
    write = ("--set", "report.write=true")
    assert "app-1.1.0.report.html" not in names(prepared, "update")
    prepared.good(*BUILD, "--sign", "signing", "-k", "away.pem", *write)
    assert "app-1.1.0.report.html" not in names(prepared, "update")
    prepared.good(*BUILD, "--attach", "signing", *write)
    assert "app-1.1.0.report.html" in names(prepared, "update")
