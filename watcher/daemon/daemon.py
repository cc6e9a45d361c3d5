"""The daemon: reads every account when its turn has come, keeps time, delivers. Decides nothing itself."""

from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import structlog

from watcher.app import App
from watcher.daemon import malloc
from watcher.daemon.liveness import Liveness
from watcher.daemon.schedule import Schedule
from watcher.daemon.sd_notify import ServiceManager
from watcher.delivery.emergency_notice import EmergencyNotice
from watcher.errors import StoreUnusable
from watcher.export.calendar_file import update_calendar_file
from watcher.model.account_health import AccountHealth, ReadOutcome, ReadResult
from watcher.settings import Settings

_LOOK_AT_THE_TIME = timedelta(minutes=15)
_LOOK_AT_BACKUPS = timedelta(hours=1)
_LOOK_INTO_BOOKS = (
    15.0  # real seconds; what another process wrote (`watcher check`, `resume`) waits no longer than this
)
_SHORTEST = 0.05
_FOR_ANOTHER_COURIER = 1.0  # another daemon may be delivering what is due
_FOR_A_GLANCE = 3.0  # real seconds; who only looks whether an account has gone blind holds its lock for a moment
_READS_AT_ONCE = 8
_NO_LEAP = timedelta(seconds=1)
_NEVER = datetime.max.replace(tzinfo=UTC)
_GRACE = 3.0  # real seconds that a message under way is given to be finished
_log = structlog.get_logger(__name__)


