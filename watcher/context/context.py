"""What the shell works with, whatever it does: the store, the configuration, the time, and a way to tell people."""

from dataclasses import dataclass, field, replace
from random import Random, SystemRandom
from threading import Event

from watcher.alerts import compose
from watcher.clock import Clock
from watcher.context.opening import watched_cases
from watcher.model.account_health import AccountHealth
from watcher.model.alert import AlertContext
from watcher.model.case import Snapshot
from watcher.model.change import Change, RecordedChange
from watcher.model.ledger import TrackedCase
from watcher.model.reminder import SentReminder
from watcher.model.writes import WriteSet
from watcher.portals import find
from watcher.settings import AccountSettings, Settings
from watcher.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The same for every account of a daemon. `stop` is set when the daemon ends."""

    store: Store
    settings: Settings
    clock: Clock
    stop: Event = field(default_factory=Event)
    random: Random = field(default_factory=SystemRandom)

    def compose(
        self,
        account: AccountSettings,
        changes: tuple[Change, ...],
        *,
        snapshot: Snapshot | None = None,
        history: tuple[RecordedChange, ...] = (),
        baseline: bool = False,
    ) -> WriteSet:
        """The changes of one case, or of the account, with their words and the alerts they cause. Writes nothing."""
        if not changes:
            return WriteSet(account=account.name)
        portal = find(account.portal)
        occasion = AlertContext(
            account=account.name,
            portal_title=portal.title,
            links=portal.links(account),
            changes=changes,
            snapshot=snapshot,
            history=history,
        )
        news = compose.compose(occasion, self.settings, now=self.clock.now(), baseline=baseline)
        since = self.store.restore_marks.uncertain_since(account.name) if news.drafts else None
        return news if since is None else compose.mark_uncertain(news, self.settings, since=since)

    def record_changes(
        self,
        account: AccountSettings,
        changes: tuple[Change, ...],
        *,
        snapshot: Snapshot | None = None,
        health: AccountHealth | None = None,
        reminders: tuple[SentReminder, ...] = (),
    ) -> list[RecordedChange]:
        """Records the changes and queues their alerts, with what belongs to them, in one transaction."""
        news = self.compose(account, changes, snapshot=snapshot)
        news = replace(news, health=health, reminders=reminders)
        return self.store.record([news], now=self.clock.now())

    def watched_cases(self) -> list[TrackedCase]:
        """The cases in the books that the configuration still asks for."""
        return watched_cases(self.store, self.settings)
