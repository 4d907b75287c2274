from __future__ import annotations

import pytest

from .patch_library import PatchLibrary


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> PatchLibrary:
    return PatchLibrary(tmp_path_factory.mktemp("decoder"))
