"""Untrusted text, parsed within limits."""
