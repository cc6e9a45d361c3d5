"""One check of one account: read, compare, record."""
