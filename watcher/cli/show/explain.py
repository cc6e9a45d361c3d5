"""`watcher explain`: what a status means. Needs no configuration."""

import os
import shutil
import sys
from pathlib import Path

import click

from watcher import portals
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_error, print_json, print_line
from watcher.errors import SettingsFaults
from watcher.language.catalogue import load_catalogue
from watcher.language.explanation import Explanation, explain
from watcher.messages import LANGUAGES, _
from watcher.settings.config_files import find_file
from watcher.settings.load import load
from watcher.text.printable import clean

_WIDTH = 100
_MIN_LABEL = 9


@click.command("explain")
@CONFIG
@JSON
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="The language of the explanation. Default: the configured one, else English.",
)
@click.argument("text", nargs=-1, required=True, metavar="TEXT...")
def explain_command(config: Path | None, text: tuple[str, ...], language: str | None, *, as_json: bool) -> None:
    """Explain TEXT in plain words: a status as the website shows it, or a stage. This is not legal advice.

    Example: watcher explain Request for Evidence Was Sent
    """
    language = language or _configured_language(config)
    explanation = explain(clean(" ".join(text)), language=language)
    if as_json:
        print_json(
            {
                "text": explanation.text,
                "stage": explanation.stage.value,
                "known": explanation.known,
                "plain": explanation.plain,
                "next": explanation.next,
                "page": explanation.page,
                "advice": explanation.advice,
            }
        )
    else:
        _show(explanation, language)


def _configured_language(config: Path | None) -> str:
    """Return the configuration's language. A faulty configuration does not prevent an explanation."""
    if find_file(config, os.environ) is None:
        return "en"
    try:
        return load(config, environ=os.environ, portals=portals).language
    except SettingsFaults:
        print_error(_("The configuration has errors (`watcher doctor` lists them), so this explanation is in English."))
        return "en"


def _show(explanation: Explanation, language: str) -> None:
    catalogue = load_catalogue(language)
    stage = explanation.stage.value
    print_line(f"{explanation.text}  ({catalogue.message('stage', stage, 'name')}: {stage})", bold=True)
    print_line(_wrapped(explanation.plain))
    if explanation.next:
        print_line()
        print_line(_wrapped(f"{catalogue.message('general', 'next')}: {explanation.next}"))
    print_line()
    print_line(explanation.page)
    print_line(_wrapped(explanation.advice))


def _wrapped(text: str) -> str:
    """Wrap text for a terminal. In a pipe a paragraph stays on one line."""
    if not sys.stdout.isatty():
        return text
    return click.wrap_text(text, width=min(_WIDTH, shutil.get_terminal_size().columns))
