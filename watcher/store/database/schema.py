"""Which schema this release works on."""

HEAD = "0001"
"""The newest migration; a test compares it with the migrations and with the tables."""
