"""Documents and files for other programs."""
