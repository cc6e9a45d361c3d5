"""The context of every part of the program: store, settings, and clock."""
