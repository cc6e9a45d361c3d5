"""Secrets and personal data kept in."""
