"""The practice portal on the wire."""
