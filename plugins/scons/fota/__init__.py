"""The tool under its name on a SCons tool path.

It is not called ``fotabuild`` there: SCons enters a tool into ``sys.modules`` under its bare name,
which would hide the library. This folder may be copied to ``site_scons/site_tools/``.
"""

from fotabuild.scons import exists, generate

__all__ = ["exists", "generate"]
