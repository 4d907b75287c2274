"""``fotabuild build --prepare|--sign|--attach``: the key is on a machine that builds nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from fotabuild.cli.deltas import BuildDeltas
from fotabuild.config.yaml_reader import read_yaml
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.steps.step import Step, StepKind, StepResult

from ..formats.golden import OTHER_KEY
from . import sample
from .conftest import Cli

DELTA = "app-1.0.0-to-1.1.0"
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


@pytest.mark.parametrize("stage", ["--prepare", "--sign", "--attach"])
def test_signed_images_are_refused_with_the_way_out(stage: str, signed: Cli) -> None:
    done = signed(
        *BUILD, stage, "signing", "-k", "away.pem", "--set", "sign-image=true",
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


def forge_delta(cli: Cli, new: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a sound patch to another image in place, and prepare that as a build job could."""
    (cli.folder / "evil.bin").write_bytes(new)
    cli.good("delta", "-c", "old.bin", "-n", "evil.bin", "-o", f"update/{DELTA}.patch")
    make = BuildDeltas.run

    def keep(self: BuildDeltas, step: Step) -> StepResult | None:
        return StepResult("") if step.kind is StepKind.DELTA else make(self, step)

    with monkeypatch.context() as patched:
        patched.setattr(BuildDeltas, "run", keep)
        cli.good(*BUILD, "--prepare", "signing")


