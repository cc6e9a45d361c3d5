"""The command `watcher`. Each command's module is imported only when the command is called."""

import gc
import importlib
import sys

import click

from watcher import __version__
from watcher.cli.groups import CommandGroup, translated
from watcher.cli.terminal import streams
from watcher.errors import SettingsFaults, WatcherError
from watcher.messages import _, mark, use_environment_language
from watcher.privacy import core_dumps

_SECTIONS = {
    mark("See"): {
        "status": ("show.status", mark("Show all accounts and cases.")),
        "pending": ("show.pending", mark("List open requests, appointments, and fees with their dates.")),
        "history": ("show.history", mark("List every recorded change, newest first.")),
        "alerts": ("show.alerts", mark("List sent, waiting, and failed alerts; send failed ones again.")),
        "notices": ("show.notices", mark("List letters and documents; open a saved one.")),
        "explain": ("show.explain", mark("Explain a status in plain words.")),
        "export": ("show.export", mark("Export cases as JSON, CSV, or a calendar, or the saved letters.")),
    },
    mark("Act"): {
        "check": ("act.check", mark("Check all cases now and send alerts.")),
        "done": ("act.items", mark("Mark an item as done: no more reminders.")),
        "due": ("act.items", mark("Enter the due date printed on your letter.")),
        "reopen": ("act.items", mark("Mark a done item as open again.")),
        "label": ("act.label", mark("Name a case and say whose it is.")),
        "priority": ("act.priority", mark("Set the priority date that the visa bulletin is compared with.")),
        "note": ("act.cases", mark("Add a note to the history of a case.")),
        "remind": ("act.cases", mark("Add a date of your own, with reminders.")),
        "finish": ("act.cases", mark("Stop checking a finished case.")),
        "watch": ("act.cases", mark("Check a finished case again.")),
        "ack": ("show.alerts", mark("Mark an alert as seen, so that it is not escalated.")),
        "record": ("act.record", mark("Record a status you saw on the website.")),
        "import": ("act.check", mark("Import pages you saved from the website.")),
    },
    mark("Set up"): {
        "demo": ("setup.demo", mark("Show the whole program with a practice portal, in under a minute.")),
        "portals": ("show.portals", mark("List the websites that can be watched and what each needs.")),
        "init": ("setup.init", mark("Set up step by step.")),
        "login": ("act.login", mark("Sign in, or import the session of your browser.")),
        "handover": ("act.handover", mark("Hand over what your own browser shows, with one tap.")),
        "notify": ("show.alerts", mark("Send a test alert, and show who gets which alerts.")),
        "web": ("setup.web", mark("Sign a phone or a browser in to the page.")),
        "recipe": ("setup.recipes", mark("Describe a website that is not supported yet, and test it.")),
    },
    mark("Run"): {
        "run": ("act.run", mark("Keep checking and send alerts until stopped.")),
        "service": ("setup.service", mark("Run in the background with systemd.")),
        "health": ("show.health", mark("Report by exit status whether the program runs and can check.")),
        "backup": ("act.backup", mark("Copy the database, even while the program runs.")),
    },
    mark("Repair"): {
        "doctor": ("setup.doctor", mark("Check the whole setup and say how to fix it.")),
        "code": ("act.login", mark("Enter a one-time code that a sign-in is waiting for.")),
        "resume": ("act.login", mark("Check an account again after a rejected sign-in or a lock.")),
        "forget": ("act.login", mark("Delete the saved session of an account.")),
        "restore": ("act.backup", mark("Put a backup back.")),
    },
}
"""The sections of `watcher --help`: each command's module and summary, in the order of use."""

_COMMANDS = {name: module for section in _SECTIONS.values() for name, (module, _summary) in section.items()}


class _Commands(CommandGroup):
    """A group that imports a command's module only when needed, so that `watcher --version` is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        gc.disable()  # imports create no garbage; collecting takes a tenth of the start-up time
        try:
            module = importlib.import_module(f"{__name__}.{_COMMANDS[cmd_name]}")
        finally:
            gc.freeze()  # nor scan the modules in later collections
            gc.enable()
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return translated(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        width = max(map(len, _COMMANDS))
        for title, section in _SECTIONS.items():
            with formatter.section(_(title)):
                formatter.write_dl([(name.ljust(width), _(summary)) for name, (_module, summary) in section.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="watcher")
def commands() -> None:
    """Watch immigration cases on government websites and get an alert when something changes.

    New here? Run `watcher demo` to see how it works, `watcher init` to set it up, and `watcher run` to keep watching.
    """


def main() -> None:
    """Run a command. Exit status: 0 done, 1 something failed, 2 wrong usage or configuration."""
    core_dumps.disable()
    streams.prepare()
    use_environment_language()
    try:
        translated(commands).main(prog_name="watcher", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as exit_request:
        sys.exit(exit_request.exit_code)
    except click.ClickException as usage_error:
        usage_error.show()
        sys.exit(usage_error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo(_("Stopped."), err=True)
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
        click.echo(_("watcher: cannot write to standard output: {reason}", reason=reason), err=True)
        sys.exit(1)
