"""`watcher recipe new`, `try` and `check`."""
