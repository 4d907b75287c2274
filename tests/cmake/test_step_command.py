"""``fotabuild step``: what the build calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fotabuild.steps.depfile import encode_depfile
from fotabuild.steps.description import describe_step, step_from_description
from fotabuild.steps.image import ImageStep
from fotabuild.steps.rerun import run_again

from ..command import run_fotabuild


def _described(folder: Path, name: str, source: str, output: str) -> Path:
    step = ImageStep(source=folder / source, output=folder / output)
    file = folder / name
    file.write_text(json.dumps(describe_step(step)), encoding="utf-8")
    return file


def test_steps_run_in_order_and_say_what_was_read(tmp_path: Path) -> None:
    (tmp_path / "a b.elf").write_bytes(b"image")
    one = _described(tmp_path, "one.json", "a b.elf", "x.bin")
    other = _described(tmp_path, "other.json", "x.bin", "y.bin")
    done = run_fotabuild("step", one, other, "--depfile", tmp_path / "d" / "deps", cwd=tmp_path)
    assert (done.status, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "y.bin").read_bytes() == b"image"
    # The second step's input is the first one's output: no other command makes it.
    escaped = str(tmp_path).replace(" ", "\\ ")
    assert (tmp_path / "d" / "deps").read_text() == f"{escaped}/x.bin: {escaped}/a\\ b.elf\n"


def test_nothing_runs_when_one_description_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.elf").write_bytes(b"image")
    one = _described(tmp_path, "one.json", "a.elf", "x.bin")
    wrong = tmp_path / "wrong.json"
    wrong.write_bytes(one.read_bytes().replace(b"image", b"imaje"))
    done = run_fotabuild("step", one, wrong, "--depfile", tmp_path / "deps", cwd=tmp_path)
    assert done.status == 1
    assert done.stderr == (
        f"error: {wrong}: this is not a step of this version of fotabuild; configure the build "
        "again [FB0400]\n"
    )
    assert not (tmp_path / "x.bin").exists()
    assert not (tmp_path / "deps").exists()


def test_a_description_of_another_version(tmp_path: Path) -> None:
    (tmp_path / "a.elf").write_bytes(b"image")
    one = _described(tmp_path, "one.json", "a.elf", "x.bin")
    description = json.loads(one.read_bytes())
    signature = json.loads(description["signature"])
    signature["fotabuild"] = "0.0.1"
    description["signature"] = json.dumps(signature, sort_keys=True, separators=(",", ":"))
    one.write_text(json.dumps(description), encoding="utf-8")
    done = run_fotabuild("step", one, cwd=tmp_path)
    assert (done.status, done.stdout) == (1, "")
    assert "configure the build again" in done.stderr


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kind": "nope"}', '{"kind": "image"}', "[" * 9999]
)
def test_what_is_no_description(tmp_path: Path, text: str) -> None:
    file = tmp_path / "step.json"
    file.write_text(text, encoding="utf-8")
    done = run_fotabuild("step", file, cwd=tmp_path)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {file}: ")
    assert done.stderr.count("\n") == 1


def test_dates_are_kept_with_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.elf").write_bytes(b"image")
    output = tmp_path / "x.bin"
    step = ImageStep(source=tmp_path / "a.elf", output=output)
    run_again(step)
    os.utime(output, ns=(1_000_000_007, 2_000_000_009))
    run_again(step)
    assert output.stat().st_mtime_ns == 2_000_000_009
    (tmp_path / "a.elf").write_bytes(b"imago")
    run_again(step)
    assert output.stat().st_mtime_ns > 2_000_000_009
    assert output.read_bytes() == b"imago"
    os.utime(output, ns=(1_000_000_007, 2_000_000_009))
    step.run()
    assert output.stat().st_mtime_ns > 2_000_000_009


_IMPORTS = """\
import sys
from fotabuild.cli.main import main
status = main(sys.argv[1:])
print(*sorted(name.removeprefix("fotabuild.") for name in sys.modules))
sys.exit(status)
"""


def test_a_step_imports_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "a.elf").write_bytes(b"image")
    one = _described(tmp_path, "one.json", "a.elf", "x.bin")
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTS, "--quiet", "step", one, "--depfile", tmp_path / "deps"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    imported = set(done.stdout.split())
    assert {"cli.commands.step", "steps.image"} <= imported
    assert not imported & {"bsdiff4", "cryptography", "lz4", "pyasn1", "yaml", "config.model"}
    others = {name for name in imported if name.startswith(("cli.commands.", "steps."))}
    assert others == {
        "cli.commands.step",
        "steps.depfile",
        "steps.description",
        "steps.image",
        "steps.rerun",
        "steps.step",
    }


def test_help_lists_all_commands_also_before_one(tmp_path: Path) -> None:
    expected = run_fotabuild("--help", cwd=tmp_path).stdout
    assert run_fotabuild("--quiet", "--help", "step", cwd=tmp_path).stdout == expected
    assert " manifest " in expected


def test_a_described_step_comes_back(tmp_path: Path) -> None:
    step = ImageStep(source=tmp_path / "ü $x", output=tmp_path / "y", address=0x8000)
    assert step_from_description(json.dumps(describe_step(step)).encode()) == step


def test_names_in_a_dependency_file(tmp_path: Path) -> None:
    step = ImageStep(source=Path("/a b#c$d\\e:ü"), output=Path("/out put"))
    assert encode_depfile([step]).decode() == "/out\\ put: /a\\ b\\#c$$d\\\\e:ü\n"
