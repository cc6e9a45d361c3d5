"""`watcher init`: asks its way to a configuration that works."""

import os
import sys
from pathlib import Path

import click
import tzlocal

from watcher.app import App, open_app
from watcher.cli.act.check import show_read_results
from watcher.cli.options import CONFIG
from watcher.cli.setup.interview import ask_about_accounts, ask_about_channels
from watcher.cli.setup.service import install_step
from watcher.cli.show.alerts import show_trials, try_channel
from watcher.cli.terminal.output import command_name, print_error, print_line, table
from watcher.cli.terminal.prompts import ask, ask_for_code, ask_whether, ask_which
from watcher.context.opening import read_settings
from watcher.errors import os_error_text
from watcher.model.account_health import ReadOutcome
from watcher.model.ledger import TrackedCase
from watcher.monitoring import logs
from watcher.settings import AccountSettings, Settings
from watcher.settings.config_files import default_config_files, find_file
from watcher.sign_in.code_sources import PromptedCode
from watcher.wizard import ConfigDraft

_LANGUAGES = {"en": "English", "es": "Español", "fr": "Français"}


@click.command("init")
@CONFIG
def init_command(config: Path | None) -> None:
    """Asks its way to a working configuration, step by step; where you break off, it goes on next time.

    Passwords go into secret files that only you can read, and are never shown.
    """
    logs.configure(level="error", environ=os.environ)
    file = config or find_file(None, os.environ) or default_config_files(os.environ)[1]
    try:
        draft = ConfigDraft(file, environ=os.environ)
        _greet(draft)
        _ask_about_the_person(draft)
        ask_about_accounts(draft)
        ask_about_channels(draft)
        kept = draft.finish()
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or file}: {os_error_text(error)}; nothing was lost. --config FILE names another place"
        ) from None
    print_line(f"{draft.file} is written.{f' The one before is kept as {kept}.' if kept else ''}")
    settings = read_settings(draft.file, os.environ)
    with open_app(settings) as app:
        good = _try_sign_ins(app)
        good = _try_channels(app.settings) and good
        _show_what_is_watched(app)
    _say_what_is_next(draft.file)
    sys.exit(0 if good else 1)


def _greet(draft: ConfigDraft) -> None:
    print_error(
        f"This writes {draft.file}. Enter takes what stands in [brackets]; Ctrl-C breaks off, and no answer is lost."
    )
    if draft.resumed:
        print_error("It goes on from the answers that were given before.")


def _ask_about_the_person(draft: ConfigDraft) -> None:
    language = ask_which("In which language are you told things?", _LANGUAGES, str(draft.get(("language",)) or "en"))
    draft.set(("language",), language)
    while True:
        before = draft.get(("timezone",)) or tzlocal.get_localzone_name() or "UTC"
        draft.set(("timezone",), ask("Your time zone, such as America/New_York", str(before)))
        faults = [line for line in draft.faults() if ": timezone:" in line]
        if not faults:
            return
        draft.set(("timezone",), None)
        print_error(faults[0])


def _try_sign_ins(app: App) -> bool:
    """One read of each account, where the person agrees; false where one failed."""
    good = True
    for name, account in app.settings.accounts.items():
        if not _can_be_tried(app, account) or not ask_whether(f"Sign in to {name} once now, to test it?"):
            continue
        has_secret = getattr(account, "totp_secret", None) is not None
        done = app.poll(name, codes=None if has_secret else PromptedCode(ask_for_code))
        show_read_results([done], [])
        if done.outcome is not ReadOutcome.OK:
            print_error(f"{name}: {done.outcome.value}: {done.error}")
            good = False
    return good


def _can_be_tried(app: App, account: AccountSettings) -> bool:
    portal = app.portal_of(account.name)
    if portal.is_manual:
        return False
    if account.credential() is None and portal.session_hosts is not None and not app.sessions.of(account.name).load():
        print_line(f"{account.name}: sign in with your own browser, export its cookies, then")
        print_line(f"  watcher login {account.name} --cookies FILE")
        return False
    return True


def _try_channels(settings: Settings) -> bool:
    """A test alert to each channel, where the person agrees; false where one was not taken."""
    if not settings.channels or not ask_whether("Send a test alert to every channel?"):
        return True
    trials = [try_channel(channel) for channel in settings.channels.values()]
    show_trials(trials)
    return all(trial.error is None for trial in trials)


def _show_what_is_watched(app: App) -> None:
    print_line()
    rows = [
        (case.account, case.case_number, (case.snapshot.form if case.snapshot else None) or "-", _status_of(case))
        for case in app.context.watched_cases()
    ]
    read = {number for _, number, _, _ in rows}
    rows += [
        (name, number, "-", "not read yet")
        for name, account in app.settings.accounts.items()
        for number in account.cases
        if number not in read
    ]
    table(("ACCOUNT", "CASE", "FORM", "STATUS"), rows)
    everything = [name for name, account in app.settings.accounts.items() if not account.cases]
    if everything:
        print_line(f"Watched is every case that the portal lists for {', '.join(everything)}.")


def _status_of(case: TrackedCase) -> str:
    return (case.snapshot.status if case.snapshot else None) or "not read yet"


def _say_what_is_next(file: Path) -> None:
    usual = find_file(None, os.environ)
    named = "" if usual is not None and usual.absolute() == file else f" --config {file}"
    print_line()
    steps = {
        f"{command_name()} run{named}": "keeps watch",
        f"{command_name()} doctor{named}": "looks over everything",
        f"{command_name()} {install_step(file)}": "makes it run by itself",
    }
    for step, what in steps.items():
        print_line(f"  {step:<{max(map(len, steps))}}  # {what}")
