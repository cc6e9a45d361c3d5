"""The recipes that come with the program, which an account may choose by name: `recipe = "it-questura"`."""

from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "shipped"
"""The folder of the shipped recipes, each `NAME.toml` with its recorded answers in `NAME.answers/`."""


@cache
def shipped_names() -> tuple[str, ...]:
    """Return the names of the shipped recipes, sorted."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))


def find_recipe(path: Path) -> Path:
    """Return the file of a recipe: `path` itself, or a shipped recipe if `path` is the name of one and no file."""
    if path.suffix or path.name not in shipped_names() or path.exists():
        return path
    return FOLDER / f"{path.name}.toml"


def recipe_name(path: Path) -> str:
    """Return how a recipe is called: its name if it is a shipped one, otherwise its path."""
    return path.stem if path.parent == FOLDER else str(path)
