"""The accounts as they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from watcher.context.read_only import ReadOnlyContext
from watcher.model.account_health import AccountHealth, AccountState, handed_over_health
from watcher.model.overdue_check import apparent_health
from watcher.portals import find
from watcher.settings import AccountSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAccount:
    """An account of the configuration as it is shown; `health` is None if it was never checked.

    `session_ends_at` is when the session from the user's own browser ends at the latest, if there is one.
    """

    settings: AccountSettings
    health: AccountHealth | None
    next_read_at: datetime | None
    session_ends_at: datetime | None = None

    @property
    def state(self) -> AccountState:
        """The state of the account."""
        return self.health.state if self.health else AccountState.NEVER_READ

    @property
    def caution(self) -> str:
        """What its portal says of the account, such as `sandbox`; "" for nothing."""
        return find(self.settings.portal).caution(self.settings)

    @property
    def is_well(self) -> bool:
        """Whether the last check worked and there is nothing to say."""
        is_ok = self.health is not None and self.health.state is AccountState.OK and not self.health.last_error
        return is_ok and not self.caution


def shown_accounts(context: ReadOnlyContext) -> Mapping[str, ShownAccount]:
    """Return every account of the configuration; checks that hang or have stopped count as failing."""
    now, blind_after = context.clock.now(), context.settings.schedule.blind_after
    stored, sessions = context.store.accounts.all(), context.store.accounts.session_ends()
    shown = dict[str, ShownAccount]()
    for name, account in context.settings.accounts.items():
        health, next_read_at = stored.get(name, (None, None))
        if health is not None and account.is_handed_over:
            health = handed_over_health(health)
        elif health is not None and not find(account.portal).is_manual:
            health = apparent_health(health, next_read_at, now=now, blind_after=blind_after)
        shown[name] = ShownAccount(
            settings=account, health=health, next_read_at=next_read_at, session_ends_at=sessions.get(name)
        )
    return shown


def is_never_checked(accounts: Mapping[str, ShownAccount]) -> bool:
    """Return whether no account was ever checked."""
    return all(account.state is AccountState.NEVER_READ for account in accounts.values())
