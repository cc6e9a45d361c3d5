"""A portal's words as stages and plain language; the program's own sentences."""
