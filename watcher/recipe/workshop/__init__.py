"""The commands `watcher recipe new`, `try`, and `check`."""
