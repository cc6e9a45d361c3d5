"""An answer, and locations on it."""
