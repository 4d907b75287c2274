"""From two images to a patch stream, and back. Knows no manifests and no files."""
