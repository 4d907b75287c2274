"""Tests of the command line, mostly in this process."""
