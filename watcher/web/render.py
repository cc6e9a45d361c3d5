"""Templates: HTML with every value escaped, in the language of the request."""

from functools import cache, partial
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from watcher.messages import _, current_language, plural
from watcher.text.printable import clean, printable
from watcher.web import words
from watcher.web.device import theme_of
from watcher.web.messages import forget_message, shown_message

_PATH_CHARACTERS = "/:@!$&'()*+,;="
"""What stands in a path as it is. The name of an account may have others, such as `?`."""


def render(request: Request, template: str, /, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page. `values` are what the template shows."""
    environment = templates()
    text = environment.get_template(template).render(
        request=request,
        visitor=getattr(request.state, "visitor", None),
        language=current_language(),
        theme=theme_of(request),
        navigation=words.navigation(getattr(request.state, "visitor", None)),
        message=shown_message(request),
        url=partial(path_for, request),
        **values,
    )
    response = HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})
    forget_message(request, response)
    return response


def path_for(request: Request, name: str, /, **path: object) -> str:
    """Return the path of a page, with the prefix under which the page is reached. It names no host."""
    inside = quote(request.app.url_path_for(name, **path), safe=_PATH_CHARACTERS)
    return f"{request.scope.get('root_path', '')}{inside}"


@cache
def templates() -> Environment:
    """Return the templates' environment."""
    environment = Environment(
        loader=PackageLoader("watcher.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_visible,
    )
    environment.globals |= {
        "_": _,
        "plural": plural,
        "line_words": words.line_words,
        "step_name": words.step_name,
        "time_name": words.time_name,
    }
    environment.filters |= {"lines": _lines, "commands": _commands}
    return environment


def _visible(value: Any) -> Any:
    """Return a text without characters that cannot be seen or that turn the direction of the text."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = printable(value)
    return text.replace(" :", "\N{NO-BREAK SPACE}:") if current_language() == "fr" else text


def _lines(text: str) -> Markup:
    """Return a text with its line breaks."""
    return Markup("<br>").join(escape(clean(line)) for line in text.splitlines())


def _commands(text: str) -> Markup:
    """Return a sentence with its commands, which are in backticks, set as code."""
    parts = [escape(printable(part)) for part in text.split("`")]
    shown = [Markup("<code>{}</code>").format(part) if index % 2 else part for index, part in enumerate(parts)]
    return Markup().join(shown)
