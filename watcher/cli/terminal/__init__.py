"""Standard streams, output, and prompts."""
