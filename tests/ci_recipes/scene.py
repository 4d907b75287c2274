"""A repository with the recipes, a release store that is elsewhere, and three CI systems."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from ..command import run_fotabuild
from ..conftest import VECTORS
from ..formats.golden import KEY
from . import github, gitlab, jenkins
from .pipeline import RECIPES, Job, Runner

PASSPHRASE = "correct-horse-battery-staple"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIT = "/usr/bin/git"
SYSTEMS = ("github", "gitlab", "jenkins")
_CONFIG = """\
vendor:
  domain: acme.com
device:
  model-name: Thermometer 2
  features: [delta, combined]
credentials:
  certificate: keys/update.cert.der
payload:
  url: http://fw.acme.com/{{file}}
formats: [v3, v1, suit]
package:
  images:
  - {{sub-comp-name: app, vendor-data: a}}
  - {{sub-comp-name: table, vendor-data: b, file-name: table.bin}}
releases:
  store: {store}
"""
_PARTS = "parts:\n- {name: mbed-os, version: 6.17.0}\n"


def write_product(folder: Path, store: Path) -> None:
    """Write a product that was not built yet and has no key; its store is at a URL."""
    (folder / "keys").mkdir(parents=True)
    shutil.copyfile(
        VECTORS / "keys" / "TEST-ONLY-update.cert.der", folder / "keys" / "update.cert.der"
    )
    shutil.copyfile(VECTORS / "firmware" / "sub2.bin", folder / "table.bin")
    (folder / "fotabuild.yaml").write_text(_CONFIG.format(store=store.as_uri()))
    (folder / "parts.yaml").write_text(_PARTS)


def start_store(product: Path) -> None:
    """Start the store of a product that was never shipped."""
    (product / "none.csv").write_text("version,image\n")
    done = run_fotabuild("release", "import", "none.csv", cwd=product)
    assert done.status == 0, done.stderr


def link(product: Path, version: str) -> None:
    """Put the image of a version where a build would."""
    shutil.copyfile(VECTORS / "firmware" / f"fw-{version}.bin", product / "app.bin")


def add_release(product: Path, version: str) -> None:
    """Add a release that was shipped before there was a pipeline."""
    image = VECTORS / "firmware" / f"fw-{version}.bin"
    done = run_fotabuild("release", "add", image, "-v", version, cwd=product)
    assert done.status == 0, done.stderr


def locked_key() -> str:
    """Return the key of the project as an encrypted PEM."""
    key = load_pem_private_key(KEY.read_bytes(), None)
    encryption = BestAvailableEncryption(PASSPHRASE.encode())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


@dataclass(frozen=True)
class Scene:
    """A repository at work on one CI system.

    Attributes:
        system: its name.
        runner: its machines.
        secrets: the values of everything that is secret.
        store: the release store.
        url: the address of the sources.
        given: variables that somebody set for all jobs.
    """

    system: str
    runner: Runner
    secrets: Mapping[str, str]
    store: Path
    url: str = "git@git.acme.com:fw/thermometer.git"
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def repository(self) -> Path:
        """The repository."""
        return self.runner.project

    def jobs(self, tag: str) -> list[Job]:
        """Return the jobs that a tag starts."""
        if self.system == "github":
            return github.read_jobs(tag, COMMIT, self.secrets, self.given)
        if self.system == "gitlab":
            return gitlab.read_jobs(tag, self.given)
        return jenkins.read_jobs(self.secrets, self.given)

    def run(self, job: Job, tag: str) -> Path:
        """Run a job of a tag; return its workspace."""
        if self.system == "github":
            variables = github.variables(tag, job)
        elif self.system == "gitlab":
            variables = gitlab.variables(tag, COMMIT, job, self.secrets) | dict(self.given)
            self._commit()
        else:
            variables = jenkins.variables(tag, COMMIT, self.url) | dict(self.given)
        return self.runner.run(job, variables)

    def _commit(self) -> None:
        """Let jobs get the repository at ``COMMIT`` from their server, with the real git."""
        name = ("-c", "user.name=fw", "-c", "user.email=fw@acme.com", "-c", "gc.auto=0")
        for words in (
            ("-c", "init.defaultBranch=main", "init", "--quiet"),
            ("add", "--all"),
            (*name, "commit", "--quiet", "--allow-empty", "--message=fw"),
        ):
            subprocess.run([GIT, *words], cwd=self.repository, check=True)
        self.runner.program(
            "git",
            "for word do\n"
            "shift\n"
            'case "$word" in\n'
            f"{COMMIT}) word=main ;;\n"
            f"https://gitlab.acme.com/fw/thermometer.git) word='{self.repository.as_uri()}' ;;\n"
            "esac\n"
            'set -- "$@" "$word"\n'
            "done\n"
            f'exec {GIT} "$@"',
        )

    def release(self, version: str) -> dict[str, bytes]:
        """Build a version, run all jobs of its tag; return what they publish."""
        link(self.repository, version)
        workspace = self.repository
        for job in self.jobs(f"v{version}"):
            workspace = self.run(job, f"v{version}")
        return {path.name: path.read_bytes() for path in (workspace / "update").iterdir()}


def make_scene(
    system: str,
    folder: Path,
    given: Mapping[str, str] | None = None,
    access_key: str = "canary-key",
) -> Scene:
    """Return a repository whose store has the release 1.0.0.

    Args:
        system: the CI system.
        folder: for everything.
        given: variables for all jobs.
        access_key: of the service that they deploy to.
    """
    repository, store = folder / "repository", folder / "store"
    write_product(repository, store)
    (repository / "ci").mkdir()
    shutil.copyfile(RECIPES / "update.sh", repository / "ci" / "update.sh")
    (repository / "ci" / "requirements.txt").write_text("fotabuild\n")
    add_release(repository, "1.0.0")
    key = folder / "safe" / "key.pem"
    key.parent.mkdir()
    key.write_text(locked_key())
    key.chmod(0o600)
    access = folder / "safe" / "access-key"
    access.write_text(access_key)
    secrets = {
        "SERVICE_ACCESS_KEY": access_key,
        "ACCESS_KEY_FILE": str(access),
        "UPDATE_KEY": locked_key().rstrip("\n"),
        "UPDATE_KEY_PASSPHRASE": PASSPHRASE,
        "KEY_FILE": str(key),
        "JOB_TOKEN": "canary-job-token",
        **{f"STORE_{who}_{what}": f"canary-{who}-{what}" for who in ("READER", "WRITER")
           for what in ("ID", "SECRET")},
    }  # fmt: skip
    return Scene(system, Runner(repository, folder / "machines"), secrets, store, given=given or {})
