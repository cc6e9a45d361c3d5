"""Engine, tables, locks, and migrations."""
