"""What the list of commands promises, the commands are."""

import click

from watcher.cli import commands


def test_every_command_is_there_and_is_called_by_its_name() -> None:
    context = click.Context(commands)
    for name in commands.list_commands(context):
        command = commands.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help
