"""case-watcher: watches immigration cases on government portals and tells people when something changes."""

__version__ = "0.1.0"
