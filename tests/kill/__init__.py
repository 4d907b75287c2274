"""Builds that are killed, that fail, or that meet another build, at every file operation."""
