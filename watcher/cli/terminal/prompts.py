"""Questions at the terminal, or on a pipe. They go to standard error, so that standard output stays free.

A secret is never echoed. Where nobody answers any more, `click.Abort` ends the command.
"""

import sys
from collections.abc import Mapping, Sequence

import click


def ask_for_code(question: str) -> str:
    """Shows the question and reads one line, at a terminal or from a pipe. Raises EOFError where nobody is there."""
    click.echo(question, nl=False, err=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def ask(question: str, default: str = "") -> str:
    """One line; an empty answer is the default."""
    shown = f" [{default}]" if default else ""
    return _line(f"{question}{shown}: ").strip() or default


def ask_which(question: str, choices: Mapping[str, str], default: str) -> str:
    """One of the choices, by its name or its number; each is shown with what it is."""
    click.echo(question, err=True)
    names = list(choices)
    for number, name in enumerate(names, start=1):
        click.echo(f"  {number}  {name}{f' - {choices[name]}' if choices[name] else ''}", err=True)
    while True:
        said = ask("Which", default)
        if said in choices:
            return said
        if said.isdecimal() and 1 <= int(said) <= len(names):
            return names[int(said) - 1]
        click.echo(f"Write one of these names, or its number: {', '.join(names)}", err=True)


def ask_for_several(question: str, default: Sequence[str]) -> list[str]:
    """Any number of words, between spaces or commas."""
    return ask(question, " ".join(default)).replace(",", " ").split()


def ask_for_secret(question: str, *, known: bool) -> str:
    """A secret, not echoed. Empty: keep the one that is `known`, or none."""
    prompt = f"{question} [{'Enter keeps the one that is set' if known else 'it is not shown while you type'}]: "
    if not sys.stdin.isatty():
        return _line(prompt).strip()
    said: str = click.prompt(prompt, prompt_suffix="", default="", show_default=False, hide_input=True, err=True)
    return said.strip()


def ask_whether(question: str, *, default: bool = True) -> bool:
    """Yes or no."""
    while True:
        said = ask(f"{question} ({'Y/n' if default else 'y/N'})").lower()
        if said in ("", "y", "yes", "n", "no"):
            return said in ("y", "yes") if said else default
        click.echo("Write y or n.", err=True)


def _line(prompt: str) -> str:
    try:
        return ask_for_code(prompt)
    except EOFError:
        raise click.Abort from None
