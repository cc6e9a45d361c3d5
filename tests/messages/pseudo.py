"""The command with ¡every translated sentence¿ in marks, to show which sentences are printed past the translations.

`python -m tests.messages.pseudo` runs each line of standard input as a command and prints the line before its output.
The variable PSEUDO_LOCALE names the folder of the translations, which `write_translations` writes as those of Spanish.
"""

import os
import re
import shlex
import sys
from contextlib import suppress
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from watcher import cli, messages

LANGUAGE = "es"
PROMPT = "$ watcher "
_TEXT = re.compile(r"(\{[^{}]*\}|%\(\w+\)s|[\[\]])")
# The marks are in the alphabet of SMS, and English has none of them.
_MARKED = re.compile(r"¡[^¡¿]*(?:¿|…|\.\.\.)")  # a shortened text ends within a mark


def write_translations(extracted: Catalog, folder: Path) -> None:
    """Write translations in which each sentence is itself, with marks around all of it but its fields."""
    marked = Catalog(locale=LANGUAGE)
    for message in extracted:
        if message.id:
            texts = [message.id] if isinstance(message.id, str) else message.id
            forms = [_marked(text) for text in texts]
            string = forms[0] if isinstance(message.id, str) else (*forms, forms[-1])[: marked.num_plurals]
            marked.add(message.id, string, context=message.context)
    file = folder / LANGUAGE / "LC_MESSAGES" / "watcher.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as stream:
        write_mo(stream, marked)


def _marked(text: str) -> str:
    parts = _TEXT.split(text)
    parts[::2] = [f"¡{part}¿" if part else "" for part in parts[::2]]
    return "".join(parts)


def unmarked(output: str) -> str:
    """Return what of an output is not in marks: data, and sentences past the translations."""
    return _MARKED.sub(" ", output)


def _main() -> None:
    messages.LOCALE_DIR = Path(os.environ["PSEUDO_LOCALE"])
    for line in sys.stdin.read().splitlines():
        for stream in (sys.stdout, sys.stderr):
            print(f"{PROMPT}{line}", file=stream, flush=True)
        sys.argv = ["watcher", *shlex.split(line)]
        with suppress(SystemExit):
            cli.main()


if __name__ == "__main__":
    _main()
