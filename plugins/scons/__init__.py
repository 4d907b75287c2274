"""The SCons tool: builders for update artifacts.

Load it in one of three ways (``docs/scons.md``)::

    import fotabuild.scons
    env = Environment(tools=["default", fotabuild.scons.generate])

    env = Environment(tools=["default", "fota"], toolpath=[PyPackageDir("fotabuild.scons")])

    env = Environment(tools=["default", "fota"])  # fota/ copied to site_scons/site_tools/

SCons itself is imported inside :func:`generate` only, so that installations without it can import
the package.
"""

from __future__ import annotations

from typing import Any


def generate(env: Any, **settings: Any) -> None:
    """Add the builders and construction variables to ``env``; may be called again.

    Args:
        env: the SCons construction environment.
        settings: construction variables to set first, such as ``FOTACONFIG="update.yaml"``.
    """
    from fotabuild.scons.tool import add_to

    env.Replace(**settings)
    add_to(env)


def exists(env: Any) -> bool:  # noqa: ARG001 - the signature is SCons's
    """Tell SCons that the tool can be used: it needs nothing but this package."""
    return True
