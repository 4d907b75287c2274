"""Tests of the C patch decoder, independent of the Python package."""
