"""Between SCons nodes and the core's paths."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fotabuild.config.loader import LoadedConfig, load_config


def path_of(node: Any) -> Path:
    """Return the absolute path at which the file of a node is read or written.

    Sources of a variant folder that is not duplicated are read where they lie.
    """
    if not node.has_builder():
        source = node.srcnode()
        if source is not node and source.exists():
            return Path(source.rfile().get_abspath())
        return Path(node.rfile().get_abspath())
    return Path(node.get_abspath())


def file_nodes(env: Any, paths: Iterable[Path]) -> list[Any]:
    """Return the nodes of absolute paths."""
    # Dollar signs in a path are not construction variables.
    return [env.fs.File(str(path)) for path in paths]


def config_node(env: Any) -> Any:
    """Return the node of the configuration that ``FOTACONFIG`` names.

    Relative names start at the folder of the SConscript that is being read, so this is for reading
    time; builders keep the node in ``FOTACONFIG`` for later.
    """
    # Unlike env.File this expands once: a dollar sign in a name stays one.
    return env.arg2nodes(env["FOTACONFIG"], env.fs.File)[0]


def read_config(env: Any, node: Any) -> LoadedConfig:
    """Load the configuration behind ``node`` with the environment's ``FOTASETTINGS`` over it.

    Raises:
        FotabuildError: it cannot be read, or holds something unusable.
    """
    return load_config(path_of(node), build_system=dict(env["FOTASETTINGS"]))
