"""Commands for setup and repair."""
