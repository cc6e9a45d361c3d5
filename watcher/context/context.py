"""The context of everything that writes: store, settings, and clock. Records changes with their alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random, SystemRandom
from threading import Event

from watcher.alerts import compose
from watcher.alerts.coverage import is_limited
from watcher.clock import Clock
from watcher.context.known_cases import KnownCase, known_cases
from watcher.context.opening import watched_cases
from watcher.model.account_health import AccountHealth
from watcher.model.alert import AlertContext
from watcher.model.case import Snapshot
from watcher.model.change import Change, RecordedChange
from watcher.model.ledger import TrackedCase, UserCase
from watcher.model.reminder import SentReminder
from watcher.model.writes import ReadEnd, WriteSet
from watcher.portals import find
from watcher.settings import AccountSettings, Settings
from watcher.store import HeldLock, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Dependencies shared by all accounts of one daemon. `stop` is set on shutdown.

    `held` is the lock under which something is recorded, if any.
    """

    store: Store
    settings: Settings
    clock: Clock
    stop: Event = field(default_factory=Event)
    random: Random = field(default_factory=SystemRandom)
    held: HeldLock | None = None

    def verify_lock(self) -> None:
        """Raise `LockLost` if another process may have the lock by now."""
        if self.held is not None:
            self.held.verify()

    def record(
        self, writes: Sequence[WriteSet], *, now: datetime, read_end: ReadEnd | None = None
    ) -> list[RecordedChange]:
        """Record as `Store.record` does, unless the lock was lost. Raises `LockLost`."""
        return self.store.record(writes, now=now, read_end=read_end, held=self.held)

    def compose(
        self,
        account: AccountSettings,
        changes: tuple[Change, ...],
        *,
        snapshot: Snapshot | None = None,
        history: tuple[RecordedChange, ...] = (),
        baseline: bool = False,
        said: UserCase | None = None,
    ) -> WriteSet:
        """Return the changes of one case, or of the account, with their summaries and alerts. Does not write.

        `said` is what the user says about the case (None: it is looked up).
        """
        if not changes:
            return WriteSet(account=account.name)
        portal = find(account.portal)
        number = changes[0].case_number
        if number and said is None:
            said = self.store.user_case(number)
        cases = [] if number else self._account_cases(account)
        now = self.clock.now()
        alert_context = AlertContext(
            account=account.name,
            portal_title=portal.title,
            links=portal.links(account),
            changes=changes,
            snapshot=snapshot,
            history=history,
            now=now,
            agency=portal.agency_of(account),
            label=said.label if said else None,
            person=said.person if said else None,
            account_cases=tuple(
                UserCase(number=case.case_number, label=case.label, person=case.person) for case in cases
            ),
            plain_status=portal.plain_status_of(account, snapshot),
            unread=_unread(cases, now - self.settings.schedule.blind_after),
        )
        writes = compose.compose(alert_context, self.settings, now=now, baseline=baseline)
        return self.marked_if_uncertain(account, writes)

    def _account_cases(self, account: AccountSettings) -> list[KnownCase]:
        """Return the account's cases that are not finished, if a channel is only for some of them."""
        if not any(map(is_limited, self.settings.channels.values())):
            return []
        cases = known_cases(self.store, self.settings)
        return [case for case in cases if case.account == account.name and not case.finished]

    def marked_if_uncertain(self, account: AccountSettings, writes: WriteSet) -> WriteSet:
        """Return the writes, with a note if a restored backup leaves open whether their alerts were sent before."""
        since = self.store.restore_marks.uncertain_since(account.name) if writes.drafts else None
        return writes if since is None else compose.mark_uncertain(writes, self.settings, since=since)

    def record_changes(
        self,
        account: AccountSettings,
        changes: tuple[Change, ...],
        *,
        snapshot: Snapshot | None = None,
        health: AccountHealth | None = None,
        reminders: tuple[SentReminder, ...] = (),
        only_notified: bool = False,
    ) -> list[RecordedChange]:
        """Record the changes with their alerts, the health, and the sent reminders in one transaction.

        `only_notified` is that of `WriteSet`. Raises `LockLost` if the lock was lost.
        """
        writes = self.compose(account, changes, snapshot=snapshot)
        writes = replace(writes, health=health, reminders=reminders, only_notified=only_notified)
        return self.record([writes], now=self.clock.now())

    def watched_cases(self) -> list[TrackedCase]:
        """Return the stored cases that the configuration still lists."""
        return watched_cases(self.store, self.settings)


def _unread(cases: Sequence[KnownCase], since: datetime) -> frozenset[str]:
    """Return the numbers of the cases that were not read after `since`, and left out by a later check of others."""
    newest = max((case.last_read_at for case in cases if case.last_read_at), default=since)
    oldest = min(newest, since)
    return frozenset(case.case_number for case in cases if case.last_read_at and case.last_read_at < oldest)
