"""All reads of the database."""
