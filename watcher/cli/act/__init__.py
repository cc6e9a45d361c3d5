"""Commands that act."""
