"""The accounts in `watcher status`: one line if all is well, else a table, and what each needs from the user."""

from collections.abc import Mapping
from datetime import datetime
from shlex import quote

from watcher.cli.terminal.output import local_time, print_line, print_table, styled
from watcher.context.read_only import ReadOnlyContext
from watcher.language.catalogue import load_catalogue
from watcher.messages import _, current_language, mark, plural
from watcher.model.account_health import AccountState
from watcher.portals import find
from watcher.settings import AccountSettings
from watcher.views.accounts import ShownAccount
from watcher.views.words import account_text

_COLORS = {AccountState.OK: "green", AccountState.NEVER_READ: None}
_HEAD = (mark("ACCOUNT"), mark("PORTAL"), mark("STATE"), mark("LAST SUCCESSFUL CHECK"), mark("NEXT CHECK"))
_NEEDED = {
    AccountState.REJECTED: mark("{account}: sign-in rejected. Check the password, then run `watcher resume {typed}`."),
    AccountState.LOCKED: mark(
        "{account}: account locked. Unlock it on the official site, then run `watcher resume {typed}`."
    ),
    AccountState.MFA_NEEDED: mark("{account}: one-time code needed. Run `watcher login {typed}`."),
    AccountState.SESSION_ENDED: mark("{account}: sign in again. Run `watcher login {typed}`."),
    AccountState.PAUSED: mark("{account}: paused. Run `watcher resume {typed}`."),
}


def print_needed_sign_ins(accounts: Mapping[str, ShownAccount]) -> None:
    """Print what to do about each account that is not checked until a person acts."""
    for name, account in accounts.items():
        if account.state in _NEEDED:
            print_line(_(_NEEDED[account.state], account=name, typed=quote(name)), color="red")


def print_accounts(accounts: Mapping[str, ShownAccount], context: ReadOnlyContext) -> None:
    """Print one line if all accounts are well, else a table and what is wrong."""
    if not accounts:
        return
    if all(account.is_well for account in accounts.values()):
        print_line(_summary(accounts, context))
        _print_session_ends(accounts, context)
        return
    zone = context.settings.timezone
    rows = [
        (
            name,
            account.settings.portal,
            styled(account_text(account.state), _COLORS.get(account.state, "red")),
            local_time(account.health.last_read_at if account.health else None, zone),
            local_time(account.next_read_at, zone)
            if account.next_read_at and not _is_persons(account.settings)
            else "-",
        )
        for name, account in accounts.items()
    ]
    print_table(tuple(map(_, _HEAD)), rows, flexible=(0,))
    for name, account in accounts.items():
        if account.caution:
            text = load_catalogue(current_language()).message("caution", account.caution)
            print_line(f"{name}: {text}", color="yellow")
        if account.health and account.health.last_error:
            print_line(f"{name}: {account.health.last_error}", color="red")
    _print_session_ends(accounts, context)


def _print_session_ends(accounts: Mapping[str, ShownAccount], context: ReadOnlyContext) -> None:
    """Print when sessions end that the program cannot renew."""
    for name, account in accounts.items():
        ends_at = account.session_ends_at
        if ends_at and ends_at > context.clock.now() and account.settings.credential() is None:
            print_line(_("{account}: your session ends by {time}", account=name, time=_time(ends_at, context)))


def _summary(accounts: Mapping[str, ShownAccount], context: ReadOnlyContext) -> str:
    """Return how many accounts there are, when all of them had been checked, and when the first is checked next."""
    checked = [account for account in accounts.values() if not _is_persons(account.settings)]
    last = [account.health.last_read_at for account in checked or accounts.values() if account.health]
    now = context.clock.now()
    ahead = [account.next_read_at for account in checked if account.next_read_at and account.next_read_at > now]
    times = {"last": _time(min(filter(None, last), default=None), context)}
    if not ahead:
        return plural("{n} account, last checked {last}", "{n} accounts, last checked {last}", len(accounts), **times)
    return plural(
        "{n} account, last checked {last}, next check {next}",
        "{n} accounts, last checked {last}, next check {next}",
        len(accounts),
        next=_time(min(ahead), context),
        **times,
    )


def _is_persons(account: AccountSettings) -> bool:
    """Return whether a person visits the portal, and the program does not."""
    return account.is_handed_over or find(account.portal).is_manual


def _time(moment: datetime | None, context: ReadOnlyContext) -> str:
    """Return the time of a moment of today, else with the day. Babel, which knows better forms, takes long to load."""
    if moment is None:
        return _("never")
    local, today = (at.astimezone(context.settings.timezone) for at in (moment, context.clock.now()))
    time = f"{local:{_('%-I:%M %p')}}"
    return time if local.date() == today.date() else _("{date}, {time}", date=local.date(), time=time)
