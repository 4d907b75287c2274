"""``fotabuild device``. What devices do with updates is tested in ``tests/simulation``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fotabuild.config.loader import load_config
from fotabuild.digest import sha256
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.manifest_v3 import PayloadFormat
from fotabuild.plan.make import StepMaker

from ..simulation.service import Service
from .conftest import Cli
from .sample import NEW, OLD

PAYLOAD = "/fw/app.bin"


@pytest.fixture
def service(cli: Cli) -> Iterator[Service]:
    """A server that offers the new image to devices of the sample project."""
    with Service(payloads={PAYLOAD: NEW}) as service:
        settings = {"payload.url": service.url + PAYLOAD}
        config = load_config(cli.folder / "fotabuild.yaml", environ={}, options=settings)
        manifest = cli.folder / "offer.manifest"
        version = FirmwareVersion(1, 1, 0)
        kind = PayloadFormat.RAW_BINARY
        StepMaker(config).manifest(cli.folder / "app.bin", kind, version, manifest).run()
        service.manifest = manifest.read_bytes()
        yield service


def test_init_takes_identity_and_limits_from_the_configuration(cli: Cli) -> None:
    made = cli.json(
        "device", "init", "sim", "--image", "old.bin", "-v", "1.0.0", "--name", "toaster-7"
    )
    identity = load_config(cli.folder / "fotabuild.yaml", environ={}).identity
    assert made["endpoint-name"] == "toaster-7"
    assert (made["vendor-id"], made["class-id"]) == (
        identity.vendor_id.hex,
        identity.class_id.hex,
    )
    assert made["features"] == "combined,delta"
    assert (made["version"], made["digest"]) == ("1.0.0", sha256(OLD).hex())
    assert (cli.folder / made["image"]).read_bytes() == OLD


def test_init_in_a_project_that_makes_suit_as_well(cli: Cli) -> None:
    config = cli.folder / "fotabuild.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "formats: [suit, v1, v3]\n")
    init = ("device", "init", "dev", "--image", "old.bin", "-v", "1.0.0")
    assert cli.json(*init, "--name", "kitchen")["endpoint-name"] == "kitchen"
    config.write_text(config.read_text(encoding="utf-8").replace("[suit, v1, v3]", "[suit]"))
    done = cli(*init[:2], "other", *init[3:])
    assert done.status == 1
    assert "formats: simulated devices read manifests of v1 and v3" in done.stderr
    cli.good(*init[:2], "other", *init[3:], "--manifest", "v3")


def test_init_takes_identity_and_certificate_from_the_resources(cli: Cli, tmp_path: Path) -> None:
    plain = cli.json("device", "init", "a", "--image", "old.bin", "-v", "1.0.0", "--name", "x")
    arguments: list[str | Path] = ["--image", cli.folder / "old.bin", "-v", "1.0.0", "--name", "x"]
    arguments += ["--resources", cli.folder / "a.c"]
    made = cli.json("device", "init", tmp_path / "b", *arguments)
    differing = {name for name in plain if plain[name] != made[name]}
    assert differing == {"image"}
    certificates = [folder / "update.cert.der" for folder in (cli.folder / "a", tmp_path / "b")]
    assert certificates[0].read_bytes() == certificates[1].read_bytes()


def test_init_needs_no_configuration_beside_resources(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.c", "old.bin"):
        shutil.copy(cli.folder / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    made = cli.json(
        "device", "init", "sim", "--image", "old.bin", "-v", "1.0.0", "--resources", "a.c"
    )
    assert (made["component"], made["features"]) == ("MAIN", "delta")


def test_init_gives_each_device_another_name(cli: Cli) -> None:
    names = {
        cli.json("device", "init", folder, "--image", "old.bin", "-v", "1.0.0")["endpoint-name"]
        for folder in ("a", "b")
    }
    assert len(names) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sim1", "--image", "old.bin", "-v", "1.0.0"), "there is a device already"),
        (("a", "--image", "none.bin", "-v", "1.0.0"), "No such file"),
        (("a", "--image", "old.bin", "-v", "one"), "not a firmware version"),
        (("a", "--image", "old.bin", "-v", "1.0.0", "--name", "a b"), "--name takes letters"),
        (("a", "--image", "old.bin", "-v", "1.0.0", "--resources", "a.patch"), "not defined here"),
        (
            ("a", "--image", "old.bin", "-v", "1.0.0", "--set", "credentials.certificate="),
            "certificate",
        ),
    ],
)
def test_init_refuses(arguments: tuple[str, ...], message: str, cli: Cli) -> None:
    done = cli("device", "init", *arguments)
    assert done.status in (1, 2)
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (cli.folder / "a").exists()


def test_run_once_installs_and_says_so(cli: Cli, service: Service) -> None:
    arguments = ("device", "run", "sim1", "--server", service.url, "--once", "--timeout", "30")
    done = cli.good("--json", *arguments)
    values = json.loads(done.stdout)
    assert values["version"] == "1.1.0"
    assert [update["event"] for update in values["updates"]] == ["UPD4_OK_100"]
    assert service.events("sim1")[-1] == "UPD4_OK_100"
    assert "installed 1.1.0 over 1.0.0" in done.stderr


def test_run_once_is_status_1_when_the_update_failed(cli: Cli, service: Service) -> None:
    service.payloads.clear()
    done = cli("device", "run", "sim1", "--server", service.url, "--once", "--timeout", "30")
    assert done.status == 1
    assert done.stdout.startswith("1.0.0 -> 1.0.0 UPD4_FAIL_300 download: the server answered 404")


def test_run_once_is_status_7_when_nothing_comes(cli: Cli, service: Service) -> None:
    service.manifest = None
    done = cli("device", "run", "sim1", "--server", service.url, "--once", "--timeout", "0.2")
    assert (done.status, done.stdout) == (7, "")
    assert "no update came in time" in done.stderr


def test_run_enrols_with_a_token_from_a_file(cli: Cli, service: Service) -> None:
    service.enrolment_token = "let-me-in"
    run = ("device", "run", "sim1", "--server", service.url, "--once", "--timeout", "30")
    assert "--enrolment-token-file" in cli(*run).stderr
    (cli.folder / "token").write_text("let-me-in\n")
    done = cli.good(*run, "--enrolment-token-file", "token")
    assert "let-me-in" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--server", "http://updates.example.com"), 2),
        (("--server", "nowhere"), 2),
        (("--server", "http://127.0.0.1:9", "--timeout", "-1"), 2),
        (("--server", "http://127.0.0.1:9", "--timeout", "1e9"), 2),
        (("--server", "http://127.0.0.1:9", "--ca-file", "old.bin"), 1),
        (("--server", "http://127.0.0.1:9", "--enrolment-token-file", "none"), 1),
        (("--server", "http://127.0.0.1:9", "--enrolment-token-file", "table.bin"), 2),
    ],
)
def test_run_refuses(arguments: tuple[str, ...], status: int, cli: Cli) -> None:
    done = cli("device", "run", "sim1", *arguments)
    assert (done.status, done.stdout) == (status, "")


def test_show_is_what_init_said(cli: Cli) -> None:
    made = cli.json("device", "init", "sim", "--image", "old.bin", "-v", "1.0.0")
    assert cli.json("device", "show", "sim") == made


def test_show_tells_no_secrets(cli: Cli, service: Service) -> None:
    cli.good("device", "run", "sim1", "--server", service.url, "--once", "--timeout", "60")
    secret = json.loads((cli.folder / "sim1" / "credentials.json").read_text())["token"]
    done = cli.good("device", "show", "sim1")
    assert "version: 1.1.0" in done.stdout
    assert secret not in done.stdout + done.stderr


def test_show_what_is_no_device(cli: Cli) -> None:
    assert cli("device", "show", "keys").status == 1


def test_fleet_updates_all(cli: Cli, service: Service) -> None:
    arguments = ("device", "fleet", "sim1", "--server", service.url, "--timeout", "60")
    before = cli.tree()
    values = cli.json(*arguments, "--count", "5")
    assert (values["devices"], values["updated"]) == (5, 5)
    assert values["events"] == {"UPD4_OK_100": 5}
    assert sorted(name[-6:] for name in service.registered) == [
        f"-0000{number}" for number in range(1, 6)
    ]
    assert sorted(service.left) == sorted(service.registered)
    assert cli.tree() == before


def test_fleet_is_status_1_when_one_failed(cli: Cli, service: Service) -> None:
    service.payloads.clear()
    arguments = ("device", "fleet", "sim1", "--server", service.url, "--timeout", "60")
    done = cli(*arguments, "--count", "2")
    assert done.status == 1
    assert done.stdout == "updated: 0 of 2\nUPD4_FAIL_300: 2\n"


def test_fleet_keeps_its_devices_on_request(cli: Cli, service: Service) -> None:
    arguments = ("device", "fleet", "sim1", "--server", service.url, "--timeout", "60")
    cli.good(*arguments, "--count", "2", "--keep", "fleet")
    shown = cli.json("device", "show", "fleet/00002")
    assert shown["version"] == "1.1.0"
    assert sorted(service.registered) == ["sim1-00001", "sim1-00002"]
    assert service.left == []


@pytest.mark.parametrize("count", ["0", "-1", "10001", "many"])
def test_fleet_of_an_odd_size(count: str, look: Cli) -> None:
    run = ("device", "fleet", "sim1", "--server", "http://127.0.0.1:9", "--count", count)
    assert look(*run).status == 2


def test_fleet_that_nobody_offered_an_update(look: Cli) -> None:
    run = ("device", "fleet", "sim1", "--server", "http://127.0.0.1:9", "--count", "2")
    done = look(*run, "--timeout", "0.1")
    assert done.status == 7
    assert "2 devices: no update came in time" in done.stderr
