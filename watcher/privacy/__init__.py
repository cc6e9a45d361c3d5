"""Masking, redaction, encryption, and private files."""
