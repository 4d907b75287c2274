"""A folder is right only if all of it is, and every kind of damage is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fotabuild.device.report import Verdict
from fotabuild.digest import sha256
from fotabuild.errors import ReleaseFolderError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.manifest_v3 import decode_signed, encode_manifest, encode_signed
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.limits import ReadLimits
from fotabuild.plan.make import StepMaker
from fotabuild.report.artifact import ArtifactKind
from fotabuild.report.folder import read_files, read_folder
from fotabuild.report.patches import read_side_file
from fotabuild.report.verification import FolderVerifier
from fotabuild.report.verified import FolderVerification
from fotabuild.signing.signer import open_signer

from ..formats.golden import KEY
from .scene import FILES, MANIFESTS, NEW, Built

DELTA = "app-1.0.0-to-1.1.0"


def results(found: FolderVerification, name: str) -> dict[str, Verdict]:
    (item,) = (item for item in found.files if item.artifact.name == name)
    return {result.name: result.verdict for result in item.report.results}


def test_a_build_is_right_and_every_patch_was_applied(pristine: Built) -> None:
    found = pristine.verify()
    assert found.accepted, found.failures
    assert len(found.files) == FILES
    manifests = [item for item in found.files if item.fields]
    assert len(manifests) == MANIFESTS
    for version in ("1.0.0", "1.0.1"):
        of_manifest = results(found, f"app-{version}-to-1.1.0.manifest")
        assert of_manifest["patch-stream"] is Verdict.PASSED
        assert of_manifest["newer-version"] is Verdict.PASSED
        of_patch = results(found, f"app-{version}-to-1.1.0.patch")
        assert of_patch["patched-image"] is Verdict.PASSED


def test_each_check_of_a_file_has_a_name_of_its_own(pristine: Built) -> None:
    for item in pristine.verify().files:
        names = [result.name for result in item.report.results]
        assert len(names) == len(set(names)), item.artifact.name


def test_what_is_not_at_hand_is_skipped_and_said(built: Built) -> None:
    (built.root / "old" / "1.0.0.bin").unlink()
    found = built.verify()
    assert found.accepted
    assert results(found, f"{DELTA}.manifest")["patch-stream"] is Verdict.SKIPPED
    assert results(found, f"{DELTA}.patch")["patched-image"] is Verdict.SKIPPED
    assert results(found, "app-1.0.1-to-1.1.0.patch")["patched-image"] is Verdict.PASSED


def test_a_sound_patch_to_another_image_is_refused(built: Built) -> None:
    """Patch, side file and manifests agree; only the image of the release is another."""
    (built.root / "evil.bin").write_bytes(NEW[:-4] + b"EVIL")
    config = built.config
    maker, version = StepMaker(config), FirmwareVersion(1, 1, 0)
    patch, old = built.update / f"{DELTA}.patch", built.root / "old/1.0.0.bin"
    maker.delta(old, built.root / "evil.bin", patch).run()
    kind = PayloadFormat.ARM_PATCH_STREAM
    maker.manifest(patch, kind, version, built.update / f"{DELTA}.manifest").run()
    number = version.to_device_number()
    maker.manifest_v1(patch, kind, number, built.update / f"{DELTA}.v1.manifest").run()
    found = built.verify()
    assert [(item.artifact.name, [r.name for r in item.report.failures]) for item in found.files
            if item.report.failures] == [(patch.name, ["release-image"])]  # fmt: skip
    (built.update / "app-1.1.0.manifest").unlink()
    (built.update / "app-1.1.0.v1.manifest").unlink()
    assert built.verify().accepted  # A folder of deltas alone.


def _edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return spoil


def _flip_last(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "payload changed": (_edit("app-1.1.0.bin", _flip_last), "app-1.1.0.manifest: payload-file"),
    "payload missing": (
        lambda folder: (folder / "app-1.1.0.bin").unlink(),
        "app-1.1.0.v1.manifest: payload-file",
    ),
    "patch changed": (_edit(f"{DELTA}.patch", _flip_last), f"{DELTA}.patch: side-file-content"),
    "patch cut": (
        _edit(f"{DELTA}.patch", lambda data: data[:30]),
        f"{DELTA}.patch: patch-header",
    ),
    "patch is something else": (
        _edit(f"{DELTA}.patch", lambda _: b"hello"),
        f"{DELTA}.patch: content",
    ),
    "side file of another patch": (
        lambda folder: (folder / f"{DELTA}.yaml").write_bytes(
            (folder / "app-1.0.1-to-1.1.0.yaml").read_bytes()
        ),
        f"{DELTA}.patch: side-file-content",
    ),
    "side file says another result": (
        _edit(
            f"{DELTA}.yaml",
            lambda data: data.replace(
                b"installed-digest: !!binary |\n  ", b"installed-digest: !!binary |\n  QUFB", 1
            ),
        ),
        f"{DELTA}.patch: side-file-content",
    ),
    "side file alone": (
        lambda folder: (folder / f"{DELTA}.patch").unlink(),
        f"{DELTA}.yaml: patch",
    ),
    "manifest signature": (
        _edit("app-1.1.0.manifest", _flip_last),
        "app-1.1.0.manifest: signature",
    ),
    "v1 manifest cut": (
        _edit("app-1.1.0.v1.manifest", lambda data: data[:-1]),
        "app-1.1.0.v1.manifest: ",
    ),
    "manifest is something else": (
        _edit("app-1.1.0.manifest", lambda _: b""),
        "app-1.1.0.manifest: content",
    ),
    "a private key": (
        lambda folder: shutil.copyfile(KEY, folder / "notes.txt"),
        "notes.txt: secret",
    ),
    "package cut": (
        _edit("app-1.1.0.package.tar", lambda data: data[:1024]),
        "app-1.1.0.package.tar: package-structure",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found(name: str, built: Built) -> None:
    spoil, failure = DAMAGE[name]
    spoil(built.update)
    found = built.verify()
    assert not found.accepted
    assert any(text.startswith(failure) for text in found.failures), found.failures


def _verify_alone(built: Built, *names: str) -> FolderVerification:
    """Check these files without the others."""
    folder = read_files(built.update, tuple(built.update / name for name in names))
    return FolderVerifier(folder, built.device(), built.precursors()).run()


def _warnings(found: FolderVerification) -> int:
    return sum(len(item.report.warnings) for item in found.files)


@pytest.mark.parametrize("suffix", [".manifest", ".v1.manifest", ".suit"])
def test_a_changed_byte_in_a_manifest_is_found(
    suffix: str, built: Built, figure: Callable[[str], None]
) -> None:
    """The signature holds every byte, or the byte is a part of it.

    But for two digests in v1 manifests, which only the older client looks at: these are warnings.
    """
    names = (f"app-1.1.0{suffix}", "app-1.1.0.bin")
    path = built.update / names[0]
    data = path.read_bytes()
    before = _warnings(_verify_alone(built, *names))
    found = warned = 0
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        now = _verify_alone(built, *names)
        found += not now.accepted
        warned += now.accepted and _warnings(now) > before
    figure(f"{suffix}: {found} of {len(data)} changed bytes found, {warned} more are warnings")
    assert found + warned == len(data)
    assert warned == (64 if suffix == ".v1.manifest" else 0)


def test_a_changed_byte_in_a_side_file_is_found_or_changes_nothing(
    built: Built, figure: Callable[[str], None]
) -> None:
    """It is a text: a few changes, such as another space, leave what it says as it is."""
    names = (f"{DELTA}.yaml", f"{DELTA}.patch", f"{DELTA}.manifest")
    path = built.update / names[0]
    data = path.read_bytes()

    def says() -> object:
        (artifact,) = read_files(built.update, (path,)).artifacts
        side_file = read_side_file(artifact)
        # Who made the patch is a note: nothing depends on it.
        return side_file._replace(engine="", effort="", complete=True)

    same, known = 0, says()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        if _verify_alone(built, *names).accepted:
            same += 1
            assert says() == known, f"at {place}"
    figure(f"side file: {len(data) - same} of {len(data)} changed bytes found, {same} say the same")
    assert same < len(data) / 4


def test_a_changed_byte_in_a_payload_is_found(built: Built) -> None:
    """A digest holds each; the first, the middle and the last byte stand for the others."""
    for path in sorted(built.update.iterdir()):
        if path.suffix in (".manifest", ".suit", ".yaml"):
            continue
        data = path.read_bytes()
        for place in (0, len(data) // 2, len(data) - 1):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            assert not built.verify().accepted, f"{path.name} at {place}"
        path.write_bytes(data)


def test_the_right_image_of_another_release_is_not_enough(built: Built) -> None:
    """A patch is applied to what its side file names, whatever the configuration calls it."""
    old = built.root / "old"
    one, other = (old / "1.0.0.bin").read_bytes(), (old / "1.0.1.bin").read_bytes()
    (old / "1.0.0.bin").write_bytes(other)
    (old / "1.0.1.bin").write_bytes(one)
    assert built.verify().accepted


ENCRYPTED = {
    "changed": ("app-1.1.0.enc", "failed"),
    "in a folder": ("more/app-1.1.0.enc", "failed"),
    "elsewhere": (None, "skipped"),
}


@pytest.mark.parametrize("case", ENCRYPTED)
def test_an_encrypted_payload_may_be_elsewhere_but_not_changed(case: str, built: Built) -> None:
    """The service that encrypts may hand it to devices itself; what is here has to be right."""
    name, verdict = ENCRYPTED[case]
    state_encrypted(built, b"encrypted payload")
    assert results(built.verify(), "enc.manifest")["payload-file"] is Verdict.PASSED
    (built.update / "app-1.1.0.enc").unlink()
    if name is not None:
        (built.update / name).parent.mkdir(exist_ok=True)
        (built.update / name).write_bytes(b"encrypted payloae")
    found = built.verify()
    assert results(found, "enc.manifest")["payload-file"].value == verdict
    assert ("enc.manifest: payload-file" in found.failures) == (verdict == "failed")


def state_encrypted(built: Built, payload: bytes) -> None:
    """Put an encrypted payload into the folder, with a manifest that announces it."""
    (built.update / "app-1.1.0.enc").write_bytes(payload)
    signed = decode_signed((built.update / "app-1.1.0.manifest").read_bytes())
    manifest = replace(
        signed.manifest,
        payload_format=PayloadFormat.ENCRYPTED_RAW,
        payload_digest=sha256(payload),
        payload_size=len(payload),
        payload_uri="https://acme.com/app-1.1.0.enc?token=1",
        installed_digest=sha256(NEW),
        installed_size=len(NEW),
    )
    body = encode_manifest(manifest)
    signature = open_signer(str(KEY)).sign(body)
    (built.update / "enc.manifest").write_bytes(encode_signed(manifest, signature))


def test_a_payload_without_a_manifest_is_a_warning(built: Built) -> None:
    for name in (f"{DELTA}.manifest", f"{DELTA}.v1.manifest", "app-1.1.0.package.manifest"):
        (built.update / name).unlink()
    found = built.verify()
    assert found.accepted
    assert results(found, f"{DELTA}.patch")["announced"] is Verdict.WARNING
    assert results(found, "app-1.1.0.package.tar")["announced"] is Verdict.WARNING


def test_a_folder_without_manifests_is_refused(built: Built) -> None:
    for path in (*built.update.glob("*.manifest"), *built.update.glob("*.suit")):
        path.unlink()
    assert "manifests" in built.verify().failures


def test_provenance_can_be_demanded(built: Built) -> None:
    assert "statements" in built.verify(need_provenance=True).failures


def test_folders_below_and_hidden_files_are_looked_at_and_leftovers_are_named(
    built: Built,
) -> None:
    (built.update / "more").mkdir()
    (built.update / "more" / "a.bin").write_bytes(NEW)
    (built.update / "more" / ".hidden").write_bytes(b"x")
    (built.update / "more" / ".app.bin.0123456789ab.tmp").write_bytes(b"half")
    folder = read_folder(built.update)
    found = folder.named("more/a.bin")
    assert found is not None
    assert (found.kind, found.digest) == (ArtifactKind.FILE, sha256(NEW))
    assert len(folder.artifacts) == FILES + 2
    assert folder.leftovers == ("more/.app.bin.0123456789ab.tmp",)


@pytest.mark.parametrize("target", [".", "app-1.1.0.bin", "nothing"])
def test_links_and_missing_folders_are_refused(target: str, built: Built, tmp_path: Path) -> None:
    (built.update / "link").symlink_to(target)
    with pytest.raises(ReleaseFolderError, match="link"):
        read_folder(built.update)
    with pytest.raises(ReleaseFolderError, match="not a folder"):
        read_folder(tmp_path / "nothing")


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fotabuild.report import folder

    monkeypatch.setattr(folder, "READ_LIMITS", ReadLimits(release_files=2))
    for name in "abc":
        (tmp_path / name).touch()
    with pytest.raises(ReleaseFolderError, match="more than 2 files"):
        read_folder(tmp_path)
