"""``fotabuild plan``: the steps of a build as text and as JSON."""

from __future__ import annotations

import json

from fotabuild.steps.description import step_from_description

from .conftest import Cli


def test_text_names_steps_inputs_and_outputs(look: Cli) -> None:
    lines = look.good("plan", "app.elf", "-v", "1.1.0").stdout.splitlines()
    assert lines[:3] == [
        "image:app-1.1.0.bin",
        f"    < {look.folder / 'app.elf'}",
        f"    > {look.folder / 'update' / 'app-1.1.0.bin'}",
    ]
    steps = [line for line in lines if not line.startswith(" ")]
    assert [step.partition(":")[0] for step in steps] == [
        "image", "manifest", "delta", "manifest", "package", "manifest",
    ]  # fmt: skip


def test_json_is_what_a_build_system_needs(look: Cli) -> None:
    plan = look.json("plan", "app.elf", "-v", "1.1.0", "--resources", "r.c")
    assert [step["kind"] for step in plan["steps"]][:2] == ["resources", "image"]
    for step in plan["steps"]:
        assert set(step) >= {"name", "kind", "inputs", "outputs", "parameters", "description"}
        again = step_from_description(json.dumps(step["description"]).encode())
        assert [str(path) for path in again.outputs] == step["outputs"]
        assert [str(path) for path in again.inputs] == step["inputs"]
        assert again.signature() == step["description"]["signature"]


def test_json_says_what_has_to_be_there(look: Cli) -> None:
    plan = look.json("plan", "app.elf", "-v", "1.1.0")
    names = ("app.elf", "keys/update.key.pem", "keys/update.cert.der", "old.bin", "table.bin")
    assert sorted(plan["sources"]) == sorted(str(look.folder / name) for name in names)


def test_it_is_the_plan_that_build_runs(cli: Cli) -> None:
    arguments = ("app.elf", "-v", "1.1.0", "-o", "out", "--name", "n")
    plan = cli.json("plan", *arguments)["steps"]
    assert [s["name"] for s in cli.json("build", *arguments)["steps"]] == [s["name"] for s in plan]


def test_notes(look: Cli) -> None:
    note = "no delta from 1.0.0: it is not older than 0.9.0"
    assert look.json("plan", "app.elf", "-v", "0.9.0")["notes"] == [note]
    assert f"note: {note}" in look.good("plan", "app.elf", "-v", "0.9.0").stdout


def test_nothing_is_read_or_written(cli: Cli) -> None:
    """Neither the image nor key and releases need to be there."""
    for name in ("old.bin", "table.bin", "keys/update.key.pem", "keys/update.cert.der"):
        (cli.folder / name).unlink()
    before = cli.tree()
    cli.good("plan", "not-yet-built.elf", "-v", "1.1.0")
    assert cli.tree() == before
