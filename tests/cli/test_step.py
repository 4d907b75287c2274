"""``fotabuild step``: run described steps, as build systems do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


Values = dict[str, Any]


def without(values: Values, key: str) -> Values:
    return {name: value for name, value in values.items() if name != key}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda values: {**values, "kind": "delta"},
        lambda values: {**values, "kind": "unheard of"},
        lambda values: {**values, "signature": values["signature"].replace("0.", "99.", 1)},
        lambda values: {**values, "step": {**values["step"], "address": 4}},
        lambda values: {**values, "step": without(values["step"], "source")},
        lambda values: without(values, "signature"),
        lambda values: [values],
    ],
    ids=["kind", "unknown kind", "other fotabuild", "parameter", "field", "signature", "list"],
)
def test_changed_description_is_refused(
    spoil: Callable[[Values], object], cli: Cli, described: Path
) -> None:
    """It is of another version of fotabuild, or damaged: the build must be configured again."""
    values = json.loads(described.read_text(encoding="utf-8"))
    described.write_text(json.dumps(spoil(values)), encoding="utf-8")
    done = cli("step", described)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {described}: this is not a step of this version")
    assert not (cli.folder / "out").exists()


def test_described_step_that_fails(cli: Cli, described: Path) -> None:
    (cli.folder / "app.elf").unlink()
    done = cli("step", described)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {cli.folder / 'app.elf'}: cannot read the firmware")
