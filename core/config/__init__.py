"""Typed models of ``fotabuild.yaml``: names, defaults, and where each value came from."""
