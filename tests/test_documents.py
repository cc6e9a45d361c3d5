"""Documents name only what exists: each path, module, make target, command, and option in a README or the changelog."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from watcher.cli import commands

REPOSITORY = Path(__file__).parents[1]
MADE_BY_TOOLS = {"build", "dist", "node_modules"}
REQUIRED = {
    "README.md",
    "CHANGELOG.md",
    "config/README.md",
    "config/recipes/README.md",
    "systemd/README.md",
    "tests/README.md",
    "tests/golden/README.md",
    "watcher/README.md",
    "watcher/locale/README.md",
}
MADE_BY_THE_USER = {"watcher.toml", "./watcher.toml", "office.toml", "cookies.txt"}
LONGEST_README = 150

_BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FOLDER_OR_FILE = re.compile(r"[\w.@-]+/[\w.@/-]*")
_FILE = re.compile(r"[\w@.-]+\.(?:conf|json|md|py|service|timer|toml|tsv|txt|yaml)")
_MODULE = re.compile(r"-m ((?:watcher|tests)[\w.]*)")
_MAKE = re.compile(r"(?:^|\s)make ([a-z][a-z-]*)")
_COMMAND = re.compile(r"(?:^|[\s/])watcher ((?:[a-z]|--)[^#&|]*)")
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def documents() -> list[str]:
    found = []
    for folder, folders, files in os.walk(REPOSITORY):
        folders[:] = [name for name in folders if name not in MADE_BY_TOOLS and not name.startswith(".")]
        found += [Path(folder, name) for name in files if name in {"README.md", "CHANGELOG.md"}]
    return sorted(str(file.relative_to(REPOSITORY)) for file in found)


def text_of(document: str) -> str:
    return (REPOSITORY / document).read_text(encoding="utf-8")


def code_in(text: str) -> Iterator[str]:
    """Each code span, and each line of each code block without its prompt and comment."""
    for span in _SPAN.findall(_BLOCK.sub("", text)):
        yield " ".join(span.split())
    for block in _BLOCK.findall(text):
        for line in block.splitlines():
            yield re.sub(r"^[$#] | +# .*$", "", line)


def paths_in(text: str) -> set[str]:
    """Words of code that look like a path of the repository, not like one of the user's machine."""
    words = {word for code in code_in(text) for word in code.split()}
    paths = {word for word in words if _FOLDER_OR_FILE.fullmatch(word) or _FILE.fullmatch(word)}
    return {path for path in paths if not path.startswith(".venv/")} - MADE_BY_THE_USER


def links_in(text: str) -> set[str]:
    return {link.partition("#")[0] for link in _LINK.findall(text) if not re.match(r"[a-z]+:|#", link)}


def modules_in(text: str) -> set[str]:
    return {module for code in code_in(text) for module in _MODULE.findall(code)}


def make_targets_in(text: str) -> set[str]:
    return {target for code in code_in(text) for target in _MAKE.findall(code)}


def commands_in(text: str) -> set[str]:
    found = {command.strip() for code in code_in(text) for command in _COMMAND.findall(code)}
    return found | set(commands_in_the_table(text))


def commands_in_the_table(text: str) -> Iterator[str]:
    """The names in the table of commands, which stand there without `watcher`."""
    section = text.partition("\n## Commands\n")[2].partition("\n## ")[0]
    for row in section.splitlines():
        if row.startswith("|"):
            yield from _SPAN.findall(row)


def exists(path: str, document: str) -> bool:
    """Whether the path exists beside the document or in the repository; a bare file name may be anywhere in it."""
    bases = ((REPOSITORY / document).parent, REPOSITORY)
    if any((base / path).exists() for base in bases):
        return True
    folders = (REPOSITORY / name for name in ("config", "systemd", "tests", "watcher"))
    return "/" not in path and any(next(folder.rglob(path), None) is not None for folder in folders)


def module_exists(module: str) -> bool:
    path = REPOSITORY.joinpath(*module.split("."))
    return (path / "__main__.py").is_file() or path.with_suffix(".py").is_file() or module == "tests"


def fault_of(words: Sequence[str], command: click.Command) -> str | None:
    """What a command line names that the command does not have."""
    context = click.Context(command)
    options = {option for parameter in command.get_params(context) for option in parameter.opts}
    for place, word in enumerate(words):
        if word.startswith("--"):
            if word.partition("=")[0] not in options:
                return f"no option {word}"
        elif isinstance(command, click.Group):
            inner = command.get_command(context, word)
            return f"no command {word}" if inner is None else fault_of(words[place + 1 :], inner)
        elif command.context_settings.get("ignore_unknown_options"):
            return None
    return None


def test_every_document_is_here() -> None:
    assert set(documents()) >= REQUIRED


def test_the_readme_is_short() -> None:
    assert len(text_of("README.md").splitlines()) <= LONGEST_README


@pytest.mark.parametrize("document", documents())
def test_paths_exist(document: str) -> None:
    assert [path for path in sorted(paths_in(text_of(document))) if not exists(path, document)] == []


@pytest.mark.parametrize("document", documents())
def test_links_lead_to_files(document: str) -> None:
    folder = (REPOSITORY / document).parent
    assert [link for link in sorted(links_in(text_of(document))) if not (folder / link).exists()] == []


@pytest.mark.parametrize("document", documents())
def test_modules_exist(document: str) -> None:
    assert [module for module in sorted(modules_in(text_of(document))) if not module_exists(module)] == []


@pytest.mark.parametrize("document", documents())
def test_make_targets_exist(document: str) -> None:
    targets = set(_TARGET.findall((REPOSITORY / "Makefile").read_text(encoding="utf-8")))
    assert sorted(make_targets_in(text_of(document)) - targets) == []


@pytest.mark.parametrize("document", documents())
def test_commands_and_their_options_exist(document: str) -> None:
    lines = sorted(commands_in(text_of(document)))
    faults = {line: fault_of(re.sub(r'"[^"]*"', "TEXT", line).split(), commands) for line in lines}
    assert {line: fault for line, fault in faults.items() if fault} == {}


def test_the_readme_lists_every_command() -> None:
    listed = {line.split()[0] for line in commands_in(text_of("README.md"))}
    assert set(commands.list_commands(click.Context(commands))) - listed == set()


def test_enough_was_found_for_these_tests_to_mean_something() -> None:
    texts = [text_of(document) for document in documents()]
    assert len({path for text in texts for path in paths_in(text)}) >= 80
    assert len({link for text in texts for link in links_in(text)}) >= 20
    assert len({module for text in texts for module in modules_in(text)}) >= 2
    assert len({target for text in texts for target in make_targets_in(text)}) >= 8
    assert len({command for text in texts for command in commands_in(text)}) >= 40


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("check ACCOUNT --trace DIR", None),
        ("service exec status --anything", None),
        ("look", "no command look"),
        ("recipe repair", "no command repair"),
        ("check --tracing DIR", "no option --tracing"),
    ],
)
def test_a_wrong_command_line_is_found(line: str, fault: str | None) -> None:
    assert fault_of(line.split(), commands) == fault


def test_a_wrong_path_is_found() -> None:
    text = (
        "See `nowhere/at_all.py`, `no_such_file.toml`, `/etc/watcher/`, `make nothing`.\n```\n$ cat tests/none\n```\n"
    )
    assert paths_in(text) == {"nowhere/at_all.py", "no_such_file.toml", "tests/none"}
    assert not any(exists(path, "README.md") for path in paths_in(text))
    assert make_targets_in(text) == {"nothing"}
