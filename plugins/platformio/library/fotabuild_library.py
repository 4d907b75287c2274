"""The script of the library form: PlatformIO runs it before the program is declared."""

import sys

from SCons.Script import DefaultEnvironment

# The environment that is exported to this script is the library's; the program has another.
env = DefaultEnvironment()
try:
    from fotabuild.platformio import attach_as_library
except ImportError as error:
    sys.stderr.write(
        f"Error: fotabuild is not installed in the Python that runs PlatformIO ({error}); "
        f'type: "{env.subst("$PYTHONEXE")}" -m pip install fotabuild\n'
    )
    env.Exit(1)
attach_as_library(env)
