"""Tests of ``fotabuild.yaml`` and of the other sources of settings."""
