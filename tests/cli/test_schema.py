"""``fotabuild schema``: the JSON schema of fotabuild.yaml."""

from __future__ import annotations

import json

from fotabuild.config.schema import project_schema
from fotabuild.config.yaml_reader import read_yaml

from ..config.json_schema import accepts
from .conftest import Cli, MakeCli
from .sample import CONFIG


def test_stdout_is_the_schema(look: Cli) -> None:
    schema = json.loads(look.good("schema").stdout)
    assert schema == json.loads(json.dumps(project_schema()))
    assert accepts(schema, read_yaml(CONFIG.encode()).values)


def test_json_wraps_it(look: Cli) -> None:
    assert look.json("schema")["schema"] == json.loads(look.good("schema").stdout)


def test_needs_no_project(cli_in: MakeCli, cli: Cli) -> None:
    (cli.folder / "fotabuild.yaml").write_text("broken: [", encoding="utf-8")
    cli.good("schema")
