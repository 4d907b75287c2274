"""Whole folders of artifacts."""
