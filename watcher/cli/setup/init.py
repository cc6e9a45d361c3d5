"""`watcher init`: asks its way to a configuration that works."""

import os
import sys
from pathlib import Path

import click
import tzlocal

from watcher.app import App, open_app
from watcher.cli.act.check import show_rounds
from watcher.cli.options import CONFIG
from watcher.cli.setup.interview import ask_about_accounts, ask_about_channels
from watcher.cli.setup.service import install_step
from watcher.cli.show.alerts import show_trials, try_channel
from watcher.cli.terminal.output import called, say, table, warn
from watcher.cli.terminal.prompts import ask, ask_for_code, ask_whether, ask_which
from watcher.context.opening import read_settings
from watcher.model.account_health import Outcome
from watcher.model.ledger import CaseStanding
from watcher.monitoring import logs
from watcher.settings import AccountSettings, Settings
from watcher.settings.config_files import find_file, reason, usual_files
from watcher.sign_in.code_sources import AskedFor
from watcher.wizard import Draft

_LANGUAGES = {"en": "English", "es": "Español", "fr": "Français"}


@click.command("init")
@CONFIG
def init_command(config: Path | None) -> None:
    """Asks its way to a working configuration, step by step; where you break off, it goes on next time.

    Passwords go into secret files that only you can read, and are never shown.
    """
    logs.configure(level="error", environ=os.environ)
    file = config or find_file(None, os.environ) or usual_files(os.environ)[1]
    try:
        draft = Draft(file, environ=os.environ)
        _greet(draft)
        _ask_about_the_person(draft)
        ask_about_accounts(draft)
        ask_about_channels(draft)
        kept = draft.finish()
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or file}: {reason(error)}; nothing was lost. --config FILE names another place"
        ) from None
    say(f"{draft.file} is written.{f' The one before is kept as {kept}.' if kept else ''}")
    settings = read_settings(draft.file, os.environ)
    with open_app(settings) as app:
        good = _try_sign_ins(app)
        good = _try_channels(app.settings) and good
        _show_what_is_watched(app)
    _say_what_is_next(draft.file)
    sys.exit(0 if good else 1)


def _greet(draft: Draft) -> None:
    warn(f"This writes {draft.file}. Enter takes what stands in [brackets]; Ctrl-C breaks off, and no answer is lost.")
    if draft.resumed:
        warn("It goes on from the answers that were given before.")


def _ask_about_the_person(draft: Draft) -> None:
    language = ask_which("In which language are you told things?", _LANGUAGES, str(draft.get(("language",)) or "en"))
    draft.set(("language",), language)
    while True:
        before = draft.get(("timezone",)) or tzlocal.get_localzone_name() or "UTC"
        draft.set(("timezone",), ask("Your time zone, such as America/New_York", str(before)))
        faults = [line for line in draft.faults() if ": timezone:" in line]
        if not faults:
            return
        draft.set(("timezone",), None)
        warn(faults[0])


def _try_sign_ins(app: App) -> bool:
    """One read of each account, where the person agrees; false where one failed."""
    good = True
    for name, account in app.settings.accounts.items():
        if not _can_be_tried(app, account) or not ask_whether(f"Sign in to {name} once now, to test it?"):
            continue
        has_secret = getattr(account, "totp_secret", None) is not None
        done = app.poll(name, codes=None if has_secret else AskedFor(ask_for_code))
        show_rounds([done], [])
        if done.outcome is not Outcome.OK:
            warn(f"{name}: {done.outcome.value}: {done.error}")
            good = False
    return good


def _can_be_tried(app: App, account: AccountSettings) -> bool:
    portal = app.portal_of(account.name)
    if portal.asks_a_person:
        return False
    if account.credential() is None and portal.session_hosts is not None and not app.sessions.of(account.name).load():
        say(f"{account.name}: sign in with your own browser, export its cookies, then")
        say(f"  watcher login {account.name} --cookies FILE")
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
    say()
    rows = [
        (case.account, case.case_number, (case.snapshot.form if case.snapshot else None) or "-", _status_of(case))
        for case in app.means.watched_cases()
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
        say(f"Watched is every case that the portal lists for {', '.join(everything)}.")


def _status_of(case: CaseStanding) -> str:
    return (case.snapshot.status if case.snapshot else None) or "not read yet"


def _say_what_is_next(file: Path) -> None:
    usual = find_file(None, os.environ)
    named = "" if usual is not None and usual.absolute() == file else f" --config {file}"
    say()
    steps = {
        f"{called()} run{named}": "keeps watch",
        f"{called()} doctor{named}": "looks over everything",
        f"{called()} {install_step(file)}": "makes it run by itself",
    }
    for step, what in steps.items():
        say(f"  {step:<{max(map(len, steps))}}  # {what}")
