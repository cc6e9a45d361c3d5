"""Every command that an alert, an error, or a line of `watcher doctor` shows can be pasted into a shell."""

import ast
import io
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import click
import pytest

import watcher
from tests.alerts.alert_contexts import examples
from watcher.alerts.rendering import render
from watcher.alerts.style import Detail, Privacy
from watcher.cli import commands
from watcher.messages import LANGUAGES
from watcher.text.item_marks import with_item_numbers

SHOWN = re.compile(r"`(watcher [a-z][^`]*)`")
ACCOUNT = "our family's"
ANSWERS = {"due": "2027-01-05", "record": "Case Was Received", "code": "123456"}


class Terminal(io.StringIO):
    """A terminal with a person who answers one question."""

    def isatty(self) -> bool:
        return True


def shown_in_alerts() -> set[str]:
    texts = []
    for context in examples().values():
        about = replace(context, account=context.account and ACCOUNT)
        for language in LANGUAGES:
            for privacy in get_args(Privacy):
                for detail in get_args(Detail):
                    alert = render(about, privacy=privacy, language=language, zone=ZoneInfo("UTC"), detail=detail)
                    texts.append(with_item_numbers(alert.body, {"n-1": 3}))
    return {command for text in texts for command in SHOWN.findall(text)}


def shown_in_source() -> Iterator[str]:
    """Yield the commands in the program's sentences, with {} or its {name} for each value that is filled in."""
    for file in sorted(Path(watcher.__file__).parent.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if id(node) in docstrings:
                continue
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
                yield from SHOWN.findall("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from SHOWN.findall(node.value)


def parse(command: str) -> None:
    """Parse a command line as the program does. Raises `click.UsageError`."""
    arguments = shlex.split(command)[1:]
    found: click.Command = commands
    context = click.Context(found)
    while isinstance(found, click.Group) and arguments:
        name = arguments.pop(0)
        subcommand = found.get_command(context, name)
        if subcommand is None:
            raise click.UsageError(f"there is no {name}")
        found, context = subcommand, click.Context(subcommand, parent=context)
    found.make_context("watcher", arguments)


def test_alerts_show_complete_commands_with_quoted_names(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = shown_in_alerts()
    assert f"watcher login {shlex.quote(ACCOUNT)}" in shown
    assert {"watcher done 3", "watcher due 3"} <= shown
    for command in shown:
        assert not re.search(r"\b[A-Z]{2,}\b(?!\d)", command), f"{command} has a placeholder"
        monkeypatch.setattr(sys, "stdin", Terminal(ANSWERS.get(command.split()[1], "") + "\n"))
        parse(command)


def test_commands_in_the_programs_sentences_exist_and_parse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    values = {
        "ACCOUNT": "family", "CHANNEL": "phone", "NAME": "family", "CASE": "IOE0000000001", "STATUS": "Received",
        "CODE": "123456", "DATE": "2027-01-05", "ITEM": "3", "ALERT": "3", "ID": "3", "TEXT": "Received",
        "FILE": str(file), "DIR": str(tmp_path), "FILE…": str(file),
    }  # fmt: skip
    faults = []
    for shown in sorted(set(shown_in_source())):
        command = re.sub(r"\b[A-Z]+\b…?", lambda match: values.get(match[0], match[0]), shown.split(" | ")[0])
        monkeypatch.setattr(sys, "stdin", Terminal(ANSWERS.get(command.split()[1], "") + "\n"))
        if not any(parses(re.sub(r"{\w*}", value, command)) for value in ("family", "3", str(file))):
            faults.append(shown)
    assert faults == []


def parses(command: str) -> bool:
    """Return whether a command line is valid, or only names a command or an option that exists."""
    try:
        parse(command)
    except click.Abort:
        return True  # it asks for what is missing
    except (click.MissingParameter, click.BadOptionUsage):
        return len(command.split()) <= len(["watcher", "recipe", "try"])
    except (click.UsageError, click.exceptions.Exit):
        return False
    return True
