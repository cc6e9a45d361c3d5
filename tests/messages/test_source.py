"""Sentences in the source that a person can see are marked for translation where they are written."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import watcher
from watcher import errors

PACKAGE = Path(watcher.__file__).parent
_TRANSLATING = {"_", "mark", "plural"}
_PRINTING = {"print_line", "print_error", "echo", "BadParameter", "UsageError", "ClickException", "secho", "confirm"}
_ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
_TWO_WORDS = re.compile(r"[a-z]{2,}[,;:]? [a-z]{2,}", re.IGNORECASE)


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _literals(node: ast.AST) -> Iterator[str]:
    """Yield the texts in a call that are not translated."""
    if isinstance(node, ast.Call) and _name(node) in _TRANSLATING:
        return
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _literals(child)


@cache
def _calls() -> list[tuple[Path, ast.Call]]:
    """Return all calls in the package, each with its file."""
    return [
        (file, node)
        for file in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
    ]


def _translating_calls() -> Iterator[tuple[str, ast.Call]]:
    for file, call in _calls():
        if ast.unparse(call.func) in _TRANSLATING:
            yield f"{file.relative_to(PACKAGE)}:{call.lineno}", call


def test_translated_sentences_are_whole() -> None:
    """A translator gets the sentence with its fields, not an f-string or parts that are joined."""
    joined = (ast.JoinedStr, ast.BinOp)
    assert [where for where, call in _translating_calls() if isinstance(call.args[0], joined)] == []


def test_fields_of_translated_sentences_are_given() -> None:
    faults = []
    for where, call in _translating_calls():
        given = {keyword.arg for keyword in call.keywords} | ({"n"} if _name(call) == "plural" else set())
        texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if given and None not in given:
            faults += [f"{where}: {text}" for text in texts if not _fields(text) <= given]
            faults += [
                f"{where}: {name}" for name in given - {"n"} if texts and all(name not in _fields(t) for t in texts)
            ]
    assert faults == []


def _fields(text: str) -> set[str | None]:
    return {name for _text, name, _format, _conversion in Formatter().parse(text) if name is not None}


def test_printed_sentences_are_marked_for_translation() -> None:
    unmarked = [
        f"{file.relative_to(PACKAGE)}:{call.lineno}: {text}"
        for file, call in _calls()
        if _name(call) in _PRINTING | _ERRORS and not file.is_relative_to(PACKAGE / "practice")
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        for text in _literals(argument)
        if _TWO_WORDS.search(text) and not text.startswith("  ")  # a line to paste into a shell
    ]
    assert unmarked == []
