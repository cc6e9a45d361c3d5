"""`watcher init`: create a working configuration by asking questions."""

import os
import sys
from pathlib import Path
from shlex import quote

import click

from watcher.actions.alerts import send_test
from watcher.app import App, open_app
from watcher.cli.act.check import print_failure, print_read_results
from watcher.cli.options import CONFIG
from watcher.cli.setup.guides import session_guide
from watcher.cli.setup.interview import ask_about_accounts, ask_about_channels, ask_setting, portal_advice
from watcher.cli.setup.page_questions import ask_about_page
from watcher.cli.setup.service import install_command
from watcher.cli.show.alerts import print_test_results
from watcher.cli.show.sign_in_link import new_link, print_link
from watcher.cli.terminal.output import command_name, print_error, print_line, print_table
from watcher.cli.terminal.prompts import ask, ask_choice, ask_code, confirm
from watcher.cli.terminal.termination import tidying_up_when_ended
from watcher.context.opening import read_settings
from watcher.errors import os_error_text
from watcher.messages import _, current_language, plural, use_language
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
    """Set up step by step: accounts, channels, a test sign-in, and a test alert.

    You can stop at any time and continue later. Passwords are saved in files that only you can read, and are never
    shown.
    """
    logs.configure(level="error", environ=os.environ)
    file = config or find_file(None, os.environ) or default_config_files(os.environ)[1]
    try:
        with tidying_up_when_ended():
            draft = ConfigDraft(file, environ=os.environ)
            _print_introduction(draft)
            _ask_about_user(draft)
            ask_about_accounts(draft)
            ask_about_channels(draft)
            ask_about_page(draft, os.environ)
            previous = draft.finish()
    except OSError as error:
        raise click.ClickException(
            _(
                "{path}: {reason}. No answer was lost. Use --config FILE for another place.",
                path=error.filename or file,
                reason=os_error_text(error),
            )
        ) from None
    if previous:
        print_line(_("Wrote {file}. The previous one is kept as {previous}.", file=draft.file, previous=previous))
    else:
        print_line(_("Wrote {file}.", file=draft.file))
    settings = read_settings(draft.file, os.environ)
    with open_app(settings) as app:
        success = _try_sign_ins(app)
        success = _try_channels(app.settings) and success
        _print_watched_cases(app)
        _print_next_steps(app, draft.file)
        if settings.web.listen:
            print_line()
            print_line(_("The page can be opened while `watcher run` is running."))
            print_link(new_link(app))
    sys.exit(0 if success else 1)


def _print_introduction(draft: ConfigDraft) -> None:
    print_error(click.wrap_text(portal_advice(), width=100))
    print_error("\n" + _("The configuration will be {file}.", file=draft.file))
    print_error(_("Press Enter to accept the answer in [brackets]. Press Ctrl-C to stop; your answers are kept."))
    if draft.resumed:
        print_error(_("Continuing with your earlier answers."))


def _ask_about_user(draft: ConfigDraft) -> None:
    language = ask_choice(_("Language for alerts?"), _LANGUAGES, str(draft.get(("language",)) or current_language()))
    draft.set(("language",), language)
    use_language(language)

    def ask_time_zone() -> str:
        current = draft.get(("timezone",)) or machine_zone().key
        draft.set(("timezone",), ask(_("Your time zone, for example America/New_York"), str(current)))
        return str(draft.get(("timezone",)))

    ask_setting(draft, ("timezone",), ask_time_zone)


def _try_sign_ins(app: App) -> bool:
    """Check each account once if the user agrees. Return False if one failed."""
    success = True
    for name, account in app.settings.accounts.items():
        if app.portal_of(name).is_manual or account.is_handed_over or _needs_session(app, account):
            continue
        if not confirm(_('Sign in to the account "{name}" now to test it?', name=name)):
            continue
        has_secret = getattr(account, "totp_secret", None) is not None
        result = app.poll(name, codes=None if has_secret else PromptedCode(ask_code))
        print_read_results([result], [], app.store.user_cases())
        if result.outcome is not ReadOutcome.OK:
            print_failure(result)
            success = False
    return success


def _needs_session(app: App, account: AccountSettings) -> bool:
    """Return whether the account needs a session from the user's own browser, and has none."""
    if account.is_handed_over:
        return False
    has_own_session = app.portal_of(account.name).session_hosts is not None and account.credential() is None
    return has_own_session and not app.sessions.of(account.name).load()


def _try_channels(settings: Settings) -> bool:
    """Send a test alert to each channel if the user agrees. Return False if one was not accepted."""
    if not settings.channels or not confirm(_("Send a test alert to every channel?")):
        return True
    results = [send_test(channel, language=settings.language_of(name)) for name, channel in settings.channels.items()]
    print_test_results(results)
    return all(result.error is None for result in results)


def _print_watched_cases(app: App) -> None:
    print_line()
    rows = [
        (case.account, case.case_number, (case.snapshot.form if case.snapshot else None) or "-", _status(case))
        for case in app.context.watched_cases()
    ]
    checked = {row[1] for row in rows}
    rows += [
        (name, number, "-", _("not checked yet"))
        for name, account in app.settings.accounts.items()
        for number in account.cases
        if number not in checked
    ]
    print_table((_("ACCOUNT"), _("CASE"), _("FORM"), _("STATUS")), rows)
    complete = [
        f'"{name}"'
        for name, account in app.settings.accounts.items()
        if not account.cases and not app.portal_of(name).is_manual
    ]
    if complete:
        text = plural(
            "All cases in the account {names} will be watched.",
            "All cases in the accounts {names} will be watched.",
            len(complete),
            names=", ".join(complete),
        )
        print_line(text)


def _status(case: TrackedCase) -> str:
    return (case.snapshot.status if case.snapshot else None) or _("not checked yet")


def _print_next_steps(app: App, file: Path) -> None:
    default_file = find_file(None, os.environ)
    is_default = default_file is not None and default_file.absolute() == file
    program, config = quote(command_name()), "" if is_default else f" --config {quote(str(file))}"
    steps = {}
    for name, account in app.settings.accounts.items():
        if _needs_session(app, account):
            command = f"{program} login{config} {quote(name)} --cookies FILE"
            steps[command] = _("sign in: import the session of your browser")
            print_line()
            print_line(_session_guide(app, account, command))
        elif account.is_handed_over:
            steps |= _hand_over_step(app, f"{program} {{}}{config} {quote(name)}")
    steps |= {
        f"{program} doctor{config}": _("check the whole setup"),
        f"{program} check{config}": _("check all cases now and send alerts"),
        f"{program} run{config}": _("keep checking until you stop it"),
        f"{program} {install_command(file)}": _("keep checking in the background"),
    }
    print_line()
    print_line(_("Next steps:"))
    for step, purpose in steps.items():
        print_line(f"  {step:<{max(map(len, steps))}}  # {purpose}")


def _hand_over_step(app: App, command: str) -> dict[str, str]:
    """Return how to hand over an account: with the page from the person's own tab, without it from files."""
    if app.settings.web.listen:
        return {command.format("handover"): _("hand over: make the bookmark for your browser")}
    return {f"{command.format('import')} FILE...": _("hand over: the answers saved from the website")}


def _session_guide(app: App, account: AccountSettings, command: str) -> str:
    portal = app.portal_of(account.name)
    hosts = sorted(portal.session_hosts(account)) if portal.session_hosts else []
    return session_guide(account.name, hosts=hosts, command=command, note=_(portal.session_note))
