"""How others learn that the program works."""
