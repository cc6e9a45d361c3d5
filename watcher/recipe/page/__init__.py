"""One answer, and places on it."""
