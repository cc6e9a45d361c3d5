"""Names of persons as they are compared. Pure."""

from unicodedata import normalize


def normalized_name(name: str) -> str:
    """Return a name as it is compared: spacing, upper or lower case, and Unicode form do not matter."""
    return " ".join(normalize("NFKC", normalize("NFKC", name).casefold()).split())
