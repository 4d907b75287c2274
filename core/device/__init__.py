"""The device's side: what a real client checks before it installs, applied to our output."""
