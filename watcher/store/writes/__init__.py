"""All writes to the database."""
