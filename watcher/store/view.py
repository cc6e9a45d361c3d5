"""The books as they stand, for whoever only looks. What can also write (`Store`) is a view with more to it."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime

from watcher.change import ChangeKind, RecordedChange
from watcher.health import Health
from watcher.message import Alert, AlertState
from watcher.standing import CaseStanding, KeptNotice, LedgerItem
from watcher.store import standings
from watcher.store.locks import Locks
from watcher.store.questions import Looking


class AccountsView:
    """What is known of accounts."""

    def __init__(self, looking: Looking) -> None:
        """Every method looks once."""
        self._looking = looking

    def known(self) -> dict[str, tuple[Health, datetime | None]]:
        """Health and next read of every account in the books."""
        with self._looking() as ask:
            return standings.known_accounts(ask)


class OutboxView:
    """Alerts by their state."""

    def __init__(self, looking: Looking) -> None:
        """Every method looks once."""
        self._looking = looking

    def list(self, *, limit: int | None = None, state: AlertState | None = None) -> Sequence[Alert]:
        """Alerts, newest first."""
        with self._looking() as ask:
            return standings.alerts(ask, limit=limit, state=state)

    def counts(self) -> dict[AlertState, int]:
        """How many alerts there are in each state."""
        with self._looking() as ask:
            return standings.alert_counts(ask)


class View(ABC):
    """Everything that can be seen. `where` names the database, for messages; `locks` tell who is at work on it.

    `shared`: several daemons may work on it; else one is enough. Every method raises `StoreUnusable`.
    """

    where: str
    shared: bool
    locks: Locks
    accounts: AccountsView
    outbox: OutboxView

    def __init__(self, looking: Looking) -> None:
        """Every method looks once."""
        self._looking = looking

    @abstractmethod
    def close(self) -> None:
        """Closes what is open of the database."""

    def standings(self, account: str | None = None, case_number: str | None = None) -> list[CaseStanding]:
        """Every case in the books (of this account, of this number), with its items and notices."""
        with self._looking() as ask:
            return standings.standings(ask, account, case_number)

    def case_numbers(self) -> list[str]:
        """The number of every case in the books, each once, in order."""
        with self._looking() as ask:
            return standings.case_numbers(ask)

    def history(
        self,
        *,
        accounts: Collection[str] | None = None,
        case_number: str | None = None,
        kinds: Collection[ChangeKind] | None = None,
        limit: int | None = None,
    ) -> list[RecordedChange]:
        """Every recorded change (of these accounts, this case, these kinds), newest first."""
        with self._looking() as ask:
            return standings.history(ask, accounts=accounts, case_number=case_number, kinds=kinds, limit=limit)

    def items(self) -> list[LedgerItem]:
        """Every pending item that was ever seen, in the order of its first sight."""
        with self._looking() as ask:
            return standings.items(ask)

    def notices(self, account: str | None = None) -> list[KeptNotice]:
        """Every notice that was ever seen (of this account), in the order of its first sight."""
        with self._looking() as ask:
            return standings.notices(ask, account)
