"""Clusters that hang, that lie, that fail for one pair, and that need TLS."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fotabuild.cache.content_cache import ContentCache
from fotabuild.errors import ClusterError
from fotabuild.matrix.run import Workforce, run_matrix
from fotabuild.steps import delta

from ..command import run_fotabuild
from . import images
from .cluster import Cluster
from .conftest import MakeSteps

PATIENCE = 3


def paths(tmp_path: Path, count: int, **more: int) -> list[str]:
    found = images.versions(count, **more)
    return [str(path) for path in images.write(tmp_path / "images", found)]


def wait_for_workers(
    cluster: Cluster, folder: Path, environ: Mapping[str, str] | None = None
) -> None:
    """Have a patch made, with more patience than the test has."""
    old, new = images.write(folder / "first", images.versions(2))
    done = run_fotabuild(
        *("matrix", "--old", old, "--new", new, "-o", "first", "--scheduler", cluster.address),
        cwd=folder,
        env={**(environ or {}), "FOTABUILD_CACHE_DIR": "off"},
    )
    assert done.status == 0, done.stderr


def test_a_scheduler_that_hangs(tmp_path: Path) -> None:
    """It stops in the middle of the work, and keeps its connections."""
    *old, new = paths(tmp_path, 25, size=200_000)
    with Cluster(tmp_path, workers=1) as own:
        wait_for_workers(own, tmp_path)
        client = subprocess.Popen(
            [
                *(sys.executable, "-m", "fotabuild", "matrix", "--old", *old, "--new", new),
                *("-o", "out", "--scheduler", own.address, "--patience", str(PATIENCE)),
            ],
            cwd=tmp_path,
            env={**os.environ, "FOTABUILD_CACHE_DIR": str(tmp_path / "cache")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert client.stderr is not None
        assert client.stderr.readline().startswith("made")
        own.scheduler.send_signal(signal.SIGSTOP)
        start = time.monotonic()
        try:
            _, errors = client.communicate(timeout=60)
        finally:
            client.kill()
        seconds = time.monotonic() - start
    assert client.returncode == 1
    assert errors.splitlines()[-1].endswith("[FB1011]")
    assert "Traceback" not in errors
    assert seconds < 8 * PATIENCE


SLOW = """
import os, time
from fotabuild.delta.encoder import make_patch as made
from fotabuild.matrix import cluster_task

def make_patch(*arguments, **more):
    if os.path.exists(os.environ["SLOW"]):
        time.sleep(3 * float(os.environ["PATIENCE"]))
    return made(*arguments, **more)

cluster_task.make_patch = make_patch
"""


def test_patience_is_with_clusters_not_with_patches(tmp_path: Path, make_steps: MakeSteps) -> None:
    """A patch may take as long as it takes, while its worker is well."""
    preload, slow = tmp_path / "preload.py", tmp_path / "slow"
    preload.write_text(SLOW)
    # The shortest time to live of workers that the scheduler accepts is five seconds.
    environ = {
        "SLOW": str(slow),
        "PATIENCE": str(PATIENCE),
        "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "5s",
    }
    step, *others = make_steps(3)
    with Cluster(tmp_path, workers=1, environ=environ, preload=preload) as own:
        start = Workforce(1, scheduler=own.address, patience=60)
        assert run_matrix([step], None, start).computed == 1  # There is a worker now.
        slow.touch()
        hurried = Workforce(1, scheduler=own.address, patience=PATIENCE)
        assert run_matrix([step], None, hurried).computed == 1
        # One that hangs is given up by the scheduler, and then the cluster by the client.
        own.workers[0].send_signal(signal.SIGSTOP)
        with pytest.raises(ClusterError, match="no worker made a patch for 3 seconds"):
            run_matrix(others, None, hurried)


AGAIN_AND_AGAIN = """
import sys, threading
from fotabuild.errors import ClusterError
from fotabuild.matrix.cluster_connection import connected

for _ in range(300):
    try:
        with connected("tls://127.0.0.1:9", 1):
            sys.exit("there is a scheduler")
    except ClusterError:
        continue
