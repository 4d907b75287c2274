"""The key of a project in use: is it sound, and what happens when it is replaced."""
