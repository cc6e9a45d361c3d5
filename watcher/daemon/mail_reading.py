"""The mailboxes of official mails in a worker: read when the supervisor says that one has something new."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

import structlog

from watcher.app import App
from watcher.daemon.schedule import Schedule
from watcher.model.account_health import ReadResult
from watcher.processes.channel import Message
from watcher.settings import Settings
from watcher.store import Busy

if TYPE_CHECKING:
    from watcher.official_mail.mailboxes import OfficialMailbox

_BUSY = timedelta(minutes=1)
_log = structlog.get_logger(__name__)


def waiting_messages(settings: Settings) -> list[dict[str, Any]]:
    """Return the mailboxes for the process that waits for mails."""
    return [mailbox.waiting_message() for mailbox in _mailboxes(settings).values()]


def _mailboxes(settings: Settings) -> dict[str, "OfficialMailbox"]:
    """Return the mailboxes of the configuration. IMAP is imported only if there is one."""
    if not any(account.official_mail for account in settings.accounts.values()):
        return {}
    from watcher.official_mail.mailboxes import official_mailboxes  # noqa: PLC0415

    return official_mailboxes(settings)


class MailReading:
    """Reads mailboxes in jobs of the schedule. Thread-safe."""

    def __init__(
        self,
        app: App,
        schedule: Schedule,
        *,
        send: Callable[[Message], object],
        check: Callable[[str], ReadResult],
        wake: Callable[[], object],
    ) -> None:
        """Read nothing yet.

        `send` gets how far a mailbox was read, `check` checks an account now, and `wake` lets alerts be delivered.
        """
        self._app, self._schedule, self._send, self._check, self._wake = app, schedule, send, check, wake
        self._retries: dict[str, datetime] = {}
        self._lock = Lock()

    @property
    def next_retry(self) -> datetime | None:
        """When a mailbox that could not be read is tried again; None if there is none."""
        with self._lock:
            return min(self._retries.values(), default=None)

    def read(self, name: str) -> None:
        """Read a mailbox soon."""
        self._schedule.at(f"mail {name}", self._app.clock.now(), lambda: self._read(name))

    def reconfigure(self, app: App) -> None:
        """Switch to another configuration. The supervisor says what to read."""
        with self._lock:
            self._app = app
            for name in self._retries:
                self._schedule.cancel(f"mail {name}")
            self._retries.clear()

    def _read(self, name: str) -> datetime | None:
        """Read a mailbox. Return when to try again, None if it was read."""
        app = self._app.refreshed()
        mailbox = _mailboxes(app.settings).get(name)
        if mailbox is None or app.context.stop.is_set():
            return None
        retry_at, validity, last_uid = self._read_mailbox(app, mailbox)
        with self._lock:
            self._retries.pop(name, None)
            if retry_at is not None:
                self._retries[name] = retry_at
        self._wake()
        self._send(
            {
                "is": "mail_read",
                "name": name,
                "validity": validity,
                "last_uid": last_uid,
                "is_deferred": retry_at is not None,
            }
        )
        return retry_at

    def _read_mailbox(self, app: App, mailbox: "OfficialMailbox") -> tuple[datetime | None, int, int]:
        # Imported only now: DKIM and DNS are not needed without a mailbox.
        from watcher.official_mail.dns import text_record  # noqa: PLC0415
        from watcher.official_mail.reading import OfficialMailReader  # noqa: PLC0415
        from watcher.official_mail.state import PURPOSE  # noqa: PLC0415
        from watcher.official_mail.unattended import can_check_unattended  # noqa: PLC0415

        reader = OfficialMailReader(
            mailbox=mailbox,
            context=app.context,
            saved=app.sessions.of(mailbox.name, PURPOSE),
            guard=app.mailbox_guard(next(iter(mailbox.accounts.values()))),
            lookup=text_record,
            can_check=lambda account: can_check_unattended(
                app.settings.accounts[account], app.portal_of(account), app.sessions.of(account), app.context
            ),
            check=self._check,
        )
        try:
            looked = reader.read()
        except Busy:
            return app.clock.now() + _BUSY, 0, 0
        return looked.retry_at, looked.validity, looked.last_uid
