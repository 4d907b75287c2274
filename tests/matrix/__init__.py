"""Many deltas at once, here and on a cluster."""
