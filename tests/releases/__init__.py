"""The release store: what it keeps, who may write at once, what it survives."""
