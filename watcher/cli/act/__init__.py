"""Commands that change something or run."""
