"""Questions at the terminal. They go to standard error, so that standard output is free for what is asked for."""

import sys

import click


def ask_for_code(question: str) -> str:
    """Shows the question and reads one line, at a terminal or from a pipe. Raises EOFError where nobody is there."""
    click.echo(question, nl=False, err=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
