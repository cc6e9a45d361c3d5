"""The list of commands, and what a mistyped command leads to."""

import click
import pytest

from tests.support.workspace import Workspace
from watcher.cli import commands

_LONGEST_HELP = 12
"""The most lines that the text above the options of a command has."""


def test_every_listed_command_exists_under_its_name_and_has_help() -> None:
    context = click.Context(commands)
    for name in commands.list_commands(context):
        command = commands.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help
        assert len(command.help.splitlines()) <= _LONGEST_HELP


def test_help_groups_the_commands_in_the_order_of_use(empty_workspace: Workspace) -> None:
    lines = empty_workspace.run("--help").out.splitlines()
    sections = ["See:", "Act:", "Set up:", "Run:", "Repair:"]
    assert [line for line in lines if line in sections] == sections
    listed = [line.split()[0] for line in lines[lines.index("See:") :] if line.startswith("  ")]
    assert listed == commands.list_commands(click.Context(commands))
    assert listed[0] == "status"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("stauts",), "Did you mean 'status'?"),
        (("Status",), "Did you mean 'status'?"),
        (("xyzzy",), "`watcher --help` lists the commands."),
        (("notify", "tset"), "Did you mean 'test'?"),
        (("alerts", "retyr"), "Did you mean 'retry'?"),
        (("recipe", "xyzzy"), "`watcher recipe --help` lists the commands."),
        (("pending", "--jsn"), "'--json'"),
    ],
)
def test_mistyped_command_gets_the_nearest_one(
    empty_workspace: Workspace, arguments: tuple[str, ...], hint: str
) -> None:
    empty_workspace.write()
    assert hint in empty_workspace.run(*arguments, expect=(2,)).err
