"""Finished patches, kept so that no work is done twice."""
