"""Every command in the list of commands exists."""

import click

from watcher.cli import commands


def test_every_listed_command_exists_under_its_name_and_has_help() -> None:
    context = click.Context(commands)
    for name in commands.list_commands(context):
        command = commands.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help
