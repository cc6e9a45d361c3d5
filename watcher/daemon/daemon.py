"""The daemon's work: checks accounts on schedule, records reminders, delivers alerts. Makes no decisions itself."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event, Thread

import structlog

from watcher.app import App
from watcher.context.wrong_clock import correct_wrong_clock
from watcher.daemon import database_watch
from watcher.daemon.database_watch import DatabaseWatch
from watcher.daemon.liveness import Liveness, Send
from watcher.daemon.mail_reading import MailReading
from watcher.daemon.next_needed import next_needed, next_work
from watcher.daemon.schedule import Schedule
from watcher.delivery.channel_threads import ChannelThreads
from watcher.delivery.outbox_worker import STOP_GRACE
from watcher.errors import LockLost, StoreLost, StoreUnusable
from watcher.export.calendar_file import update_calendar_file
from watcher.model.account_health import AccountHealth, ReadOutcome, ReadResult
from watcher.settings import Settings
from watcher.store import Busy

_REMINDER_INTERVAL = timedelta(minutes=15)
_BACKUP_INTERVAL = timedelta(minutes=15)  # a worker that a due backup keeps alive makes it soon
_MAX_PAUSE = 15.0  # real seconds until changes by another process (`watcher check`, `resume`) are noticed
_MIN_PAUSE = 0.05
_LOCK_WAIT = 3.0  # real seconds; the blindness check holds the account's lock only briefly
_MAX_PARALLEL_CHECKS = 8
_CHECK_GRACE = 4.0  # real seconds; a request in flight may still take 3.5, its answer is recorded then
_CLOCK_TOLERANCE = timedelta(seconds=1)
_log = structlog.get_logger(__name__)


def _nobody(_: object) -> None:
    """Tell nobody."""


class Daemon:
    """The work of the daemon, between `start` and `stop`.

    Several daemons may share a PostgreSQL database: the one that takes an account's lock first checks it. The times of
    the next checks are in the database, so others take over from a daemon that died. With SQLite there is only one
    daemon, and the caller holds the lock.
    """

    def __init__(
        self,
        app: App,
        *,
        send: Send = _nobody,
        on_lost: Callable[[StoreLost], object] = _nobody,
        sign_of_life: timedelta = timedelta(seconds=30),
    ) -> None:
        """Start nothing yet. `send` gets the signs of life, one at least every `sign_of_life`.

        `on_lost` is called once if the daemon must end because its database is lost; then call `stop`.
        """
        self._app = app
        self._sign_of_life = sign_of_life
        self._database = DatabaseWatch(app, on_lost)
        self._liveness = Liveness(app, self._database, send)
        self._is_reminded = False
        self._schedule = Schedule(app.clock, threads=min(len(app.settings.accounts), _MAX_PARALLEL_CHECKS) + 2)
        self._wake = Event()
        self._mail = MailReading(app, self._schedule, send=send, check=self._check_now, wake=self._wake.set)
        self._next_checks: dict[str, datetime] = {}
        self._last_now = app.clock.now()
        self._channels = ChannelThreads(
            lambda channel: self._app.refreshed().outbox_worker().deliver(channel, wait=_MAX_PAUSE),
            on_error=self._delivery_failed,
            on_end=self._delivered,
        )
        self._delivery = Thread(target=self._deliver, name="delivery", daemon=True)

    @property
    def lost(self) -> StoreLost | None:
        """Why the daemon must end, or None."""
        return self._database.lost

    @property
    def newest_ids(self) -> tuple[int, ...]:
        """The highest ids in the database, which another process that continues the work must not find lower."""
        return self._database.newest_ids

    def start(
        self,
        *,
        must_examine: bool = True,
        set_back_by: timedelta = timedelta(),
        newest_ids: Sequence[int] = (),
    ) -> None:
        """Schedule each account at the time in the database, then start.

        `must_examine`: look for damage in the database file. `set_back_by`: how far the clock was set back since an
        earlier process did this work, and `newest_ids` what that one returned. Raises `WatcherError`, and starts
        nothing, if the database is damaged.
        """
        if must_examine:
            self._app.check_database()
        self._database.newest_ids = tuple(newest_ids) or self._database.newest_ids
        self._correct_clock(set_back_by)
        self._liveness.start()
        self._schedule_accounts()
        self._liveness.report()
        self._schedule_regular_jobs()
        self._schedule.start()
        self._delivery.start()

    def next_work(self) -> datetime | None:
        """Return when a check, an alert, or a backup is next due; None while the daemon must go on.

        It must while it works, and to watch the database of several machines. Raises `StoreUnusable`.
        """
        is_busy = self._schedule.is_busy() or self._channels.busy() or not self._is_reminded
        clock_is_right = self._last_now - self._app.clock.now() <= _CLOCK_TOLERANCE
        if is_busy or self._app.store.shared or not self._database.is_settled or not clock_is_right:
            return None
        due, retry = next_work(self._app), self._mail.next_retry
        return due if retry is None else min(due, retry)

    def next_needed(self) -> datetime | None:
        """Return when there is something to do, as `next_work`, which costs less and leaves out reminders.

        If it is soon, reminders are recorded then.
        """
        work = self.next_work()
        if work is None:
            return None
        due = min(work, next_needed(self._app))
        if due < self._app.clock.now() + _REMINDER_INTERVAL:
            self._schedule_reminders(due)
        return due

    def read_mail(self, mailbox: str) -> None:
        """Read a mailbox of official mails, by its name, soon."""
        self._mail.read(mailbox)

    def stop(self) -> None:
        """Start no more work and wait a moment for the requests and messages in flight. The rest is repeated later."""
        self._app.context.stop.set()
        self._schedule.stop()
        self._wake.set()
        self._schedule.join(_CHECK_GRACE)
        self._delivery.join(STOP_GRACE)
        self._channels.join(STOP_GRACE)
        self._app.outbox_worker().finish(within=_CHECK_GRACE)
        self._liveness.stop()

    def reconfigure(self, settings: Settings) -> None:
        """Switch to another configuration: check its new accounts and stop checking removed ones."""
        for name in self._app.settings.accounts:
            self._schedule.cancel(f"account {name}")
        self._next_checks.clear()
        self._app = self._app.with_settings(settings)
        self._liveness.reconfigure(self._app)
        self._mail.reconfigure(self._app)
        self._database.reconfigure(self._app)
        try:
            self._schedule_accounts()
        except StoreUnusable as error:
            self._database.failed(error)
            self._schedule.at("accounts", self._app.clock.now() + timedelta(minutes=1), self._schedule_accounts)
        self._channels.end_rests()
        self._wake.set()
        self._liveness.report()
        _log.info("configuration_reloaded", accounts=len(settings.accounts), channels=len(settings.channels))

    def _schedule_regular_jobs(self) -> None:
        self._schedule_reminders()
        self._schedule.every("backup", _BACKUP_INTERVAL, self._back_up)
        self._schedule.every("database", database_watch.INTERVAL, self._database.look)
        self._schedule.every("liveness", self._sign_of_life, self._liveness.give_sign)

    def _schedule_reminders(self, first: datetime | None = None) -> None:
        self._schedule.every("reminders", _REMINDER_INTERVAL, self._record_reminders, first=first)

    def _schedule_accounts(self) -> None:
        stored = self._app.store.accounts.all()
        now = self._app.clock.now()
        for name in self._app.settings.accounts:
            health, next_read_at = stored.get(name, (None, None))
            next_read_at = next_read_at or now
            if next_read_at > now and health is not None and self._has_new_credential(name, health):
                self._app.store.accounts.set_next_read(name, now)
                next_read_at = now
            self._schedule_check(name, next_read_at)

    def _has_new_credential(self, name: str, health: AccountHealth) -> bool:
        """Return whether the account is paused and the user has changed its credential since."""
        if not health.state.waits_for_person:
            return False
        credential = self._app.settings.accounts[name].credential()
        return self._app.store.accounts.fingerprint(credential) != health.rejected_fingerprint

    def _handle_clock_change(self) -> None:
        """Correct stored moments if the clock was set back, and reschedule all jobs, which would otherwise wait."""
        if self._correct_clock(self._last_now - self._app.clock.now()):
            self._schedule_regular_jobs()
            self._schedule_accounts()

    def _correct_clock(self, set_back_by: timedelta) -> bool:
        """Correct stored moments that are too late. Return whether the clock was set back."""
        self._last_now = self._app.clock.now()
        self._liveness.count_changes(correct_wrong_clock(self._app.context, set_back_by=set_back_by))
        is_set_back = set_back_by > _CLOCK_TOLERANCE
        if is_set_back:
            _log.warning("clock_set_back", seconds=round(set_back_by.total_seconds()))
        return is_set_back

    def _schedule_check(self, name: str, moment: datetime) -> None:
        self._next_checks[name] = moment
        self._schedule.at(f"account {name}", moment, lambda: self._check(name))

    def _check_resumed_accounts(self) -> None:
        """Reschedule accounts that `watcher resume` made due: their next check is now earlier in the database."""
        for name, (_, next_read_at) in self._app.store.accounts.all().items():
            scheduled = self._next_checks.get(name)
            if next_read_at is not None and scheduled is not None and next_read_at < scheduled:
                self._schedule_check(name, next_read_at)

    def _check(self, name: str) -> datetime | None:
        """Check an account. Return when to check it next, or None if it is no longer configured."""
        if self._app.context.stop.is_set() or name not in self._app.settings.accounts:
            return None
        result = self._check_now(name, scheduled_at=self._next_checks.get(name))
        next_read_at = self._app.store.accounts.next_read(name)
        later = self._app.clock.now() + timedelta(minutes=1)
        self._next_checks[name] = next_read_at or later
        return max(next_read_at or later, later) if result.outcome is not ReadOutcome.OK else next_read_at or later

    def _check_now(self, name: str, *, scheduled_at: datetime | None = None) -> ReadResult:
        """Check an account. Raises `StoreUnusable`."""
        app = self._app
        try:
            app = app.refreshed()
            result = self._liveness.run_check(
                app, name, lambda started: app.poll(name, wait=_LOCK_WAIT, on_start=started, scheduled_at=scheduled_at)
            )
        except StoreUnusable as error:
            self._database.failed(error)
            raise
        self._database.check_succeeded()
        self._wake.set()
        self._liveness.report()
        if result.changes:
            update_calendar_file(app.context)
        return result

    def _record_reminders(self) -> None:
        if changes := self._app.refreshed().record_time_reminders(at_any_hour=False):
            self._liveness.count_changes(changes)
            self._wake.set()
        update_calendar_file(self._app.context)  # the user may have answered an item since
        self._is_reminded = True

    def _back_up(self) -> None:
        self._app.back_up()

    def _deliver(self) -> None:
        while not self._app.context.stop.is_set():
            self._wake.clear()
            try:
                self._app.store.verify()
                self._handle_clock_change()
                self._check_resumed_accounts()
                for channel in self._app.outbox_worker().due_channels():
                    self._channels.start(channel)
                pause = self._until_next_alert()
            except StoreUnusable as error:
                self._delivery_failed("", error)
                pause = _MAX_PAUSE
            except Exception:  # noqa: BLE001 - this thread must not end while the daemon runs, or no alert is sent
                _log.exception("delivery_failed_unexpectedly")
                pause = _MAX_PAUSE
            self._wake.wait(pause)

    def _delivered(self) -> None:
        self._wake.set()
        self._liveness.report()

    def _delivery_failed(self, channel: str, error: Exception) -> float:
        """Log what a delivery raised. Return for how many real seconds the channel rests."""
        if isinstance(error, Busy | LockLost):
            return 0.0  # another process delivers to it
        if isinstance(error, StoreLost):
            self._database.failed(error)
        elif isinstance(error, StoreUnusable):
            _log.error("database_unavailable", reason=str(error))
        else:
            _log.error("delivery_failed_unexpectedly", channel=channel, exc_info=error)
        return _MAX_PAUSE

    def _until_next_alert(self) -> float:
        due = self._app.store.outbox.next_due(busy=self._channels.busy())
        return _MAX_PAUSE if due is None else min(_MAX_PAUSE, max(_MIN_PAUSE, self._app.clock.seconds_until(due)))
