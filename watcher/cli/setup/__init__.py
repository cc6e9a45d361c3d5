"""Commands that set up and repair."""
