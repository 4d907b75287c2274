"""The store of releases in the field: images by digest, and what is known about each release."""
