"""Pictures of the page for the README, made from the demo's story by `make screenshots`."""
