"""The data classes of the program."""
