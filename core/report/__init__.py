"""A finished folder of artifacts as a whole: is all of it right, and what is in it."""
