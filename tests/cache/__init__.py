"""The cache of patches and indexes."""
