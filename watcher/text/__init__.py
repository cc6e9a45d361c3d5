"""Text from strangers, read within limits."""
