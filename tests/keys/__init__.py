"""The key of a project in use."""
