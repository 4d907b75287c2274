"""``fotabuild completion``: scripts for shells."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from .calls import CALLS
from .conftest import Cli

SHELLS = ("bash", "zsh", "tcsh")
# Programs that check a script without running it, where this machine has them.
CHECKERS = [shell for shell in ("bash", "zsh") if shutil.which(shell)]


@pytest.mark.parametrize("shell", SHELLS)
def test_script_knows_every_command(shell: str, look: Cli) -> None:
    script = look.good("completion", shell).stdout
    assert all(path[0] in script for path in CALLS)
    assert look.json("completion", shell)["script"].strip() == script.strip()


@pytest.mark.parametrize("shell", ["python", *CHECKERS])
def test_script_is_well_formed(shell: str, cli: Cli) -> None:
    """The shell's own syntax check; in any case brackets that match."""
    if shell == "python":
        script = cli.good("completion", "bash").stdout
        assert script.count("{") == script.count("}")
        assert re.search(r"^complete .* fotabuild$", script, re.MULTILINE)
        return
    (cli.folder / "script").write_text(cli.good("completion", shell).stdout, encoding="utf-8")
    done = subprocess.run(
        [shell, "-n", "script"], cwd=cli.folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["fish", "", "BASH"])
def test_other_shells_are_wrong_usage(shell: str, look: Cli) -> None:
    done = look("completion", shell)
    assert (done.status, done.stdout) == (2, "")
