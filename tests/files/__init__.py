"""Tests of the ground floor: reading with limits, writing whole files."""
