"""Case numbers as they are compared. Pure."""


def normalized_number(case_number: str) -> str:
    """Return a case number as it is compared: spaces, dashes, and upper or lower case do not matter."""
    return "".join(character for character in case_number if character.isalnum()).casefold()
