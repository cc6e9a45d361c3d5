"""`watcher login`, `code`, `resume`, `forget`: what only a person can do for an account."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

import click

from watcher.app import App
from watcher.cli.act.check import account_names, print_failure, print_read_results
from watcher.cli.context import LOCK_TIMEOUT, open_context
from watcher.cli.options import CONFIG
from watcher.cli.terminal.input_file import read_input
from watcher.cli.terminal.output import print_error, print_line
from watcher.cli.terminal.prompts import AskedArgument, ask, ask_code
from watcher.cli.terminal.termination import finishing_on_sigterm
from watcher.errors import os_error_text
from watcher.messages import _, plural
from watcher.model.account_health import AccountState, ReadOutcome, resume
from watcher.reading.other_key import have_other_key, other_key_message
from watcher.reading.renamed import account_locks, keep_pause
from watcher.sign_in.code_sources import PromptedCode, tidy_code
from watcher.sign_in.cookie_files import read_cookies
from watcher.sign_in.cookie_formats import BadCookieFile
from watcher.sign_in.cookie_session import dump_cookies, exported
from watcher.store import Busy
from watcher.views.words import account_text

_MAX_COOKIE_FILE_SIZE = 16 * 1024 * 1024
_MAX_FAULTS = 3
"""How many of a file's odd cookies are named."""
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
        before = app.store.accounts.health(account, app.clock.now()).state
        _resume(app, account)
    if before.waits_for_person:
        print_line(_("{account}: no longer paused ({state}).", account=account, state=account_text(before)))
    else:
        print_line(
            _(
                "{account}: was not paused ({state}). Earlier rejected sign-ins no longer count.",
                account=account,
                state=account_text(before),
            )
        )
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
        with account_lock(app, account):
            try:
                existed = app.forget_session(account)
            except OSError as error:
                raise click.ClickException(f"{error.filename}: {os_error_text(error)}") from None
    print_line(
        _("{account}: saved session deleted.", account=account)
        if existed
        else _("{account}: there is no saved session.", account=account)
    )


@click.command("code")
@CONFIG
@_ACCOUNT
@click.argument("code", cls=AskedArgument, question="One-time code")
def code_command(config: Path | None, account: str, code: str) -> None:
    """Enter the one-time CODE that a sign-in of `watcher run` is waiting for.

    Example: watcher code family 123456
    """
    try:
        tidy = tidy_code(code)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="CODE") from None
    with open_context(config) as app:
        account_names(app, (account,), param_hint="ACCOUNT")
        _check_key(app, account)
        now = app.clock.now()
        app.inbox.put(account, tidy, at=now)
        is_expected = app.inbox.is_expected(account, now=now)
    if is_expected:
        print_line(_("{account}: code received. The waiting sign-in uses it within seconds.", account=account))
    else:
        print_line(
            _(
                "{account}: no sign-in is waiting for a code now. `watcher login {quoted}` signs in and asks for one.",
                account=account,
                quoted=quote(account),
            )
        )


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
    with open_context(config) as app:
        account_names(app, (account,), param_hint="ACCOUNT")
        if cookies is None and _needs_cookies(app, account):
            cookies = Path(ask(_("File with the cookies that your browser exported")))
        if cookies is not None:
            _import_cookies(app, account, cookies)
        _end_pause(app, account, has_session=cookies is not None)
        result = app.poll(account, wait=LOCK_TIMEOUT, codes=PromptedCode(ask_code))
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
    hosts_of = app.portal_of(account).session_hosts
    if hosts_of is None:
        raise click.UsageError(
            _(
                "Account {account} ({portal}) cannot use the session of a browser.",
                account=account,
                portal=_(app.portal_of(account).title),
            )
        )
    hosts = hosts_of(app.settings.accounts[account])
    try:
        content = read_input(file, max_bytes=_MAX_COOKIE_FILE_SIZE)
        selection = read_cookies(content, hosts=hosts, now=app.clock.now().timestamp())
    except (BadCookieFile, OSError) as error:
        reason = os_error_text(error) if isinstance(error, OSError) else error
        raise click.BadParameter(f"{file}: {reason}", param_hint="--cookies") from None
    for fault in selection.faults[:_MAX_FAULTS]:
        print_error(_("{file}: skipped: {fault}", file=file, fault=fault))
    if not selection.cookies:
        problem = _(
            "{file} has no usable cookie for {hosts} ({foreign} of other websites, {expired} expired)."
            " Sign in there with your browser, then export the cookies at once.",
            file=file,
            hosts=", ".join(sorted(hosts)),
            foreign=selection.foreign,
            expired=selection.expired,
        )
        raise click.BadParameter(problem, param_hint="--cookies")
    with account_lock(app, account):
        _check_key(app, account)
        app.sessions.of(account).save(dump_cookies(map(exported, selection.cookies)))
    imported = plural(
        "{account}: {n} cookie imported.", "{account}: {n} cookies imported.", len(selection.cookies), account=account
    )
    advice = _("Delete {file} now: whoever has it can use your account.", file=file) if file.is_file() else ""
    print_line(f"{imported} {advice}".rstrip())


def _check_key(app: App, account: str) -> None:
    """Exit if other machines would not be able to decrypt what this one stores about the account, nor the reverse."""
    if have_other_key(app.sealed_values(app.settings.accounts[account]), app.context):
        raise click.ClickException(f"{account}: {other_key_message(account)}")


def _end_pause(app: App, account: str, *, has_session: bool) -> None:
    """End a pause for a code or a session, since a person is present; with a new session, end any pause.

    A pause after a rejected password stays without a session, because the password would be submitted again.
    """
    with account_lock(app, account):
        _check_key(app, account)
        keep_pause(app.settings.accounts[account], app.context)
        health = app.store.accounts.health(account, app.clock.now())
        ends = health.state in {AccountState.MFA_NEEDED, AccountState.SESSION_ENDED}
        if ends or (has_session and health.state.waits_for_person):
            app.store.accounts.set_health(account, resume(health))


@contextmanager
def account_lock(app: App, account: str) -> Iterator[None]:
    """Hold the account's lock, so that no check in another process interferes."""
    try:
        with account_locks(app.settings.accounts[account], app.context, wait=LOCK_TIMEOUT):
            yield
    except Busy:
        raise click.ClickException(
            _("Another process is checking account {account}. Try again in a moment.", account=account)
        ) from None


def _resume(app: App, account: str) -> None:
    with account_lock(app, account):
        keep_pause(app.settings.accounts[account], app.context)
        now = app.clock.now()
        app.store.accounts.set_health(account, resume(app.store.accounts.health(account, now)))
        app.forget_rejections(account)
        app.store.accounts.set_next_read(account, now)
