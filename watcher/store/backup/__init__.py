"""Backups, and the restore from one."""
