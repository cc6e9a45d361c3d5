"""Backups, and restoring from one."""
