"""What `watcher init` asks about an account with a recipe, after the recipe itself: only what that recipe uses."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from watcher.messages import _, mark, shown
from watcher.portal import Question
from watcher.recipe.model import Recipe
from watcher.recipe.parameters import Parameter
from watcher.recipe.parse.check import RecipeFaults, load_recipe
from watcher.recipe.parse.shipped import FOLDER, find_recipe

_ADDRESS = (
    Question(key="base_url", text=mark("Address of the website (empty: the one in the recipe)")),
    Question(
        key="ca_file",
        text=mark("CA certificate file, if that address uses a private certificate authority (empty: none)"),
        is_path=True,
        only_if=("base_url", "*"),
    ),
)
_CODE = Question(key="totp_secret", text=mark("Secret key of the authenticator app (empty: none)"), secret=True)


def further_questions(keys: Mapping[str, Any]) -> Iterator[Question]:
    """Yield what to ask after the account has these keys. Answers on the way count: `keys` may grow meanwhile."""
    file = find_recipe(Path(str(keys.get("recipe", ""))))
    try:
        recipe = load_recipe(file)
    except RecipeFaults:
        return  # the faults of the account name it
    if file.parent != FOLDER:
        yield from _ADDRESS
    yield from _sign_in(recipe)
    yield _cases(recipe)
    for parameter in recipe.parameters.values():
        if parameter.per_case:
            yield from (_of_parameter(parameter, number) for number in keys.get("cases") or ())
        else:
            yield _of_parameter(parameter)


def _sign_in(recipe: Recipe) -> Iterator[Question]:
    names = recipe.placeholders
    if "username" in names:
        about = recipe.about.username
        text = _("User name ({what})", what=shown(about)) if about else mark("User name")
        yield Question(key="username", text=text, required=True)
    if "password" in names:
        yield Question(key="password", text=mark("Password"), secret=True, required=True)
    if names & {"totp", "code"}:
        yield _CODE


def _cases(recipe: Recipe) -> Question:
    if not recipe.needs_numbers:
        text = mark("Case numbers to watch (empty: all that the website lists)")
        return Question(key="cases", text=text, multiple=True)
    about = recipe.about.number
    text = _("Case numbers to watch ({what})", what=shown(about)) if about else mark("Case numbers to watch")
    return Question(key="cases", text=text, multiple=True, required=True)


def _of_parameter(parameter: Parameter, number: str = "") -> Question:
    """Return the question for a parameter, or for that of one case."""
    before = f"{number}: " if number else ""
    return Question(
        key=parameter.name,
        within=("case_parameters", number) if number else ("parameters",),
        text={language: f"{before}{text}" for language, text in parameter.ask.items()},
        secret=parameter.secret,
        required=parameter.default is None,
        default=parameter.default or "",
    )
