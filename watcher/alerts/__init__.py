"""Routing and text of alerts."""
