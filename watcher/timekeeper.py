"""What time alone brings, written down: stalls, due dates, appointments, blindness. The shell around `remind`."""

from dataclasses import replace

from watcher import announce
from watcher.case import Snapshot
from watcher.change import Change, RecordedChange
from watcher.health import blindness
from watcher.message import Occasion
from watcher.poll import Means, is_watched
from watcher.portals import find
from watcher.remind import due
from watcher.standing import CaseStanding
from watcher.store import News


def keep_time(means: Means) -> list[RecordedChange]:
    """Records what time has brought since it was last asked, and queues the alerts; each thing is told once.

    Raises `StoreUnusable`.
    """
    return [*_reminders(means), *_blindness(means)]


def watched_cases(means: Means) -> list[CaseStanding]:
    """The cases in the books that the configuration still asks for."""
    accounts = means.settings.accounts
    return [
        case
        for case in means.store.standings()
        if case.account in accounts and is_watched(accounts[case.account], case.case_number)
    ]


def _reminders(means: Means) -> list[RecordedChange]:
    settings, now = means.settings, means.clock.now()
    cases = watched_cases(means)
    snapshots = {(case.account, case.case_number): case.snapshot for case in cases}
    reminded = due(
        cases,
        stall=settings.stall,
        deadlines=settings.deadlines,
        appointments=settings.appointments,
        zone=settings.timezone,
        now=now,
        told=means.store.reminders(),
    )
    recorded: list[RecordedChange] = []
    for each in reminded:
        news = _news(means, each.account, (each.change,), snapshots[each.account, each.case_number])
        recorded += means.store.record([replace(news, reminders=(each.mark,))], now=now)
    return recorded


def _blindness(means: Means) -> list[RecordedChange]:
    """A read that fails says so itself; this is for an account that has not been tried again since."""
    now = means.clock.now()
    recorded: list[RecordedChange] = []
    for name, (health, _) in means.store.accounts.known().items():
        if name in means.settings.accounts:
            darker, changes = blindness(health, now=now, blind_after=means.settings.schedule.blind_after)
            if changes:
                news = replace(_news(means, name, changes, None), health=darker)
                recorded += means.store.record([news], now=now)
    return recorded


def _news(means: Means, account: str, changes: tuple[Change, ...], snapshot: Snapshot | None) -> News:
    settings = means.settings.accounts[account]
    portal = find(settings.portal)
    occasion = Occasion(
        account=account,
        portal_title=portal.title,
        links=portal.links(settings),
        changes=changes,
        snapshot=snapshot,
    )
    return announce.news_of(occasion, means.settings, now=means.clock.now())
