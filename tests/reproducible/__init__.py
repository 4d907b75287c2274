"""The same inputs give the same bytes, for everyone, everywhere, at any time."""
