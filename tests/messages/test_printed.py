"""What commands print comes from the translations: with a language that marks each sentence, only data is unmarked."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from textwrap import dedent

import click
import pytest
from babel.messages.catalog import Catalog

from tests.cli.api_workspace import RECEIPT, ApiWorkspace, api_workspace
from tests.doubles.case_status_api import case_status
from tests.messages import pseudo
from tests.support import fork_server
from watcher import portals
from watcher.cli import commands
from watcher.language.month_names import month_names
from watcher.model.case import Stage
from watcher.settings import Settings

_WORD = re.compile(r"[^\W\d_]{2,}")
_DATA = re.compile(
    r"«[^«»]*»|\"[^\"]*\"|'[^']*'|\[[^\[\]]*\]"  # the agency's words, what was typed, choices and defaults of options
    r"|\S*[\d/@_=]\S*|\w+(?:\.\w+)+"  # numbers, paths, addresses, keys of the configuration
    r"|--?[a-z][\w-]*|\b[A-Z]{2,}\b"  # options, and what they take
)
_NAMES = {"watcher", "family", "phone", "json", "nobody", *" ".join(portals.names()).replace("-", " ").split()}
_FILE_SYSTEMS = {"tmpfs", "overlay", "overlayfs", "xfs", "btrfs", "zfs"}
_STATUS = {
    word
    for key, text in case_status(RECEIPT, "")["case_status"].items()
    if key.endswith("_es")
    for word in re.findall(r"\w+", text)
}
_KEYS = {*Settings.model_fields, *Stage}
_VARIANTS = {
    word
    for name in portals.names()
    for variant in portals.find(name).variants()
    for text in (variant.name, variant.title, variant.country, variant.sources, *chain(*variant.needs))
    for word in re.findall(r"\w+", text.get(pseudo.LANGUAGE, "") if isinstance(text, dict) else str(text))
    if isinstance(text, dict) or text in {variant.name, variant.country, variant.sources} or text in dict(variant.needs)
}
"""Names, keys, and a recipe's own texts, which it has in each language."""
_DATES = {"de", *(name for names in month_names()[pseudo.LANGUAGE] for name in names)}


def _tree(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from _tree(command.get_command(context, name) or command, (*path, name))


COMMANDS = list(_tree(commands))
_COMMAND_NAMES = {name for path in COMMANDS for name in path}


@dataclass(frozen=True, slots=True)
class Speaker:
    """The command in the language of marks, in a workspace."""

    workspace: ApiWorkspace
    locale: Path

    def words_past_the_translations(self, lines: Sequence[str]) -> dict[str, list[str]]:
        """Run the commands in the lines. Return the words of their output that are neither marked nor data."""
        environ = self.workspace.environment() | {"PSEUDO_LOCALE": str(self.locale), "LANGUAGE": pseudo.LANGUAGE}
        done = fork_server.run(
            "tests.messages.pseudo",
            (),
            folder=self.workspace.folder,
            environ=environ,
            stdin="\n".join(lines),
            timeout=99,
        )
        assert done.status == 0, done.err
        assert "Traceback" not in done.err
        found: dict[str, list[str]] = {}
        for output in (done.out + done.err).split(pseudo.PROMPT)[1:]:
            line, _, text = output.partition("\n")
            found.setdefault(line, []).extend(_WORD.findall(_DATA.sub(" ", pseudo.unmarked(text))))
        assert found.keys() == set(lines)
        return found


@pytest.fixture(scope="module")
def locale(tmp_path_factory: pytest.TempPathFactory, extracted: Catalog) -> Path:
    folder = tmp_path_factory.mktemp("locale")
    pseudo.write_translations(extracted, folder)
    return folder


@pytest.fixture
def speaker(tmp_path: Path, locale: Path) -> Iterator[Speaker]:
    with api_workspace(tmp_path) as workspace:
        configure(workspace)
        yield Speaker(workspace, locale)


def configure(workspace: ApiWorkspace) -> None:
    """Have alerts, too, in the language of marks."""
    workspace.config.write_text(f'language = "{pseudo.LANGUAGE}"\n{workspace.config.read_text()}')


def leftovers(speaker: Speaker, commands_to_run: str) -> dict[str, str]:
    """Run the commands in the lines. Return the words past the translations by command."""
    allowed = _NAMES | _COMMAND_NAMES | _FILE_SYSTEMS | _STATUS | _KEYS | _DATES | _VARIANTS
    found = {}
    for line, words in speaker.words_past_the_translations(commands_to_run.split("\n")).items():
        if left := [word for word in words if word not in allowed.union(_WORD.findall(line))]:
            found[line] = " ".join(left)
    return found


def test_help_is_translated(speaker: Speaker) -> None:
    assert leftovers(speaker, "\n".join(" ".join((*path, "--help")) for path in COMMANDS)) == {}


def test_results_are_translated(speaker: Speaker) -> None:
    before = dedent(f"""
        status
        doctor --offline
        check
        status
        status {RECEIPT}
    """).strip()
    assert leftovers(speaker, before) == {}
    speaker.workspace.ask_for_evidence()
    after = dedent(f"""
        check
        status
        status {RECEIPT}
        history
        pending
        alerts
        alerts show 1
        notices
        portals
        doctor --offline
        explain Interview Was Scheduled
        explain Xyzzy
        health
        due 1 2027-05-01
        done 1
        reopen 1
        note {RECEIPT} «called»
        remind {RECEIPT} 2027-05-01 «expires»
        label {RECEIPT} «Green card» --person «Maria»
        finish {RECEIPT}
        watch {RECEIPT}
        resume family
        forget family
        code family 123456
        login family
        ack 1
        alerts retry
        notify test
        backup copy
        restore copy
    """).strip()
    assert leftovers(speaker, after) == {}


def test_errors_are_translated(speaker: Speaker) -> None:
    wrong = dedent(f"""
        stauts
        status --jsn
        history --limit x
        alerts --state x
        status IOE0000000009
        done
        done x
        done 9
        due 9 x
        check nobody
        resume nobody
        notify test nobody
        alerts retry 9
        record {RECEIPT} x
        import family nothing.json
        import family watcher.toml
        recipe check nothing.toml
        restore nothing.sqlite3
        backup watcher.toml
        service install --timer --instances
    """).strip()
    assert leftovers(speaker, wrong) == {}


FAULTY = (
    "xyzzy_1 = 1",
    'timezone = "x"',
    '[accounts.family]\nportal = "x"',
    '[accounts.family]\nportal = "uscis-api"\ncases = "x"\nevery = "1s"',
    '[accounts.family]\nportal = "ircc"\nprogram = "x"',
    '[channels.phone]\nurl = "x"\nmin_severity = "x"\nquiet_hours = "x"\ndigest = "x"',
    '[health]\nlisten = "x"',
)


@pytest.mark.parametrize("faulty", FAULTY)
def test_faults_of_the_configuration_are_translated(speaker: Speaker, faulty: str) -> None:
    speaker.workspace.config.write_text(f'language = "{pseudo.LANGUAGE}"\n{faulty}\n')
    assert leftovers(speaker, "status\ndoctor --offline") == {}
