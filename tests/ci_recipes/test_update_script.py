"""``ci/update.sh`` in cases that the three systems have in common."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ..formats.golden import KEY
from .pipeline import RECIPES, Give, Job, Run, Runner, Take
from .scene import add_release, link, start_store, write_product

SCRIPT = RECIPES / "update.sh"


class Machines:
    """Three clean machines for three jobs, with nothing but the script."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.runner = Runner(folder / "repository", folder / "machines")
        self.env = {"VERSION": "1.1.0", "IMAGE": "app.bin", **env}

    def all_jobs(self) -> set[str]:
        """Run the jobs; return the names of what is published."""
        sh = (f"sh {SCRIPT} ", ("sh", "-e"))
        give = Give("1", ("update", "signing"))
        prepare = Job("prepare", (Run(f"{sh[0]}prepare", {}, sh[1]), give), machine="build")
        sign = Job(
            "sign", (Take("1", "handed"), Run(f"{sh[0]}sign", {}, sh[1]), Give("2", ("update",)))
        )
        publish = Job("publish", (Take("2", "handed"), Run(f"{sh[0]}publish", {}, sh[1])))
        self.runner.run(prepare, self.env)
        self.runner.run(sign, {**self.env, "KEY_FILE": str(KEY)})
        update = self.runner.run(publish, self.env) / "update"
        return {p.relative_to(update).as_posix() for p in update.rglob("*") if p.is_file()}


def test_a_delta_that_is_not_worth_it_leaves_the_full_image(tmp_path: Path) -> None:
    product = tmp_path / "repository"
    write_product(product, tmp_path / "store")
    add_release(product, "1.0.0")
    link(product, "1.1.0")
    config = product / "fotabuild.yaml"
    config.write_text(config.read_text() + "delta: {threshold: 1}\n")
    machines = Machines(tmp_path, UPLOAD_TO=str(tmp_path / "shelf"))
    made = machines.all_jobs()
    assert "app-1.1.0.v1.manifest" in made
    assert not [name for name in made if "-to-" in name]
    assert "the full image is sent" in machines.runner.printed
    shelf = {path.name for path in (tmp_path / "shelf").iterdir()}
    assert shelf > {"app-1.1.0.bin", "app-1.1.0.manifest", "app-1.1.0.package.tar"}
    assert not [name for name in shelf if "-to-" in name]


def test_several_products_are_released_by_one_pipeline(tmp_path: Path) -> None:
    """Each has its identity, its store and its folder of artifacts; the first has no past."""
    products = ("products/kettle", "products/toaster")
    for name in products:
        write_product(tmp_path / "repository" / name, tmp_path / "store" / name)
        link(tmp_path / "repository" / name, "1.1.0")
    start_store(tmp_path / "repository" / products[0])
    add_release(tmp_path / "repository" / products[1], "1.0.1")
    made = Machines(tmp_path, PRODUCTS=" ".join(products), NAME="fw").all_jobs()
    for name in products:
        assert {f"{name}/fw-1.1.0.{e}" for e in ("bin", "manifest", "suit")} < made
        assert f"{name}/provenance.intoto.json" in made
    deltas = {name for name in made if name.endswith(".patch")}
    assert deltas == {"products/toaster/fw-1.0.1-to-1.1.0.patch"}
    stores = [list((tmp_path / "store" / name).rglob("1.1.0.json")) for name in products]
    assert [len(found) for found in stores] == [1, 1]


def test_what_was_there_before_is_not_prepared_again(tmp_path: Path) -> None:
    product = tmp_path / "repository"
    write_product(product, tmp_path / "store")
    link(product, "1.1.0")
    start_store(product)
    machines = Machines(tmp_path)
    for name in ("update/app-1.0.0.manifest", "signing/app-1.0.0.manifest.tbs"):
        path = machines.runner.work / "jobs" / "build" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"old")
    assert "app-1.0.0.manifest" not in machines.all_jobs()
    assert not list((machines.runner.work / "handed").rglob("*1.0.0*"))


@pytest.mark.parametrize("link", ["update", "update/app-1.1.0.bin", "update/deep/app-1.1.0.bin"])
def test_only_files_and_folders_are_taken_from_the_job_before(link: str, tmp_path: Path) -> None:
    place = tmp_path / "handed" / link
    place.parent.mkdir(parents=True)
    place.symlink_to(KEY.parent if link == "update" else KEY)
    done = subprocess.run(
        ["sh", SCRIPT, "publish"],
        env={"VERSION": "1.1.0", "IMAGE": "app.bin", "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"neither files nor folders: handed/{link}\n"
    assert not (tmp_path / "update").exists()


@pytest.mark.parametrize(
    ("given", "stated"),
    [
        ("https://acme.com/fw.git", "https://acme.com/fw.git"),
        ("https://acme.com:8443/fw", "https://acme.com:8443/fw"),
        ("https://u:s3cret@acme.com/fw", "https://acme.com/fw"),
        ("https://u:s3@cret@acme.com/fw", "https://acme.com/fw"),
        ("https://s3cret@acme.com:8443/fw", "https://acme.com:8443/fw"),
        ("git@acme.com:fw/app.git", "ssh://git@acme.com/fw/app.git"),
        ("acme.com:fw/app.git", "ssh://acme.com/fw/app.git"),
        ("ssh://git@acme.com:22/fw", "ssh://git@acme.com:22/fw"),
        ("ssh://git:s3cret@acme.com/fw", "ssh://git@acme.com/fw"),
        ("/srv/git/fw.git", "/srv/git/fw.git"),
        ("", ""),
    ],
)
def test_addresses_of_sources_hold_no_password(given: str, stated: str) -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    function = text[text.index("public_url() {") : text.index("case ${1:-} in")]
    done = subprocess.run(
        ["sh", "-euc", f'{function}public_url "$1"', "sh", given],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.rstrip("\n") == stated


@pytest.mark.parametrize("job", ["", "check", "public_url"])
def test_unknown_jobs_are_refused(job: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", SCRIPT, job],
        env={"VERSION": "1.1.0", "IMAGE": "app.bin", "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_it_says_what_it_needs(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", SCRIPT, "prepare"],
        env={"PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode != 0
    assert "VERSION" in done.stderr
