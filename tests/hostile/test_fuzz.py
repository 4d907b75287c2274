"""Fuzzing of every parser: damaged files give our errors, soon and in little memory.

The normal run is short and always the same. For a long one with fresh damage:
``FOTABUILD_FUZZ_EXAMPLES=100000 pytest tests/hostile/test_fuzz.py``.
"""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fotabuild.errors import FotabuildError

from .mutations import damaged
from .parsers import PARSERS, Parser

# The command line silences this one; the certificate is read all the same.
pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")
_EXAMPLES = os.environ.get("FOTABUILD_FUZZ_EXAMPLES")
_SECONDS = 5.0
_MEMORY = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file name for parsers that open their input."""
    return tmp_path_factory.mktemp("fuzz") / "input"


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_good_files_are_read(parser: Parser, place: Path) -> None:
    for seed in parser.seeds:
        parser.read(seed, place)


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
@settings(
    max_examples=int(_EXAMPLES or 100),
    derandomize=_EXAMPLES is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_damaged_files_give_our_errors(parser: Parser, place: Path, data: st.DataObject) -> None:
    blob = data.draw(damaged(parser.seeds, parser.tokens))
    if data.draw(st.booleans()):
        blob = parser.repair(blob)
    tracemalloc.start()
    start = time.process_time()
    problem = _problem(parser, blob, place)
    seconds = time.process_time() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert problem.isprintable()
    assert seconds < _SECONDS
    assert peak < _MEMORY


def _problem(parser: Parser, blob: bytes, place: Path) -> str:
    try:
        parser.read(blob, place)
    except FotabuildError as error:
        return str(error)
    return ""
