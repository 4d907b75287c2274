"""The compiled parts of the wheel: the CMake package, the C patch decoder, the encoder's kernel.

Everything else stands in ``pyproject.toml``. A machine without a compiler or without CMake still
installs: pure Python then does the work.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cmake_build_extension import BuildExtension, CMakeExtension
from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel

ROOT = Path(__file__).parent
CMAKE_PACKAGE = "share/cmake/FotaBuild"


class OptionalBuildExtension(BuildExtension):
    """Builds what can be built, and says what cannot."""

    def run(self) -> None:
        """Build all parts, if there is CMake."""
        try:
            super().run()
        except RuntimeError as error:  # CMake or Ninja are missing.
            self._warn(str(error))

    def build_extension(self, ext: CMakeExtension) -> None:
        """Build one part; a failure leaves it out."""
        try:
            super().build_extension(ext)
        except Exception as error:
            self._warn(f"{ext.name}: {error}")

    @staticmethod
    def _warn(problem: str) -> None:
        sys.stderr.write(f"fotabuild: an optional part was not built: {problem}\n")


class Wheel(bdist_wheel):
    """The C parts are loaded through ctypes: the wheel fits every Python of its platform."""

    def get_tag(self) -> tuple[str, str, str]:
        """Keep the platform only."""
        return "py3", "none", super().get_tag()[2]

    def run_command(self, command: str) -> None:
        """Put the CMake package below the prefix, too, where find_package looks by itself."""
        if command == "install":
            built = Path(self.get_finalized_command("build").build_lib, "fotabuild", CMAKE_PACKAGE)
            files = sorted(str(file) for file in built.glob("*.cmake"))
            self.distribution.data_files = [(CMAKE_PACKAGE, files)]
        super().run_command(command)


setup(
    ext_modules=[
        CMakeExtension(
            name="fotabuild.cmake_package",
            install_prefix=CMAKE_PACKAGE,
            source_dir=str(ROOT / "plugins" / "cmake"),
        ),
        CMakeExtension(
            name="fotabuild.delta.native_decoder_library",
            install_prefix=".",
            source_dir=str(ROOT / "core" / "delta" / "native"),
        ),
        CMakeExtension(
            name="fotabuild.delta.kernel_library",
            install_prefix=".",
            source_dir=str(ROOT / "core" / "delta" / "kernel"),
        ),
    ],
    cmdclass={"build_ext": OptionalBuildExtension, "bdist_wheel": Wheel},
)
