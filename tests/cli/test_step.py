"""``fotabuild step``: run described steps, as build systems do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from .conftest import Cli
from .sample import NEW, write_step


@pytest.fixture
def described(cli: Cli) -> Path:
    return write_step(cli.folder)


def test_described_step_runs(cli: Cli, described: Path) -> None:
    done = cli.good("step", described)
    assert (done.stdout, done.stderr) == ("", "")
    assert (cli.folder / "out" / "step.bin").read_bytes() == NEW


def test_steps_of_a_plan_run_one_after_the_other(cli: Cli) -> None:
    plan = cli.json("plan", "app.elf", "-v", "1.1.0", "-o", "out")["steps"]
    files = []
    for index, step in enumerate(plan):
        files.append(cli.folder / f"{index}.json")
        files[-1].write_text(json.dumps(step["description"]), encoding="utf-8")
    cli.good("step", *files)
    assert all(Path(path).is_file() for step in plan for path in step["outputs"])


def test_depfile_names_what_was_read(cli: Cli, described: Path) -> None:
    cli.good("step", described, "--depfile", "out/step.d")
    text = (cli.folder / "out" / "step.d").read_text(encoding="utf-8")
    target, _, inputs = text.partition(":")
    assert target == str(cli.folder / "out" / "step.bin")
    assert str(cli.folder / "app.elf") in inputs


def test_unchanged_output_may_keep_its_date(cli: Cli, described: Path) -> None:
    output = cli.folder / "out" / "step.bin"
    cli.good("step", described)
    os.utime(output, (1, 1))
    cli.good("step", described, "--keep-dates")
    assert output.stat().st_mtime == 1
    cli.good("step", described)
    assert output.stat().st_mtime > 1


@pytest.mark.parametrize(
    ("old", "new"),
    [('"image"', '"delta"'), ('"fotabuild', '"x'), ("{", "["), ("app.elf", "other.elf")],
)
def test_changed_description_is_refused_or_is_another_step(
    old: str, new: str, cli: Cli, described: Path
) -> None:
    text = described.read_text(encoding="utf-8")
    assert old in text or old == '"fotabuild'
    described.write_text(text.replace(old, new), encoding="utf-8")
    if old == '"fotabuild':
        described.write_text(text.replace('\\"fotabuild\\":\\"', '\\"fotabuild\\":\\"9.'), "utf-8")
    done = cli("step", described)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert not (cli.folder / "out").exists()