class Daemon:
    """Runs until `stop`.

    Several may share a database that is a server's: each account is read by the one that takes its lock first when
    its turn has come, and a dead one's turns, which stand in the database, are taken by the others. With SQLite there
    is one: the caller holds the lock.
    """

    def __init__(self, app: App, manager: ServiceManager | None = None) -> None:
        """Nothing runs before `start`. `manager` wants signs of life; None: nobody does."""
        self._app = app
        self._signs = Liveness(app, manager or ServiceManager())
        self._schedule = Schedule(app.clock, threads=min(len(app.settings.accounts), _READS_AT_ONCE) + 2)
        self._turns: dict[str, datetime] = {}
        self._last_resort = EmergencyNotice(app.notifier)
        self._looked_at = app.clock.now()
        self._wake = Event()
        self._delivery = Thread(target=self._deliver, name="delivery", daemon=True)

    def start(self) -> None:
        """Makes a job of each account from what stands in the database, and begins.

        Raises `WatcherError`, and begins nothing, where the database turns out to be damaged or the health page's
        address cannot be had.
        """
        self._app.check_database()
        self._signs.start()
        self._plan()
        self._plan_regular()
        self._schedule.start()
        self._delivery.start()
        _log.info("watching", accounts=len(self._app.settings.accounts), channels=len(self._app.settings.channels))

    def stop(self) -> None:
        """Starts nothing more, gives a message under way a moment to be finished. What is cut off is done again."""
        self._app.context.stop.set()
        self._schedule.stop()
        self._wake.set()
        self._delivery.join(_GRACE)
        self._signs.stop()

    def use(self, settings: Settings) -> None:
        """Goes on with another configuration: new accounts are read, removed ones no more."""
        for name in self._app.settings.accounts:
            self._schedule.cancel(f"account {name}")
        self._turns.clear()
        self._take_up_corrected(settings)
        self._app = self._app.with_settings(settings)
        self._signs.use(self._app)
        self._plan()
        self._wake.set()
        _log.info("configuration reread", accounts=len(settings.accounts), channels=len(settings.channels))

    def _take_up_corrected(self, settings: Settings) -> None:
        """An account that waits for a person is read at once where the person has just changed its credential."""
        known, before = self._app.store.accounts.all(), self._app.settings.accounts
        for name in settings.accounts.keys() & before.keys() & known.keys():
            changed = settings.accounts[name].credential() != before[name].credential()
            if changed and known[name][0].state.waits_for_person:
                self._app.store.accounts.set_next_read(name, self._app.clock.now())

    def _plan_regular(self) -> None:
        self._schedule.every("time", _LOOK_AT_THE_TIME, self._keep_time)
        self._schedule.every("backup", _LOOK_AT_BACKUPS, self._back_up)
        self._schedule.every("sign of life", self._signs.every, self._signs.turn)

    def _plan(self) -> None:
        known = self._app.store.accounts.all()
        now = self._app.clock.now()
        self._app.store.outbox.bring_forward(now)
        for name in self._app.settings.accounts:
            health, next_read_at = known.get(name, (None, None))
            if health is not None and next_read_at is not None:
                latest = self._latest_turn(name, health, now)
                if latest < next_read_at:  # written while the clock was ahead
                    self._app.store.accounts.set_next_read(name, latest)
                    next_read_at = latest
            self._plan_turn(name, next_read_at or now)

    def _latest_turn(self, name: str, health: AccountHealth, now: datetime) -> datetime:
        """No turn that a right clock has planned is later than this; one that a person has is not bounded."""
        if self._app.portal_of(name).is_manual:
            return _NEVER
        schedule = self._app.settings.schedule
        turn = now + (self._app.settings.accounts[name].every or schedule.every) + schedule.jitter
        return max(turn, health.not_before) if health.not_before else turn

    def _notice_the_clock(self) -> None:
        """A clock that was set back would leave every job waiting until it has caught up: all are planned anew."""
        now = self._app.clock.now()
        back = self._looked_at - now
        if back > _NO_LEAP:
            _log.warning("the clock was set back; everything is planned anew", seconds=round(back.total_seconds()))
            self._plan_regular()
            self._plan()
        self._looked_at = now

    def _plan_turn(self, name: str, moment: datetime) -> None:
        self._turns[name] = moment
        self._schedule.at(f"account {name}", moment, lambda: self._read(name))

    def _take_up_resumed(self) -> None:
        """Reads at once what `watcher resume` has made due: its turn stands earlier in the books than it did."""
        for name, (_, next_read_at) in self._app.store.accounts.all().items():
            planned = self._turns.get(name)
            if next_read_at is not None and planned is not None and next_read_at < planned:
                self._plan_turn(name, next_read_at)

    def _read(self, name: str) -> datetime | None:
        """One turn of an account; returns when the next one is, or None where it is watched no more."""
        app = self._app
        if app.context.stop.is_set() or name not in app.settings.accounts:
            return None
        turn = self._turns.get(name)
        try:
            done = self._signs.during(
                app, name, lambda begun: app.poll(name, wait=_FOR_A_GLANCE, on_start=begun, scheduled_at=turn)
            )
        except StoreUnusable as error:
            self._last_resort.write_failed(str(error), app.settings, now=app.clock.now())
            raise
        self._last_resort.write_succeeded()
        _tell(done)
        self._wake.set()
        malloc.give_back()
        if done.changes:
            update_calendar_file(app.context)
        next_read_at = app.store.accounts.next_read(name)
        later = app.clock.now() + timedelta(minutes=1)
        self._turns[name] = next_read_at or later
        return max(next_read_at or later, later) if done.outcome is not ReadOutcome.OK else next_read_at or later

    def _keep_time(self) -> None:
        if changes := self._app.record_time_reminders(at_any_hour=False):
            self._signs.changed(changes)
            self._wake.set()
        update_calendar_file(self._app.context)  # also for what the user said of an item meanwhile

    def _back_up(self) -> None:
        self._app.back_up()

    def _deliver(self) -> None:
        while not self._app.context.stop.is_set():
            self._wake.clear()
            try:
                self._notice_the_clock()
                self._take_up_resumed()
                self._app.outbox_worker().deliver_due()
                pause = self._until_next_alert()
            except StoreUnusable as error:
                _log.error("the books cannot be used", reason=str(error))
                pause = _LOOK_INTO_BOOKS
            except Exception:  # noqa: BLE001 - as long as the daemon lives, alerts go out: this thread must not end
                _log.exception("delivering failed in an unforeseen way")
                pause = _LOOK_INTO_BOOKS
            self._wake.wait(pause)

    def _until_next_alert(self) -> float:
        due = self._app.store.outbox.next_due()
        if due is None:
            return _LOOK_INTO_BOOKS
        shortest = _FOR_ANOTHER_COURIER if self._app.store.shared else _SHORTEST
        return min(_LOOK_INTO_BOOKS, max(shortest, self._app.clock.seconds_until(due)))


def _tell(done: ReadResult) -> None:
    if done.read_elsewhere:
        _log.debug("another process has this turn", account=done.account)
        return
    log = _log.info if done.outcome is ReadOutcome.OK else _log.warning
    log("read", account=done.account, outcome=done.outcome.value, changes=len(done.changes), error=done.error)
