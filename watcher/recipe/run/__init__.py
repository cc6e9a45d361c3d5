"""A recipe at work on a portal."""
