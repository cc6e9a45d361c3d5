"""The content of a request, from a recipe and the values of its placeholders. Pure."""

from collections.abc import Mapping
from typing import Final

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.recipe.model import Recipe, Request
from watcher.recipe.page.page import Element, Page
from watcher.recipe.placeholders import Values

_MAX_INPUTS: Final = 500


def check_filled(recipe: Recipe, request: Request, values: Values) -> None:
    """Raise `UnexpectedAnswer` if a placeholder of the request has no value."""
    for name in sorted(request.placeholders - values.keys()):
        raise UnexpectedAnswer(
            _(
                "{recipe}: {key_path} needs {{{name}}}, but its selector found nothing; run"
                " `watcher recipe try FILE --account NAME`",
                recipe=recipe.name,
                key_path=request.key_path,
                name=name,
            )
        )


def headers_for(recipe: Recipe, request: Request, values: Values) -> dict[str, str]:
    """Return the headers of a request. Raises `UnexpectedAnswer` if a taken value cannot be part of one."""
    headers = {"Accept": "text/html, application/json, */*;q=0.5", "Accept-Language": recipe.language}
    for name, text in request.headers.items():
        value = text.fill(values)
        if not (value.isascii() and value.isprintable()):
            raise UnexpectedAnswer(
                _(
                    "{recipe}: {key_path}.headers.{name} is not a valid header",
                    recipe=recipe.name,
                    key_path=request.key_path,
                    name=name,
                )
            )
        headers[name] = value
    return headers


def form_for(recipe: Recipe, request: Request, values: Values, previous: Page | None) -> dict[str, str] | None:
    """Return the form of a request, with the hidden inputs of a form in the answer before; None without a form.

    Raises `UnexpectedAnswer` if that answer lacks the form.
    """
    own = {name: text.fill(values) for name, text in (request.form or {}).items()}
    if request.form_from is None:
        return None if request.form is None else own
    form = request.form_from.first(previous) if previous is not None else None
    if not isinstance(form, Element):
        raise UnexpectedAnswer(
            _(
                "{recipe}: {key_path}.form_from {selector!r} finds no form in the answer before",
                recipe=recipe.name,
                key_path=request.key_path,
                selector=request.form_from.text,
            )
        )
    return {**_hidden_inputs(form), **own}


def _hidden_inputs(form: Element) -> Mapping[str, str]:
    inputs: dict[str, str] = {}
    for found in form.find("css", "input")[:_MAX_INPUTS]:
        attributes = found.found.attributes
        name, kind = attributes.get("name"), (attributes.get("type") or "").lower()
        if name and kind == "hidden" and "disabled" not in attributes:
            inputs[name] = attributes.get("value") or ""
    return inputs
