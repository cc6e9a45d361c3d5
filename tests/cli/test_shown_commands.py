"""Every command that an alert shows is complete. `test_pasted_commands.py` runs those of all sentences."""

import io
import re
import shlex
import sys
from dataclasses import replace
from typing import get_args
from zoneinfo import ZoneInfo

import click
import pytest

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


def parse(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse a command line as the program does at a terminal. Raises `click.UsageError`."""
    monkeypatch.setattr(sys, "stdin", Terminal(ANSWERS.get(command.split()[1], "") + "\n"))
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
        parse(command, monkeypatch)
