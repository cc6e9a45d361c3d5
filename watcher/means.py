"""What the shell works with, whatever it does: the store, the configuration, the time, and a way to tell people."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from threading import Event

from watcher import announce
from watcher.case import Snapshot
from watcher.change import Change, RecordedChange
from watcher.clock import Clock
from watcher.health import Health
from watcher.message import Occasion
from watcher.portals import find
from watcher.remind import Reminder
from watcher.settings import AccountSettings, Settings
from watcher.standing import CaseStanding
from watcher.store import News, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """The same for every account of a daemon. `stop` is set when the daemon ends."""

    store: Store
    settings: Settings
    clock: Clock
    stop: Event = field(default_factory=Event)
    chance: random.Random = field(default_factory=random.SystemRandom)

    def news(
        self,
        account: AccountSettings,
        changes: tuple[Change, ...],
        *,
        snapshot: Snapshot | None = None,
        history: tuple[RecordedChange, ...] = (),
        baseline: bool = False,
    ) -> News:
        """The changes of one case, or of the account, with their words and the alerts they cause. Writes nothing."""
        if not changes:
            return News(account=account.name)
        portal = find(account.portal)
        occasion = Occasion(
            account=account.name,
            portal_title=portal.title,
            links=portal.links(account),
            changes=changes,
            snapshot=snapshot,
            history=history,
        )
        news = announce.news_of(occasion, self.settings, now=self.clock.now(), baseline=baseline)
        since = self.store.restored.in_doubt_since(account.name) if news.drafts else None
        return news if since is None else announce.in_doubt(news, self.settings, since=since)

    def tell(
        self,
        account: AccountSettings,
        changes: tuple[Change, ...],
        *,
        snapshot: Snapshot | None = None,
        health: Health | None = None,
        reminders: tuple[Reminder, ...] = (),
    ) -> list[RecordedChange]:
        """Records the changes and queues their alerts, with what belongs to them, in one transaction."""
        news = self.news(account, changes, snapshot=snapshot)
        news = replace(news, health=health, reminders=reminders)
        return self.store.record([news], now=self.clock.now())

    def watched_cases(self) -> list[CaseStanding]:
        """The cases in the books that the configuration still asks for."""
        cases = self.store.standings()
        wanted = {
            name: watched_among((case.case_number for case in cases if case.account == name), account)
            for name, account in self.settings.accounts.items()
        }
        return [case for case in cases if case.case_number in wanted.get(case.account, ())]


def watched_among(numbers: Iterable[str], account: AccountSettings) -> set[str]:
    """Those of the case numbers that the account's configuration still asks for; as `is_watched`, for many at once."""
    return set(numbers).intersection(account.cases) if account.cases else set(numbers)


def is_watched(account: AccountSettings, case_number: str) -> bool:
    """Whether the account's configuration still asks for this case: without a list it asks for all."""
    return not account.cases or case_number in account.cases