left = [one.name for one in threading.enumerate() if one.name == "IO loop"]
sys.exit(f"{len(left)} threads are left" if left else 0)
"""


def test_a_client_that_does_not_connect_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither threads, nor a finalizer that waits for its own thread when garbage is collected."""
    done = subprocess.run(
        [sys.executable, "-c", AGAIN_AND_AGAIN],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


WICKED = """
import os, sys
import distributed
from fotabuild.matrix import cluster_task

class Evil:
    def __reduce__(self):
        return os.mkdir, (os.environ["EVIL"],)

def evil(*arguments):
    return Evil()

cluster_task.make = evil
if os.environ["HOW"] == "pickle":
    families = sys.modules["distributed.protocol.serialize"].families
    for name in ("msgpack", "dask"):
        families[name] = (families["pickle"][0], *families[name][1:])
"""


@pytest.mark.parametrize("how", ["msgpack", "pickle"])
def test_what_workers_return_is_never_run(tmp_path: Path, how: str) -> None:
    """Workers answer with an object that makes a folder where it is unpickled."""
    *old, new = paths(tmp_path, 2)
    preload, trace = tmp_path / "wicked.py", tmp_path / "trace"
    preload.write_text(WICKED)
    environ = {"EVIL": str(trace), "HOW": how}
    with Cluster(tmp_path, workers=1, environ=environ, preload=preload) as own:
        done = run_fotabuild(
            *("matrix", "--old", *old, "--new", new, "-o", "out", "--scheduler", own.address),
            cwd=tmp_path,
            env={"FOTABUILD_CACHE_DIR": "off"},
        )
    assert not trace.exists()
    assert done.status == 1
    assert "3 times on the cluster" in done.stderr
    assert "Traceback" not in done.stderr


FAILING = """
import os, time
from fotabuild.delta.encoder import make_patch as made
from fotabuild.matrix import cluster_task

def make_patch(old, *arguments, **more):
    if old.endswith(bytes(4)):
        if os.environ["HOW"] == "die":
            time.sleep(0.5)
            os._exit(1)
        raise RuntimeError("this pair is too much for me")
    time.sleep(1)
    return made(old, *arguments, **more)

cluster_task.make_patch = make_patch
"""


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("raise", "it failed 3 times on the cluster, at last: .*too much for me"),
        ("die", "it failed alone on the cluster, at last: .*KilledWorker.*, the last at tcp://1"),
    ],
    ids=["raise", "die"],
)
def test_one_pair_that_no_worker_can_make(tmp_path: Path, how: str, why: str) -> None:
    """It is one failed row, as in processes of this machine; the others run beside it at first."""
    *old, new = paths(tmp_path, 4)
    preload = tmp_path / "failing.py"
    preload.write_text(FAILING)
    environ = {"HOW": how, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with (
        Cluster(tmp_path, workers=1, threads=3, environ=environ, preload=preload) as own,
        tending(own),
    ):
        done = run_fotabuild(
            *("matrix", "--old", *old, "--new", new, "-o", "out", "--scheduler", own.address),
            cwd=tmp_path,
            env={"FOTABUILD_CACHE_DIR": "off"},
        )
    assert done.status == 1
    assert "1 of 3 deltas failed" in done.stderr, done.stderr
    assert re.search(f"^failed +fw-0-to-fw-3.patch: {why}", done.stderr, re.MULTILINE)
    assert sorted(path.name for path in (tmp_path / "out").glob("*.patch")) == [
        "fw-1-to-fw-3.patch",
        "fw-2-to-fw-3.patch",
    ]


@contextlib.contextmanager
def tending(cluster: Cluster) -> Iterator[None]:
    """Start workers again that end."""
    done = threading.Event()

    def tend() -> None:
        while not done.wait(0.1):
            cluster.tend()

    thread = threading.Thread(target=tend)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_results_do_not_need_the_cache(
    tmp_path: Path, make_steps: MakeSteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the cluster made is written here, and the engine does not run here."""

    def refuse(*_arguments: object, **_more: object) -> None:
        raise AssertionError("the engine ran in the client")

    monkeypatch.setattr(delta, "make_patch", refuse)
    (tmp_path / "file").write_bytes(b"")
    steps = make_steps(3)
    with Cluster(tmp_path, workers=1) as own:
        for cache in (None, ContentCache(tmp_path / "file" / "x"), ContentCache(tmp_path, 32)):
            result = run_matrix(steps, cache, Workforce(1, scheduler=own.address, patience=60))
            assert [row.outcome.value for row in result.rows] == ["made"] * 3
            assert result.computed == 3


def test_tls(tmp_path: Path) -> None:
    settings = certificates(tmp_path)
    *old, new = paths(tmp_path, 3)
    call = ("matrix", "--old", *old, "--new", new, "-o", "out", "--patience", "5")
    with Cluster(tmp_path, workers=1, scheme="tls", environ=settings) as own:
        far = ("--scheduler", own.address)
        off = {"FOTABUILD_CACHE_DIR": "off"}
        wait_for_workers(own, tmp_path, settings)
        done = run_fotabuild(*call, *far, cwd=tmp_path, env={**settings, **off})
        assert done.status == 0, done.stderr
        without = run_fotabuild(*call, *far, cwd=tmp_path, env=off)
        other = tmp_path / "other"
        other.mkdir()
        foreign = run_fotabuild(*call, *far, cwd=tmp_path, env={**certificates(other), **off})
    assert len(list((tmp_path / "out").glob("*.patch"))) == 2
    for refused in (without, foreign):
        assert (refused.status, "[FB1011]" in refused.stderr) == (1, True)
        assert "Traceback" not in refused.stderr
    assert "distributed.comm.tls" in without.stderr


def certificates(folder: Path) -> dict[str, str]:
    """Write a certificate that vouches for itself, with its key; return Dask's settings."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster")])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    own, secret = folder / "certificate.pem", folder / "key.pem"
    own.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.touch(0o600)
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    place = "DASK_DISTRIBUTED__COMM__TLS__"
    settings = {f"{place}CA_FILE": str(own), "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True"}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        settings[f"{place}{role}__CERT"] = str(own)
        settings[f"{place}{role}__KEY"] = str(secret)
    return settings
