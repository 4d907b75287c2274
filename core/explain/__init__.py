"""Which parts of an image the bytes of a patch are for, as values, text and a page."""
