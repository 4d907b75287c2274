"""The report as a step of a build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fotabuild.config.loader import LoadedConfig, load_config
from fotabuild.errors import ElfError, VerificationError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.plan import Plan, make_plan
from fotabuild.plan.runner import run_plan
from fotabuild.steps.description import describe_step, step_from_description
from fotabuild.steps.step import StepKind

from ..explain import scene as linked
from ..formats.golden import CERTIFICATE, KEY
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


def linked_plan(folder: Path, *, flat: bool = False, elf: bool = True) -> Plan:
    """A build of a linked file, with a release whose linked file is known."""
    for name, data in {
        "keys/update.key.pem": KEY.read_bytes(),
        "keys/update.cert.der": CERTIFICATE.read_bytes(),
        "old.bin": linked.OLD,
        "old.elf": linked.OLD_ELF,
        "app.elf": linked.NEW if flat else linked.NEW_ELF,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    text = CONFIG[: CONFIG.index("releases:")] + "report:\n  write: true\nreleases:\n"
    text += "- version: 1.0.0\n  image: old.bin\n" + ("  elf: old.elf\n" if elf else "")
    (folder / "fotabuild.yaml").write_text(text, encoding="utf-8")
    config = load_config(folder / "fotabuild.yaml", environ={})
    version = FirmwareVersion(1, 1, 0)
    return make_plan(
        config, Build(image=folder / "app.elf", version=version, folder=folder / "update")
    )


def test_linked_files_of_old_releases_say_what_changed(tmp_path: Path) -> None:
    plan = linked_plan(tmp_path)
    step = plan.steps[-1]
    assert {tmp_path / "old.elf", tmp_path / "app.elf"} <= set(step.inputs)
    assert step_from_description(json.dumps(describe_step(step)).encode()) == step
    run_plan(plan, lambda _step, _result: None)
    page = tmp_path / "update" / "app-1.1.0.report.html"
    (change,) = json.loads(page.with_suffix(".json").read_text())["changes"]
    assert change["since"] == "1.0.0"
    parts = {part["name"]: part for part in change["values"]["parts"]}
    assert parts["added"]["note"] == "new"
    assert "What changed" in page.read_text()


@pytest.mark.parametrize(("flat", "elf"), [(True, True), (False, False)])
def test_without_symbols_nothing_is_said_of_them(flat: bool, elf: bool, tmp_path: Path) -> None:
    plan = linked_plan(tmp_path, flat=flat, elf=elf)
    assert (tmp_path / "app.elf" in plan.steps[-1].inputs) is elf
    run_plan(plan, lambda _step, _result: None)
    values = json.loads((tmp_path / "update" / "app-1.1.0.report.json").read_text())
    assert values["changes"] == []


def test_the_linked_file_of_another_image_is_refused(tmp_path: Path) -> None:
    plan = linked_plan(tmp_path)
    run_plan(plan, lambda _step, _result: None)
    (tmp_path / "app.elf").write_bytes(linked.OLD_ELF)
    with pytest.raises(ElfError, match=r"app\.elf"):
        plan.steps[-1].run()


def test_another_release_of_ours_is_another_report(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says which version made it."""
    step = plan_of(built).steps[-1]
    before = dict(step.parameters)
    monkeypatch.setattr("fotabuild.steps.report.__version__", "99.0.0")
    assert dict(step.parameters) != before
