"""The extra script, ready to be listed by its path.

::

    extra_scripts =
        pre:${sysenv.FOTABUILD_PLATFORMIO}/fotabuild_script.py
        post:${sysenv.FOTABUILD_PLATFORMIO}/fotabuild_script.py

``fotabuild --platformio-dir`` prints the folder.
"""

import sys

from SCons.Script import DefaultEnvironment

env = DefaultEnvironment()
try:
    from fotabuild.platformio import attach
except ImportError as error:
    sys.stderr.write(
        f"Error: fotabuild is not installed in the Python that runs PlatformIO ({error}); "
        f'type: "{env.subst("$PYTHONEXE")}" -m pip install fotabuild\n'
    )
    env.Exit(1)
attach(env)
