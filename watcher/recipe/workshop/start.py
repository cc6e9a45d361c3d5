"""The text that `watcher recipe new` begins with: the commented template, or the nearest recipe that is shipped."""

from importlib import resources
from typing import Final

from watcher.messages import mark
from watcher.recipe.parse.shipped import FOLDER

TEMPLATE: Final = "template"

STARTS: Final = {
    TEMPLATE: mark("all keys with their meaning; for websites with a sign-in form and a list of cases"),
    "be-infovisa": mark("no sign-in: a number in the address, answered with a table of labels and values"),
    "it-questura": mark("no sign-in: a number in the address, answered with RSS or XML"),
    "pt-aima-tracking": mark("no sign-in: a personal link, answered with JSON"),
    "us-flag": mark("no sign-in: all numbers in one request, answered with JSON"),
    "kr-visa-electronic": mark("no sign-in: a form that asks for a number, a name, and a date of birth"),
    "my-emgs": mark("no sign-in: a form with a token"),
    "pl-wroclaw": mark("a sign-in with JSON and a token, then lists in JSON"),
    "fr-anef": mark("a sign-in on another host (Keycloak), then JSON"),
}
"""What a new recipe may start from, with the kind of website that each is for."""

_HEADER: Final = """\
# A new recipe, started from {name}. Replace everything that is about the other website, then describe here:
#
# Reads     which pages or answers, and which part of them
# Sources   where you know that from, and when it was last tried on the live website
# Rhythm    how often the website changes, and how often it is worth asking
# Terms     what the website's terms say about programs; no captcha may be in the way

"""


def new_recipe_text(start: str = TEMPLATE) -> str:
    """Return the text of a new recipe, which is itself a valid recipe. `start` is one of `STARTS`."""
    if start == TEMPLATE:
        return resources.files(__package__).joinpath("start.toml").read_text(encoding="utf-8")
    text = (FOLDER / f"{start}.toml").read_text(encoding="utf-8")
    return _HEADER.format(name=start) + text[text.index("\nname = ") + 1 :]
