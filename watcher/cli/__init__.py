"""The command `watcher`. Each command's module is imported only when the command is called."""

import gc
import importlib
import sys

import click

from watcher import __version__
from watcher.cli.terminal import streams
from watcher.errors import SettingsFaults, WatcherError
from watcher.privacy import core_dumps

_COMMANDS = {
    "ack": ("show.alerts", "An alert has been seen: no escalation."),
    "alerts": ("show.alerts", "What was sent, is queued, failed; `alerts retry` takes it up again."),
    "backup": ("act.backup", "A consistent copy of the database, while the daemon runs."),
    "check": ("act.check", "One read now, then what time has brought; alerts delivered."),
    "code": ("act.login", "Hands a one-time code to a daemon that waits for it."),
    "demo": ("setup.demo", "The whole program against a practice portal, in under a minute."),
    "doctor": ("setup.doctor", "Checks configuration, secrets, database, clock, portals, channels."),
    "done": ("act.items", "You have dealt with an item: no more reminders for it."),
    "due": ("act.items", "Sets the due date that stands on the paper letter."),
    "explain": ("show.explain", "What a status means, in plain words."),
    "export": ("show.export", "Cases, history and items as JSON, CSV or a calendar."),
    "forget": ("act.login", "Deletes the saved session of an account."),
    "health": ("show.health", "Whether the daemon runs and can see, as an exit status."),
    "history": ("show.status", "Every recorded change, newest first."),
    "import": ("act.check", "Takes JSON that you saved from the portal as one read."),
    "init": ("setup.init", "Asks its way to a working configuration."),
    "login": ("act.login", "Signs in by hand, or takes over a browser's session."),
    "notices": ("show.notices", "The saved letters and documents."),
    "notify": ("show.alerts", "`notify test` sends a test alert."),
    "pending": ("show.status", "Open items and their dates, soonest first."),
    "portals": ("show.explain", "The portals, what each needs and sees, how far it is verified."),
    "recipe": ("setup.recipes", "Writing and repairing recipes."),
    "record": ("act.record", "Takes down what you read on a site yourself."),
    "reopen": ("act.items", "Back to open, for an item that you had called done."),
    "restore": ("act.backup", "Brings a backup back."),
    "resume": ("act.login", "Lifts the pause after a rejected sign-in."),
    "run": ("act.run", "The daemon: keeps watch."),
    "service": ("setup.service", "Writes the systemd units for this machine."),
    "status": ("show.status", "Accounts and cases as they stand."),
}
"""Each command's module and its line in the list of commands."""


class _Commands(click.Group):
    """A group that imports a command's module only when needed, so that `watcher --version` is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        gc.disable()  # imports create no garbage; collecting takes a tenth of the start-up time
        try:
            module = importlib.import_module(f"{__name__}.{_COMMANDS[cmd_name][0]}")
        finally:
            gc.freeze()  # nor scan the modules in later collections
            gc.enable()
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="watcher")
def commands() -> None:
    """Watches immigration cases on government portals and tells you the moment something changes.

    `watcher demo` shows it all; `watcher init` sets it up; `watcher run` keeps watch.
    """


def main() -> None:
    """Run a command. Exit status: 0 done, 1 something failed, 2 wrong usage or configuration."""
    core_dumps.disable()
    streams.prepare()
    try:
        commands.main(prog_name="watcher", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as exit_request:
        sys.exit(exit_request.exit_code)
    except click.ClickException as usage_error:
        usage_error.show()
        sys.exit(usage_error.exit_code)
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
        # The reader closed the pipe (`watcher history | head`), which is no error.
        streams.discard_output()
        sys.exit(0)
    except OSError:
        reason = streams.output_error()
        if reason is None:
            raise
        click.echo(f"watcher: standard output cannot be written to: {reason}", err=True)
        sys.exit(1)
