"""The CMake package in real builds of a tiny program."""
