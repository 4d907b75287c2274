"""The report as a step of a build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fotabuild.config.loader import LoadedConfig, load_config
from fotabuild.errors import VerificationError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.plan import Plan, make_plan
from fotabuild.plan.runner import run_plan
from fotabuild.steps.description import describe_step, step_from_description
from fotabuild.steps.step import StepKind

from .scene import CONFIG, FILES, Built


def config_of(built: Built, speed: int = 20_000) -> LoadedConfig:
    path = built.root / "reporting.yaml"
    path.write_text(f"{CONFIG}report:\n  write: true\n  link-speed: {speed}\n", encoding="utf-8")
    return load_config(path, environ={})


def plan_of(built: Built, **values: int) -> Plan:
    build = Build(
        image=built.root / "app.bin", version=FirmwareVersion(1, 1, 0), folder=built.update
    )
    return make_plan(config_of(built, **values), build)


def test_it_is_the_last_step_where_the_configuration_says_so(built: Built) -> None:
    plan = plan_of(built)
    kinds = [step.kind for step in plan.steps]
    assert kinds[-1] is StepKind.REPORT
    assert kinds.count(StepKind.REPORT) == 1
    others = {path for step in plan.steps[:-1] for path in step.outputs}
    assert others <= set(plan.steps[-1].inputs)
    plain = make_plan(
        built.config,
        Build(image=built.root / "app.bin", version=FirmwareVersion(1, 1, 0), folder=built.update),
    )
    assert StepKind.REPORT not in [step.kind for step in plain.steps]


def test_it_speaks_of_what_the_build_made_and_of_nothing_else(built: Built) -> None:
    (built.update / "app-0.9.0.bin").write_bytes(b"of another build")
    run_plan(plan_of(built), lambda _step, _result: None)
    values = json.loads((built.update / "app-1.1.0.report.json").read_text())
    assert (values["title"], values["link-speed"]) == ("Toaster <2> 1.1.0", 20_000)
    assert len(values["files"]) == FILES
    since = {update["since"] for update in values["updates"]}
    assert since == {None, "1.0.0", "1.0.1"}


def test_it_does_without_deltas_that_were_not_worth_it(built: Built) -> None:
    step = plan_of(built).steps[-1]
    for path in built.update.glob("app-1.0.0-to-1.1.0.*"):
        path.unlink()
    step.run()
    values = json.loads((built.update / "app-1.1.0.report.json").read_text())
    assert len(values["files"]) == FILES - 4
    assert {path.parent for path in step.optional_inputs} == {built.update}


def test_it_is_not_written_for_artifacts_that_do_not_fit(built: Built) -> None:
    (built.update / "app-1.1.0.bin").write_bytes(b"another image")
    with pytest.raises(VerificationError, match="payload-file"):
        plan_of(built).steps[-1].run()
    assert not list(built.update.glob("*report*"))


def test_its_signature_follows_what_it_prints(built: Built, tmp_path: Path) -> None:
    one = plan_of(built).steps[-1].signature()
    assert one == plan_of(built).steps[-1].signature()
    assert one != plan_of(built, speed=9600).steps[-1].signature()
    assert str(tmp_path) not in one


def test_it_can_be_described_and_read_back(built: Built) -> None:
    step = plan_of(built).steps[-1]
    text = json.dumps(describe_step(step)).encode()
    again = step_from_description(text)
    assert again == step
    again.run()
    assert (built.update / "app-1.1.0.report.html").is_file()
