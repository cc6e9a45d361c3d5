"""`watcher init`: create a working configuration by asking questions."""

import os
import sys
from pathlib import Path

import click

from watcher.app import App, open_app
from watcher.cli.act.check import print_read_results
from watcher.cli.options import CONFIG
from watcher.cli.setup.interview import ask_about_accounts, ask_about_channels
from watcher.cli.setup.service import install_command
from watcher.cli.show.alerts import print_test_results, send_test
from watcher.cli.terminal.output import command_name, print_error, print_line, print_table
from watcher.cli.terminal.prompts import ask, ask_choice, ask_code, confirm
from watcher.context.opening import read_settings
from watcher.errors import os_error_text
from watcher.model.account_health import ReadOutcome
from watcher.model.ledger import TrackedCase
from watcher.monitoring import logs
from watcher.settings import AccountSettings, Settings
from watcher.settings.config_files import default_config_files, find_file
from watcher.settings.machine_zone import machine_zone
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
        _print_introduction(draft)
        _ask_about_user(draft)
        ask_about_accounts(draft)
        ask_about_channels(draft)
        previous = draft.finish()
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or file}: {os_error_text(error)}; nothing was lost. --config FILE names another place"
        ) from None
    print_line(f"{draft.file} is written.{f' The one before is kept as {previous}.' if previous else ''}")
    settings = read_settings(draft.file, os.environ)
    with open_app(settings) as app:
        success = _try_sign_ins(app)
        success = _try_channels(app.settings) and success
        _print_watched_cases(app)
    _print_next_steps(draft.file)
    sys.exit(0 if success else 1)


def _print_introduction(draft: ConfigDraft) -> None:
    print_error(
        f"This writes {draft.file}. Enter takes what stands in [brackets]; Ctrl-C breaks off, and no answer is lost."
    )
    if draft.resumed:
        print_error("It goes on from the answers that were given before.")


def _ask_about_user(draft: ConfigDraft) -> None:
    language = ask_choice("In which language are you told things?", _LANGUAGES, str(draft.get(("language",)) or "en"))
    draft.set(("language",), language)
    while True:
        current = draft.get(("timezone",)) or machine_zone().key
        draft.set(("timezone",), ask("Your time zone, such as America/New_York", str(current)))
        faults = [line for line in draft.faults() if ": timezone:" in line]
        if not faults:
            return
        draft.set(("timezone",), None)
        print_error(faults[0])


def _try_sign_ins(app: App) -> bool:
    """Check each account once if the user agrees. Return False if one failed."""
    success = True
    for name, account in app.settings.accounts.items():
        if not _can_sign_in(app, account) or not confirm(f"Sign in to {name} once now, to test it?"):
            continue
        has_secret = getattr(account, "totp_secret", None) is not None
        result = app.poll(name, codes=None if has_secret else PromptedCode(ask_code))
        print_read_results([result], [])
        if result.outcome is not ReadOutcome.OK:
            print_error(f"{name}: {result.outcome.value}: {result.error}")
            success = False
    return success


def _can_sign_in(app: App, account: AccountSettings) -> bool:
    portal = app.portal_of(account.name)
    if portal.is_manual:
        return False
    if account.credential() is None and portal.session_hosts is not None and not app.sessions.of(account.name).load():
        print_line(f"{account.name}: sign in with your own browser, export its cookies, then")
        print_line(f"  watcher login {account.name} --cookies FILE")
        return False
    return True


def _try_channels(settings: Settings) -> bool:
    """Send a test alert to each channel if the user agrees. Return False if one was not accepted."""
    if not settings.channels or not confirm("Send a test alert to every channel?"):
        return True
    results = [send_test(channel) for channel in settings.channels.values()]
    print_test_results(results)
    return all(result.error is None for result in results)


def _print_watched_cases(app: App) -> None:
    print_line()
    rows = [
        (case.account, case.case_number, (case.snapshot.form if case.snapshot else None) or "-", _status(case))
        for case in app.context.watched_cases()
    ]
    checked = {number for _, number, _, _ in rows}
    rows += [
        (name, number, "-", "not read yet")
        for name, account in app.settings.accounts.items()
        for number in account.cases
        if number not in checked
    ]
    print_table(("ACCOUNT", "CASE", "FORM", "STATUS"), rows)
    complete_accounts = [name for name, account in app.settings.accounts.items() if not account.cases]
    if complete_accounts:
        print_line(f"Watched is every case that the portal lists for {', '.join(complete_accounts)}.")


def _status(case: TrackedCase) -> str:
    return (case.snapshot.status if case.snapshot else None) or "not read yet"


def _print_next_steps(file: Path) -> None:
    default_file = find_file(None, os.environ)
    config_option = "" if default_file is not None and default_file.absolute() == file else f" --config {file}"
    print_line()
    steps = {
        f"{command_name()} run{config_option}": "keeps watch",
        f"{command_name()} doctor{config_option}": "looks over everything",
        f"{command_name()} {install_command(file)}": "makes it run by itself",
    }
    for step, purpose in steps.items():
        print_line(f"  {step:<{max(map(len, steps))}}  # {purpose}")
