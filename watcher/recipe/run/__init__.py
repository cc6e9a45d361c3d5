"""The engine that applies a recipe to a portal."""
