"""`watcher login`, `code`, `resume`, `forget`: what only a person can do for an account."""

import sys
from pathlib import Path
from shlex import quote

import click

from watcher.actions import LOCK_TIMEOUT, accounts
from watcher.actions.accounts import NoUsableCookie
from watcher.app import App
from watcher.cli.act.check import account_names, handed_over_text, print_failure, print_read_results
from watcher.cli.context import open_context, refusals
from watcher.cli.options import CONFIG
from watcher.cli.terminal.input_file import read_input
from watcher.cli.terminal.output import print_error, print_line
from watcher.cli.terminal.prompts import AskedArgument, ask, ask_code
from watcher.cli.terminal.termination import finishing_on_sigterm
from watcher.errors import os_error_text
from watcher.messages import _
from watcher.model.account_health import ReadOutcome
from watcher.sign_in.code_sources import PromptedCode, tidy_code
from watcher.sign_in.cookie_formats import BadCookieFile

_ACCOUNT = click.argument("account")


@click.command("resume")
@CONFIG
@_ACCOUNT
def resume_command(config: Path | None, account: str) -> None:
    """Check ACCOUNT again after a rejected sign-in, a lock, or a missing code.

    The password (or other credential) that is set now is submitted once more, by `watcher run` within a minute or by
    `watcher check`. Correct it first if it was rejected.
    """
    with open_context(config) as app:
        account_names(app, (account,), param_hint="ACCOUNT")
        with refusals():
            print_line(accounts.resume_account(app, account))
    print_line(
        _(
            "`watcher check {account}` checks it now; `watcher run`, if running, does so within a minute.",
            account=quote(account),
        )
    )


@click.command("forget")
@CONFIG
@_ACCOUNT
def forget_command(config: Path | None, account: str) -> None:
    """Delete the saved session of ACCOUNT: cookies, tokens, and any unused one-time code.

    The website is not contacted. To end the session there too, sign out in your browser.
    """
    with open_context(config) as app:
        account_names(app, (account,), param_hint="ACCOUNT")
        with refusals():
            print_line(accounts.forget_session(app, account))


@click.command("code")
@CONFIG
@_ACCOUNT
@click.argument("code", cls=AskedArgument, question="One-time code")
def code_command(config: Path | None, account: str, code: str) -> None:
    """Enter the one-time CODE that a sign-in of `watcher run` is waiting for.

    Example: watcher code family 123456
    """
    try:
        tidy_code(code)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="CODE") from None
    with open_context(config) as app, refusals():
        account_names(app, (account,), param_hint="ACCOUNT")
        is_expected, text = accounts.enter_code(app, account, code)
    if not is_expected:
        text = f"{text} {_('`watcher login {quoted}` signs in and asks for one.', quoted=quote(account))}"
    print_line(text)


@click.command("login")
@CONFIG
@click.option(
    "--cookies",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Import the session of your browser: its cookies as cookies.txt, JSON, header string, or HAR.",
)
@_ACCOUNT
def login_command(config: Path | None, account: str, cookies: Path | None) -> None:
    """Sign in to ACCOUNT, asking here for the one-time code, and check it once.

    With --cookies the program does not sign in but uses the session of your own browser: sign in there, export the
    cookies, then run: watcher login ACCOUNT --cookies FILE
    """
    with open_context(config) as app, refusals():
        account_names(app, (account,), param_hint="ACCOUNT")
        if cookies is None and app.settings.accounts[account].is_handed_over:
            print_error(handed_over_text(account))
            sys.exit(1)
        if cookies is None and _needs_cookies(app, account):
            cookies = Path(ask(_("File with the cookies that your browser exported")))
        if cookies is not None:
            _import_cookies(app, account, cookies)
        accounts.end_pause(app, account, has_session=cookies is not None)
        result = app.poll(account, wait=LOCK_TIMEOUT, codes=PromptedCode(ask_code), attended=True)
        with finishing_on_sigterm(app.context.stop):
            app.outbox_worker().deliver_due(wait=LOCK_TIMEOUT)
        said = app.store.user_cases()
    print_read_results([result], [], said)
    if result.outcome is not ReadOutcome.OK:
        print_failure(result)
    sys.exit(0 if result.outcome is ReadOutcome.OK else 1)


def _needs_cookies(app: App, account: str) -> bool:
    """Return whether only a browser's session helps, and a person is there to name its file."""
    has_password = app.settings.accounts[account].credential() is not None
    return app.portal_of(account).session_hosts is not None and not has_password and sys.stdin.isatty()


def _import_cookies(app: App, account: str, file: Path) -> None:
    """Save the browser's cookies as the account's session. Cookies of other sites are ignored."""
    try:
        content = b"" if app.portal_of(account).session_hosts is None else _content(file)
        imported, skipped = accounts.import_cookies(app, account, content, file=str(file))
    except NoUsableCookie as error:
        for fault in error.skipped:
            print_error(fault)
        raise click.BadParameter(str(error), param_hint="--cookies") from None
    except (BadCookieFile, OSError) as error:
        reason = os_error_text(error) if isinstance(error, OSError) else error
        raise click.BadParameter(f"{file}: {reason}", param_hint="--cookies") from None
    for fault in skipped:
        print_error(fault)
    advice = _("Delete {file} now: whoever has it can use your account.", file=file) if file.is_file() else ""
    print_line(f"{imported} {advice}".rstrip())


def _content(file: Path) -> bytes:
    return read_input(file, max_bytes=accounts.MAX_COOKIE_FILE_SIZE)
