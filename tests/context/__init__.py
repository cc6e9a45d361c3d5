"""Tests of `watcher.context`."""
