"""Tests of the explanation of patches."""
