"""Finished patches and indexes of images, kept so that no work is done twice."""
