"""Groups of commands that suggest the nearest command for a mistyped one, and show help in the user's language."""

import copy
import inspect
from typing import TypeVar

import click

from watcher.cli.names import suggestion
from watcher.messages import _

_Command = TypeVar("_Command", bound=click.Command)


class CommandGroup(click.Group):
    """A group that names the most similar command if the typed one does not exist. It translates its commands' help."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command with its help in the user's language."""
        command = super().get_command(ctx, cmd_name)
        return command and translated(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments begin with, and the rest of them."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            hint = suggestion(name, self.list_commands(ctx)) or _(
                "`{group} --help` lists the commands.", group=ctx.command_path
            )
            raise click.UsageError(_("There is no command '{name}'.", name=name) + f" {hint}", ctx)
        return super().resolve_command(ctx, args)


def translated(command: _Command) -> _Command:
    """Return a copy of a command whose docstring and option help are in the language of this process.

    Each paragraph of a docstring is one message, without its line breaks.
    """
    result = copy.copy(command)
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    shown = [_(" ".join(paragraph.split())) for paragraph in paragraphs if paragraph]
    result.help = "\n\n".join(shown)
    result.short_help = shown[0] if shown else None  # complete in lists of commands; click's own would be cut off
    result.params = [_translated_parameter(parameter) for parameter in command.params]
    return result


def _translated_parameter(parameter: click.Parameter) -> click.Parameter:
    result = copy.copy(parameter)
    result.type = copy.copy(parameter.type)
    if isinstance(result.type, click.IntRange | click.FloatRange):
        result.type.name = _("number")
    elif isinstance(result.type, click.Path):  # click translates this when a module is imported
        result.type.name = _(result.type.name)
    if isinstance(result, click.Option) and result.help:
        result.help = _(result.help)
    return result
