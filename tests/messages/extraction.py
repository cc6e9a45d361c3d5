"""What Babel extracts for translation: the sentences of the code, of the commands' help, of the alerts, and of click.

`[tool.babel]` in pyproject.toml names these methods; `make messages` runs them.
"""

import ast
import inspect
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO

import click
from babel.messages.extract import extract
from jinja2 import Environment
from jinja2.ext import extract_from_ast

Extracted = tuple[int, str, str | tuple[str, ...], list[str]]
"""Line, function of gettext, its arguments, and comments for translators."""

_FUNCTIONS = {"_": "gettext", "mark": "gettext", "plural": "ngettext"}
_OPTIONS = {"click.option", "click.argument"}
_TEXTS_OF_OPTIONS = {"help", "question"}


def extract_code(
    file: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: Mapping[str, str]
) -> Iterator[Extracted]:
    """Yield the sentences in `_`, `mark`, and `plural`, and the help of click's commands and options."""
    del keywords, comment_tags, options
    source = file.read().decode()
    for node in sorted(ast.walk(ast.parse(source)), key=lambda node: getattr(node, "lineno", 0)):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.FunctionDef) and any(map(_is_command, node.decorator_list)):
            for paragraph in inspect.cleandoc(ast.get_docstring(node) or "").split("\n\n"):
                yield node.lineno, "gettext", " ".join(paragraph.split()), []


def _of_call(call: ast.Call) -> Iterator[Extracted]:
    name = ast.unparse(call.func)
    if function := _FUNCTIONS.get(name):
        texts = _constants(call.args)
        if texts:
            yield call.lineno, function, texts, []
    elif name in _OPTIONS:
        for keyword in call.keywords:
            if keyword.arg in _TEXTS_OF_OPTIONS and (texts := _constants([keyword.value])):
                yield keyword.value.lineno, "gettext", texts, []


def _constants(nodes: list[ast.expr]) -> tuple[str, ...]:
    return tuple(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_command(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in {"command", "group"}


def extract_template(
    file: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: Mapping[str, str]
) -> Iterator[Extracted]:
    """Yield the sentences in `_` and `plural` of a template of the page."""
    del keywords, comment_tags, options
    source = file.read().decode()
    for line, function, texts in extract_from_ast(Environment(autoescape=True).parse(source), tuple(_FUNCTIONS)):
        found = (texts,) if isinstance(texts, str) else texts
        yield line, _FUNCTIONS[function], tuple(text for text in found or () if text), []


def extract_alerts(
    file: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: Mapping[str, str]
) -> Iterator[Extracted]:
    """Yield the messages of the English catalogue, with their key path as the context."""
    del keywords, comment_tags, options
    yield from _of_table(tomllib.loads(file.read().decode()), ())


def _of_table(table: Mapping[str, str | Mapping[str, str]], path: tuple[str, ...]) -> Iterator[Extracted]:
    for key, value in table.items():
        context = ".".join((*path, key))
        if isinstance(value, str):
            yield 0, "pgettext", (context, value), []
        elif path == ("units",):
            yield 0, "npgettext", (context, value["one"], value["other"]), []
        else:
            yield from _of_table(value, (*path, key))


def extract_click(
    file: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: Mapping[str, str]
) -> Iterator[Extracted]:
    """Yield the sentences of click. `watcher.messages`, which this method is for, has click translate them."""
    yield from extract_code(file, keywords, comment_tags, options)
    for module in sorted(Path(click.__file__).parent.glob("*.py")):
        with module.open("rb") as source:
            for line, texts, _comments, _context in extract("python", source):
                yield line, "gettext" if isinstance(texts, str) else "ngettext", texts, ["click"]
