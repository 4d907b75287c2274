"""The cache of patches."""
