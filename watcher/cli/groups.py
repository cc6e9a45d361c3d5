"""Groups of commands that suggest the nearest command for a mistyped one."""

import click

from watcher.cli.names import suggestion


class CommandGroup(click.Group):
    """A group that names the most similar command if the typed one does not exist."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments begin with, and the rest of them."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            hint = suggestion(name, self.list_commands(ctx)) or f"`{ctx.command_path} --help` lists the commands."
            raise click.UsageError(f"There is no command '{name}'. {hint}", ctx)
        return super().resolve_command(ctx, args)
