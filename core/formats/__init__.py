"""Bytes in, value out; value in, bytes out. No files, clocks, networks or keys in this room."""
