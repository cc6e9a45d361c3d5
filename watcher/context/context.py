"""What the shell works with, whatever it does: the store, the configuration, the time, and a way to tell people."""

import random
from dataclasses import dataclass, field, replace
from threading import Event

from watcher.alerts import compose
from watcher.clock import Clock
from watcher.context.opening import watched_cases
from watcher.model.account_health import Health
from watcher.model.alert import Occasion
from watcher.model.case import Snapshot
from watcher.model.change import Change, RecordedChange
from watcher.model.ledger import CaseStanding
from watcher.model.reminder import Reminder
from watcher.model.writes import News
from watcher.portals import find
from watcher.settings import AccountSettings, Settings
from watcher.store import Store


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
        news = compose.news_of(occasion, self.settings, now=self.clock.now(), baseline=baseline)
        since = self.store.restored.in_doubt_since(account.name) if news.drafts else None
        return news if since is None else compose.in_doubt(news, self.settings, since=since)

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
        return watched_cases(self.store, self.settings)
