"""Tests of the example firmware in an emulator."""
