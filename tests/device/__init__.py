"""Tests of the acceptance check: each of its checks fails alone, with the device's status."""
