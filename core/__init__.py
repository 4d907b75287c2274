"""fotabuild: firmware builds that come out updatable.

The core library behind the ``fotabuild`` command and the SCons, CMake and PlatformIO plugins. Its
rooms are described in ``docs/architecture.md``; everything a plugin needs is reached through
``fotabuild.config``, ``fotabuild.plan``, ``fotabuild.steps`` and ``fotabuild.errors``.
"""

__version__ = "0.1.0"
