"""Sizes of patches against the real tool's: exact, so that no change makes them worse unseen."""
