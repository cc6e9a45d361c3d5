"""What only a person can do for an account: resume it, give it a code or a session, forget its session."""

from collections.abc import Iterator
from contextlib import contextmanager

from watcher.actions import LOCK_TIMEOUT, NotPossible, Refused
from watcher.app import App
from watcher.clock.timestamps import utc_text
from watcher.errors import os_error_text
from watcher.messages import _, plural
from watcher.model.account_health import AccountState, resume
from watcher.reading.other_key import have_other_key, other_key_message
from watcher.reading.renamed import account_locks, keep_pause
from watcher.reading.session_end import note_session_end
from watcher.sign_in.code_sources import tidy_code
from watcher.sign_in.cookie_files import read_cookies
from watcher.sign_in.cookie_session import dump_cookies, exported
from watcher.store import Busy
from watcher.views.words import account_text

MAX_COOKIE_FILE_SIZE = 16 * 1024 * 1024
_MAX_FAULTS = 3
"""How many of a file's odd cookies are named."""


class NoUsableCookie(ValueError):
    """A file with cookies, but none for this account. The message names the file; `skipped` names odd cookies."""

    def __init__(self, problem: str, skipped: list[str]) -> None:
        super().__init__(problem)
        self.skipped = skipped


@contextmanager
def account_lock(app: App, account: str) -> Iterator[None]:
    """Hold the account's lock, so that no check in another process interferes. Raises `Refused` if one does not end."""
    try:
        with account_locks(app.settings.accounts[account], app.context, wait=LOCK_TIMEOUT):
            yield
    except Busy:
        raise Refused(
            _("Another process is checking account {account}. Try again in a moment.", account=account)
        ) from None


def resume_account(app: App, account: str) -> str:
    """Check an account again after a rejected sign-in, a lock, a missing code, or a wait that was asked for."""
    health = app.store.accounts.health(account, app.clock.now())
    before = health.state
    with account_lock(app, account):
        keep_pause(app.settings.accounts[account], app.context)
        now = app.clock.now()
        app.store.accounts.set_health(account, resume(app.store.accounts.health(account, now)))
        app.forget_rejections(account)
        app.store.accounts.set_next_read(account, now)
    if before.waits_for_person:
        return _("{account}: no longer paused ({state}).", account=account, state=account_text(before))
    if health.not_before is not None and health.not_before > now:
        return _("{account}: no longer waits until {until}.", account=account, until=utc_text(health.not_before))
    return _(
        "{account}: was not paused ({state}). Earlier rejected sign-ins no longer count.",
        account=account,
        state=account_text(before),
    )


def forget_session(app: App, account: str) -> str:
    """Delete the saved session of an account: cookies, tokens, and any unused one-time code."""
    with account_lock(app, account):
        try:
            existed = app.forget_session(account)
        except OSError as error:
            raise Refused(f"{error.filename}: {os_error_text(error)}") from None
    if existed:
        return _("{account}: saved session deleted.", account=account)
    return _("{account}: there is no saved session.", account=account)


def enter_code(app: App, account: str, typed: str) -> tuple[bool, str]:
    """Pass a one-time code to a sign-in that waits for it. Return whether one does, and what to say.

    Raises ValueError for what is no code, and `Refused`.
    """
    tidy = tidy_code(typed)
    check_key(app, account)
    now = app.clock.now()
    app.inbox.put(account, tidy, at=now)
    if app.inbox.is_expected(account, now=now):
        return True, _("{account}: code received. The waiting sign-in uses it within seconds.", account=account)
    return False, _("{account}: no sign-in is waiting for a code now.", account=account)


def import_cookies(app: App, account: str, content: bytes, *, file: str) -> tuple[str, list[str]]:
    """Save the cookies of a browser as the session of an account. Cookies of other sites are ignored.

    `file` is what messages call the content. Return what to say, and what was skipped. Raises `BadCookieFile`,
    `NoUsableCookie`, and `Refused`.
    """
    portal = app.portal_of(account)
    if portal.session_hosts is None:
        raise NotPossible(
            _(
                "Account {account} ({portal}) cannot use the session of a browser.",
                account=account,
                portal=_(portal.title),
            )
        )
    hosts = portal.session_hosts(app.settings.accounts[account])
    selection = read_cookies(content, hosts=hosts, now=app.clock.now().timestamp())
    skipped = [_("{file}: skipped: {fault}", file=file, fault=fault) for fault in selection.faults[:_MAX_FAULTS]]
    if not selection.cookies:
        problem = _(
            "{file} has no usable cookie for {hosts} ({foreign} of other websites, {expired} expired)."
            " Sign in there with your browser, then export the cookies at once.",
            file=file,
            hosts=", ".join(sorted(hosts)),
            foreign=selection.foreign,
            expired=selection.expired,
        )
        raise NoUsableCookie(problem, skipped)
    with account_lock(app, account):
        check_key(app, account)
        session = dump_cookies(map(exported, selection.cookies), began_at=app.clock.now())
        app.sessions.of(account).save(session)
        note_session_end(app.settings.accounts[account], portal, app.sessions.of(account), app.context)
    imported = plural(
        "{account}: {n} cookie imported.", "{account}: {n} cookies imported.", len(selection.cookies), account=account
    )
    return imported, skipped


def end_pause(app: App, account: str, *, has_session: bool) -> None:
    """End a pause for a code or a session, since a person is present; with a new session, end any pause.

    A pause after a rejected password stays without a session, because the password would be submitted again.
    """
    with account_lock(app, account):
        check_key(app, account)
        keep_pause(app.settings.accounts[account], app.context)
        health = app.store.accounts.health(account, app.clock.now())
        ends = health.state in {AccountState.MFA_NEEDED, AccountState.SESSION_ENDED}
        if ends or (has_session and health.state.waits_for_person):
            app.store.accounts.set_health(account, resume(health))


def check_key(app: App, account: str) -> None:
    """Raise `Refused` if other machines could not decrypt what this one stores about the account, nor the reverse."""
    if have_other_key(app.sealed_values(app.settings.accounts[account]), app.context):
        raise Refused(f"{account}: {other_key_message(account)}")
