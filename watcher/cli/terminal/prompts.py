"""Questions at the terminal or on a pipe. They are printed on standard error, which keeps standard output free.

Secrets are not echoed. At the end of input, `click.Abort` ends the command.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from click.core import ParameterSource

from watcher.messages import _


class AskedArgument(click.Argument):
    """An argument that is asked for at a terminal if it is left out, so that an alert can show a complete command."""

    def __init__(self, *arguments: Any, question: str, **options: Any) -> None:
        """Create it with the question; everything else is as for `click.Argument`."""
        super().__init__(*arguments, **options)
        self.question = question

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """Return the value from the command line, or the answer."""
        value, source = super().consume_value(ctx, opts)
        if not self.value_is_missing(value) or ctx.resilient_parsing or not sys.stdin.isatty():
            return value, source
        answer = ask(_(self.question))
        return ((answer,) if self.nargs == -1 else answer), ParameterSource.PROMPT


def ask_code(question: str) -> str:
    """Print the question and read one line from a terminal or a pipe. Raises EOFError at the end of input."""
    click.echo(question, nl=False, err=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def ask(question: str, default: str = "") -> str:
    """Ask for one line. An empty answer means the default."""
    prompt = _("{question} [{default}]:", question=question, default=default) if default else _prompt(question)
    return _line(f"{prompt} ").strip() or default


def ask_choice(question: str, choices: Mapping[str, str], default: str) -> str:
    """Ask for one of the choices, by name or number. Each is shown with its description."""
    click.echo(question, err=True)
    names = list(choices)
    for number, name in enumerate(names, start=1):
        click.echo(f"  {number}  {name}{f' - {choices[name]}' if choices[name] else ''}", err=True)
    while True:
        answer = ask(_("Your choice"), default)
        if answer in choices:
            return answer
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        hint = _("Enter a number from 1 to {n}, or a name: {names}", n=len(names), names=", ".join(names))
        click.echo(hint, err=True)


def ask_list(question: str, default: Sequence[str]) -> list[str]:
    """Ask for any number of words, separated by spaces or commas."""
    return ask(question, " ".join(default)).replace(",", " ").split()


def ask_secret(question: str, *, is_set: bool) -> str:
    """Ask for a secret without echoing it. An empty answer keeps the current one if `is_set`, otherwise sets none."""
    hint = _("press Enter to keep the current one") if is_set else _("hidden while you type")
    prompt = f"{_prompt(f'{question} ({hint})')} "
    if not sys.stdin.isatty():
        return _line(prompt).strip()
    answer: str = click.prompt(prompt, prompt_suffix="", default="", show_default=False, hide_input=True, err=True)
    return answer.strip()


def confirm(question: str, *, default: bool = True) -> bool:
    """Ask for yes or no, in English or in the user's language."""
    yes, no = {"y", "yes", *_("y yes").split()}, {"n", "no", *_("n no").split()}
    while True:
        answer = ask(f"{question} ({_('Y/n') if default else _('y/N')})").lower()
        if not answer:
            return default
        if answer in yes | no:
            return answer in yes
        click.echo(_("Enter y or n."), err=True)


def _prompt(question: str) -> str:
    return _("{question}:", question=question)


def _line(prompt: str) -> str:
    try:
        return ask_code(prompt)
    except EOFError:
        raise click.Abort from None
