"""The recipes for CI systems are run here."""
