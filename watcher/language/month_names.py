"""The names of months in the languages of portals, from `month_names.toml`. Pure."""

import tomllib
import unicodedata
from functools import cache
from importlib import resources


def month_number(name: str) -> int | None:
    """Return the number of the month with this name, in any case, with or without accents and a final dot."""
    return _numbers().get(_folded(name.removesuffix(".")))


@cache
def month_names() -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return the names of the twelve months for each language code."""
    content = resources.files("watcher.language").joinpath("month_names.toml").read_text("utf-8")
    return {
        language: tuple(tuple(names.split()) for names in months) for language, months in tomllib.loads(content).items()
    }


@cache
def _numbers() -> dict[str, int]:
    return {
        _folded(name): number
        for months in month_names().values()
        for number, names in enumerate(months, start=1)
        for name in names
    }


def _folded(name: str) -> str:
    """Return a name without case and accents; the capital of the Turkish dotless i is that of the other i."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().replace("\N{LATIN SMALL LETTER DOTLESS I}", "i"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))
