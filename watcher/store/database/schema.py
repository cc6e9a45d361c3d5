"""The version of the schema that this release uses."""

HEAD = "0002"
"""The newest migration. A test compares it with the migrations and the tables."""