@pytest.mark.parametrize("formats", ["v3", "v1"])
def test_a_delta_to_another_image_is_not_signed(
    formats: str, prepared: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = prepared.folder / "fotabuild.yaml"
    config.write_text(config.read_text().replace(ALL, f"formats: [{formats}]\n"))
    image = (prepared.folder / "update/app-1.1.0.bin").read_bytes()
    forge_delta(prepared, image[:-4] + b"EVIL", monkeypatch)
    done = prepared(*BUILD, "--sign", "signing", "-k", "away.pem")
    assert (done.status, "installed-digest" in done.stderr) == (3, True)
    assert not [name for name in names(prepared, "signing") if name.endswith(".sig")]


@pytest.mark.parametrize(
    ("field", "value"),
    [("installed-digest", "11" * 32), ("precursor-digest", "22" * 32)],
)
def test_a_side_file_with_invented_digests_is_not_signed(
    field: str, value: str, prepared: Cli
) -> None:
    """The side file, and the bytes to be signed, say the same: only the images know better."""
    side_file = prepared.folder / f"update/{DELTA}.yaml"
    said = PatchSidecar.from_values(read_yaml(side_file.read_bytes()).values)
    changed: dict[str, Any] = {field.replace("-", "_"): bytes.fromhex(value)}
    true = getattr(said, field.replace("-", "_"))
    side_file.write_bytes(said._replace(**changed).encode())
    for path in (prepared.folder / "signing").glob(f"{DELTA}*.tbs"):
        data = path.read_bytes()
        assert true in data
        path.write_bytes(data.replace(true, bytes.fromhex(value)))
    done = prepared(*BUILD, "--sign", "signing", "-k", "away.pem")
    assert (done.status, field in done.stderr, "[FB0700]" in done.stderr) == (3, True, True)
    assert not [name for name in names(prepared, "signing") if name.endswith(".sig")]


def test_the_digest_in_the_index_counts_where_no_old_image_is(
    prepared: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = prepared.folder / "fotabuild.yaml"
    text = config.read_text().replace(sample.LISTED, sample.STORED)
    assert text != config.read_text()
    config.write_text(text)
    prepared.good(*BUILD, "--prepare", "signing")
    blobs = prepared.folder / "store/blobs"
    blobs.rename(prepared.folder / "elsewhere")
    prepared.good(*BUILD, "--sign", "signing", "-k", "away.pem")
    index = prepared.folder / "store/index.json"
    digest = hashlib.sha256((prepared.folder / "old.bin").read_bytes()).hexdigest()
    assert digest in index.read_text()


@pytest.mark.parametrize("stage", ["--sign", "--attach"])
def test_a_package_of_other_images_is_refused(stage: str, prepared: Cli) -> None:
    """A build job packs something else and prepares just that."""
    package = prepared.folder / "update/app-1.1.0.package.tar"
    sound = package.read_bytes()
    table = prepared.folder / "table.bin"
    true = table.read_bytes()
    table.write_bytes(true[:-4] + b"EVIL")
    prepared.good(*BUILD, "--prepare", "signing")
    assert package.read_bytes() != sound
    if stage == "--attach":
        prepared.good(*BUILD, "--sign", "signing", "-k", "away.pem")
    table.write_bytes(true)
    done = prepared(*BUILD, stage, "signing", "-k", "away.pem")
    assert (done.status, "app-1.1.0.package.tar" in done.stderr) == (3, True)
    assert ("app-1.1.0.manifest.sig" in names(prepared, "signing")) == (stage == "--attach")
    assert "app-1.1.0.package.manifest" not in names(prepared, "update")


@pytest.mark.parametrize("stage", ["--sign", "--attach"])
@pytest.mark.parametrize(
    "link",
    [
        "signing/app-1.1.0.manifest.sig",
        "signing/app-1.1.0.suit.tbs",
        "update/app-1.1.0.v1.manifest",
        "update/app-1.1.0.report.html",
        "update/app-1.1.0.bin",
        f"update/{DELTA}.yaml",
        "update",
        "signing",
    ],
)
def test_links_in_what_was_handed_over_are_refused(link: str, stage: str, signed: Cli) -> None:
    path = signed.folder / link
    victim = signed.folder / "victim"
    if path.exists():
        path.rename(victim)
    else:
        victim.write_bytes(b"precious")
    path.symlink_to(victim)
    before = signed.tree()
    done = signed(*BUILD, stage, "signing", "-k", "away.pem", "--set", "report.write=true")
    if stage == "--sign" and link.endswith(".html"):
        assert done.status == 0  # Neither read nor written there.
    else:
        assert (done.status, "link" in done.stderr, "[FB0700]" in done.stderr) == (3, True, True)
        assert signed.tree() == before


def test_a_lost_delta_fails_where_deltas_are_required(signed: Cli) -> None:
    signed.good(*BUILD, "--attach", "signing")
    (signed.folder / f"update/{DELTA}.patch").unlink()
    for path in (signed.folder / "signing").glob(f"{DELTA}*.tbs"):
        path.unlink()
    for stage in ("--sign", "--attach"):
        done = signed(*BUILD, stage, "signing", "-k", "away.pem", "--require-deltas")
        assert (done.status != 0, "[FB0502]" in done.stderr) == (True, True)
    # Left out, and with it what an earlier build left under these names.
    signed.good(*BUILD, "--sign", "signing", "-k", "away.pem")
    assert not [name for name in names(signed, "signing") if "-to-" in name]
    assert not [name for name in names(signed, "update") if name.endswith("to-1.1.0.manifest")]
    (signed.folder / f"update/{DELTA}.manifest").write_bytes(b"old")
    signed.good(*BUILD, "--attach", "signing")
    assert f"{DELTA}.manifest" not in names(signed, "update")


def test_json_of_each_stage_says_what_is_left_out(cli: Cli) -> None:
    """As that of a build does: what the plan leaves out, and what was not worth it."""
    small = ("--set", "delta.threshold=1")
    package = "no SUIT manifest of the package: list its images in suit.components instead"
    config = cli.folder / "fotabuild.yaml"
    config.write_text(config.read_text() + "formats: [v3, suit]\n")
    whole = cli.json(*BUILD, *small, "-o", "whole")["notes"]
    assert [note.partition(", ")[0] for note in whole] == [package, f"no delta {DELTA}.patch"]
    assert cli.json(*BUILD, *small, "--prepare", "signing")["notes"] == whole
    for stage in ("--sign", "--attach"):
        notes = cli.json(*BUILD, *small, stage, "signing")["notes"]
        assert notes == [package, f"no {DELTA}.manifest: it has no delta"]


@pytest.mark.parametrize("stage", ["--prepare", "--sign", "--attach"])
def test_suit_needs_the_certificate_in_all_stages(stage: str, signed: Cli) -> None:
    config = signed.folder / "fotabuild.yaml"
    text = config.read_text().replace("  certificate: keys/update.cert.der\n", "")
    config.write_text(text.replace(ALL, "formats: [suit]\n"))
    before = signed.tree()
    done = signed(*BUILD, stage, "signing", "-k", "away.pem")
    assert done.status == 1
    assert "credentials.certificate" in done.stderr
    assert ".sig" not in done.stderr
    changed = {name for name, value in signed.tree().items() if before.get(name) != value}
    assert not [name for name in changed if name.startswith("signing")]
