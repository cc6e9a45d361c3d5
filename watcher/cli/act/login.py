"""`watcher login`, `code`, `resume`: what only a person can do for an account."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from watcher.app import App
from watcher.cli.act.check import show_read_results
from watcher.cli.context import open_context
from watcher.cli.options import CONFIG
from watcher.cli.terminal.output import print_error, print_line
from watcher.cli.terminal.prompts import ask_for_code
from watcher.model.account_health import AccountState, ReadOutcome, resume
from watcher.sign_in.code_sources import PromptedCode, tidy_code
from watcher.sign_in.cookie_files import BadCookieFile, read_cookies
from watcher.sign_in.cookie_session import dump_cookies, exported
from watcher.store import Busy

_WAIT_FOR_DAEMON = 120.0
_LARGEST_COOKIE_FILE = 16 * 1024 * 1024
ACCOUNT = click.argument("account")


@click.command("resume")
@CONFIG
@ACCOUNT
def resume_command(config: Path | None, account: str) -> None:
    """Lifts the pause of ACCOUNT after a rejected sign-in, a lock or a missing code.

    The credential that is set now is submitted once more, by `watcher run` within a minute, or by `watcher check`.
    """
    with open_context(config) as app:
        _known(app, account)
        before = app.store.accounts.health(account, app.clock.now()).state
        _lift(app, account)
    if before.waits_for_person:
        print_line(f"{account}: the pause ({before.value}) is lifted.")
    else:
        print_line(
            f"{account}: it was not paused ({before.value}); what was refused or cut off before no longer counts."
        )
    print_line(f"`watcher check {account}` reads it now; a running `watcher run` does so within a minute.")


@click.command("code")
@CONFIG
@ACCOUNT
@click.argument("code")
def code_command(config: Path | None, account: str, code: str) -> None:
    """Hands the one-time CODE that the portal sent to the `watcher run` that waits for it."""
    try:
        tidy = tidy_code(code)
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint="CODE") from None
    with open_context(config) as app:
        _known(app, account)
        app.inbox.put(account, tidy, at=app.clock.now())
        state = app.store.accounts.health(account, app.clock.now()).state
    print_line(f"{account}: the code is handed over; a sign-in that waits for it takes it within seconds.")
    if state.waits_for_person:
        print_line(
            f"No sign-in waits now ({state.value}): say `watcher resume {account}`, then hand in the newest code."
        )


@click.command("login")
@CONFIG
@click.option(
    "--cookies",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Take over the session of your own browser: its cookies as cookies.txt or JSON.",
)
@ACCOUNT
def login_command(config: Path | None, account: str, cookies: Path | None) -> None:
    """Signs ACCOUNT in by hand, asking here for the one-time code, and reads it once; the session is kept.

    With --cookies nothing is signed in: a session that you opened in your own browser is used from now on.
    """
    with open_context(config) as app:
        _known(app, account)
        if cookies is not None:
            _take_over(app, account, cookies)
        _let_in(app, account)
        done = app.poll(account, wait=_WAIT_FOR_DAEMON, codes=PromptedCode(ask_for_code))
        app.outbox_worker().deliver_due(wait=_WAIT_FOR_DAEMON)
    show_read_results([done], [])
    if done.outcome is not ReadOutcome.OK:
        print_error(f"{account}: {done.outcome.value}: {done.error}")
    sys.exit(0 if done.outcome is ReadOutcome.OK else 1)


def _take_over(app: App, account: str, file: Path) -> None:
    """Puts the browser's cookies in the place of the session. Others' cookies in the file are left alone."""
    hosts_of = app.portal_of(account).session_hosts
    if hosts_of is None:
        raise click.UsageError(f"{account}: {app.portal_of(account).title} has no session that a browser could lend")
    hosts = hosts_of(app.settings.accounts[account])
    try:
        with file.open("rb") as opened_file:
            content = opened_file.read(_LARGEST_COOKIE_FILE)
        found = read_cookies(content, hosts=hosts, now=app.clock.now().timestamp())
    except (BadCookieFile, OSError) as fault:
        raise click.BadParameter(f"{file}: {fault}", param_hint="--cookies") from None
    if not found.cookies:
        told = f"{found.foreign} of other sites, {found.expired} that have run out"
        raise click.BadParameter(
            f"{file}: holds no cookie for {', '.join(sorted(hosts))} ({told}); sign in with your browser, then export",
            param_hint="--cookies",
        )
    with _held(app, account):
        app.sessions.of(account).save(dump_cookies(map(exported, found.cookies)))
    print_line(f"{account}: {len(found.cookies)} cookies taken over. Delete {file}: it is as good as your password.")


def _let_in(app: App, account: str) -> None:
    """A person who sits here is what a pause for a missing code waits for; a refused password is another matter."""
    health = app.store.accounts.health(account, app.clock.now())
    if health.state is AccountState.MFA_NEEDED:
        with _held(app, account):
            app.store.accounts.set_health(account, resume(health))


def _known(app: App, account: str) -> None:
    if account not in app.settings.accounts:
        known = ", ".join(app.settings.accounts) or "none"
        raise click.BadParameter(f"no account {account} in the configuration; there are: {known}", param_hint="ACCOUNT")


@contextmanager
def _held(app: App, account: str) -> Iterator[None]:
    """The account's lock, so that no read of another process writes over what is done here."""
    try:
        with app.store.locks.acquire(f"account {account}", wait=_WAIT_FOR_DAEMON):
            yield
    except Busy:
        raise click.ClickException(f"{account}: another process is reading this account; try again soon") from None


def _lift(app: App, account: str) -> None:
    with _held(app, account):
        now = app.clock.now()
        app.store.accounts.set_health(account, resume(app.store.accounts.health(account, now)))
        app.sign_in_guard(account).reset()
        app.store.accounts.set_next_read(account, now)
