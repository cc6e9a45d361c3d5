"""What the portals say, as data: one TOML file for each vocabulary, read by `watcher.stages`."""
