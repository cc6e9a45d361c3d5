"""The long-running program."""
