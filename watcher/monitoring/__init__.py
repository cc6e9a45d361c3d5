"""Logs, metrics, `/healthz`, and heartbeats."""
