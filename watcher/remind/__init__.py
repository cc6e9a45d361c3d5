"""Changes that only time causes."""
