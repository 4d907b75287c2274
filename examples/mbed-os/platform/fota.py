"""Hooks fotabuild in; ``platformio.ini`` lists this script for both phases of the build."""

from SCons.Script import DefaultEnvironment

from fotabuild.platformio import attach

attach(DefaultEnvironment())
