"""A recipe file, parsed and checked."""
