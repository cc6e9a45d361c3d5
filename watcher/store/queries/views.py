"""Read access to accounts, the outbox, and who may use the page, for code that only shows something."""

from collections.abc import Sequence
from datetime import datetime

from watcher.model.account_health import AccountHealth
from watcher.model.alert import Alert, AlertState
from watcher.model.change import RecordedChange
from watcher.model.web import KeyKind, Passkey, PushSubscription, WebKey
from watcher.privacy.web_tokens import digest_of
from watcher.store.database.query import OpenReader
from watcher.store.queries import accounts, changes, outbox, sealed, web


class AccountsView:
    """Accounts by name. Every method sees one consistent state."""

    def __init__(self, queries: OpenReader) -> None:
        self._queries = queries

    def all(self) -> dict[str, tuple[AccountHealth, datetime | None]]:
        """Return health and next check of every account by name."""
        with self._queries() as run:
            return accounts.all_accounts(run)

    def session_ends(self) -> dict[str, datetime]:
        """Return when the saved session of an account ends at the latest, by account, where that is known."""
        with self._queries() as run:
            return accounts.session_ends(run)

    def sign_ins_since(self, login: str | None, account: str, since: datetime) -> int:
        """Return how many sign-ins since then count against the daily limit of an account."""
        with self._queries() as run:
            return accounts.counted_submissions(run, (login or account, account), since)[0]

    def has_session(self, account: str) -> bool:
        """Return whether a session of an account is saved, which may have ended."""
        with self._queries() as run:
            return sealed.sealed_content(run, account, "session") is not None


class OutboxView:
    """Alerts by their state. Every method sees one consistent state."""

    def __init__(self, queries: OpenReader) -> None:
        self._queries = queries

    def list(self, *, limit: int | None = None, state: AlertState | None = None) -> Sequence[Alert]:
        """Return alerts (in this state), newest first."""
        with self._queries() as run:
            return outbox.alerts(run, limit=limit, state=state)

    def find(self, number: int) -> tuple[Alert, Sequence[RecordedChange]] | None:
        """Return the alert with this number and the changes it is about, oldest first; None if there is none."""
        with self._queries() as run:
            found = outbox.alerts(run, id=number)
            return (found[0], changes.with_ids(run, found[0].change_ids)) if found else None

    def sent_with(self, number: int) -> Sequence[tuple[Alert, Sequence[RecordedChange]]]:
        """Return the other alerts that the message of this one included, oldest first, with their changes."""
        with self._queries() as run:
            found = outbox.alerts(run, state=AlertState.SENT, covered_by=number)
            return [(alert, changes.with_ids(run, alert.change_ids)) for alert in reversed(found)]

    def counts(self) -> dict[AlertState, int]:
        """Return how many alerts there are in each state."""
        with self._queries() as run:
            return outbox.alert_counts(run)


class WebView:
    """Who may use the page. Every method sees one consistent state."""

    def __init__(self, queries: OpenReader) -> None:
        self._queries = queries

    def find(self, kind: KeyKind, token: str) -> WebKey | None:
        """Return the key of this kind with this token, also one that has expired; None if there is none."""
        with self._queries() as run:
            return web.key_with(run, kind, digest_of(token))

    def keys(self, kind: KeyKind) -> list[WebKey]:
        """Return every key of this kind, oldest first, also those that have expired."""
        with self._queries() as run:
            return web.keys(run, kind)

    def passkeys(self) -> list[Passkey]:
        """Return every passkey, oldest first."""
        with self._queries() as run:
            return web.passkeys(run)

    def passkey(self, credential: bytes) -> Passkey | None:
        """Return the passkey with this credential id; None if there is none."""
        with self._queries() as run:
            return web.passkey_with(run, credential)

    def push_subscriptions(self) -> list[PushSubscription]:
        """Return the push subscription of each device that has one, oldest first."""
        with self._queries() as run:
            return web.push_subscriptions(run)

    def alert_of_link(self, token: str) -> tuple[int, datetime] | None:
        """Return the number and the creation of the alert whose link has this token; None if there is none."""
        with self._queries() as run:
            return web.alert_of_link(run, digest_of(token))
