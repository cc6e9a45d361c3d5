"""The command `watcher`. Each command lives in a module of this package that is imported only when it is called."""

import importlib
import os
import sys
from pathlib import Path

import click

from watcher import __version__
from watcher.errors import SettingsFaults, WatcherError

_COMMANDS = {
    "ack": "alerts",
    "alerts": "alerts",
    "backup": "keeping",
    "check": "reading",
    "code": "signing_in",
    "demo": "demo",
    "doctor": "doctor",
    "done": "items",
    "due": "items",
    "explain": "words",
    "export": "export",
    "history": "standing",
    "import": "reading",
    "init": "init",
    "login": "signing_in",
    "notices": "notices",
    "notify": "alerts",
    "pending": "standing",
    "portals": "words",
    "recipe": "recipes",
    "record": "record",
    "reopen": "items",
    "restore": "keeping",
    "resume": "signing_in",
    "run": "run",
    "service": "service",
    "status": "standing",
}


class _Commands(click.Group):
    """Finds a command by name and imports its module only then, so that `watcher --version` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"{__name__}.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="watcher")
def commands() -> None:
    """Watches immigration cases on government portals and tells you the moment something changes.

    `watcher demo` shows it all; `watcher init` sets it up; `watcher run` keeps watch.
    """


def main() -> None:
    """The entry point: 0 done, 1 it ran and something failed, 2 wrong usage or configuration."""
    try:
        commands.main(prog_name="watcher", standalone_mode=False)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as fault:
        fault.show()
        sys.exit(fault.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except SettingsFaults as faults:
        for line in faults.faults:
            click.echo(line, err=True)
        sys.exit(2)
    except WatcherError as error:
        click.echo(f"watcher: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of the pipe has gone (`watcher history | head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file; else $WATCHER_CONFIG, ./watcher.toml and the usual places.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output, for programs.")
