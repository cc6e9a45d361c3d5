"""The supervisor: the process of `watcher run`, which starts a worker whenever something is due.

It stays small, because it runs all the time: this module and those it imports need only the standard library. What is
due is decided by the worker (`watcher.daemon.worker`), which reports it at its end.
"""

import logging
import selectors
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from watcher.clock import Clock
from watcher.clock.timestamps import parse_utc
from watcher.daemon.health_page import HealthPage
from watcher.daemon.sd_notify import ServiceManager
from watcher.daemon.signals import Signals
from watcher.daemon.worker_process import MODULE, Pace, WorkerProcess, Workers
from watcher.errors import StoreLost, StoreUnusable, WatcherError
from watcher.processes.channel import Message
from watcher.store.database.daemon_lock import daemon_holds, hold_daemon_lock
from watcher.store.database.locks import Busy, FileLocks
from watcher.store.database.resting_database import RestingDatabase

_CLOCK_TOLERANCE = timedelta(seconds=1)
_MAX_TICK_DELAY = 60.0  # seconds
_MIN_INTERVAL = 1.0
_ERRORS = (1, 2)  # exit statuses
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of `watcher run`. `command` is what to type for this program, for messages."""

    config: str | None = None
    log_level: str = "info"
    log_format: Literal["console", "json"] = "console"
    command: str = "watcher"


class Supervisor:
    """Starts workers and watches them, and the database between them. `run` returns the exit status of the program."""

    def __init__(
        self,
        options: Options,
        *,
        clock: Clock,
        manager: ServiceManager,
        pace: Pace | None = None,
        module: str = MODULE,
    ) -> None:
        """Start nothing yet. `module` is the worker's."""
        self._options, self._clock, self._manager = options, clock, manager
        self._pace = _with_watchdog(pace or Pace(), manager.watchdog)
        self._selector, self._stack = selectors.DefaultSelector(), ExitStack()
        self._workers = Workers(module, self._pace)
        self._page = HealthPage(clock, self._is_alive)
        self._database: RestingDatabase | None = None
        self._settings = ""
        self._carried: Message = {}
        self._is_running = self._is_stopping = self._must_reload = self._must_examine = False
        self._is_wanted = self._answers = True
        self._next_due: datetime | None = None
        self._last_now, self._set_back_by = clock.now(), timedelta()
        self._next_tick = 0.0
        self._lost: StoreLost | None = None
        self._status: int | None = None

    def run(self) -> int:
        """Work until a signal or a fault ends it. Return the exit status."""
        signals = Signals(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        self._selector.register(signals, selectors.EVENT_READ, partial(self._take_signals, signals))
        with self._stack:
            while self._status is None:
                if self._workers.may_start() and self._is_due():
                    self._start_worker()
                for key, _ in self._selector.select(max(0.0, self._pause())):
                    key.data()
                self._look()
            if self._workers.current is not None:
                self._workers.current.kill()
            self._page.close()
            if self._database is not None and self._lost is None:
                self._database.close()
        return self._status

    def _is_due(self) -> bool:
        if self._is_stopping or self._lost is not None:
            return False
        is_late = self._next_due is not None and self._clock.seconds_until(self._next_due) <= 0
        return self._is_wanted or self._must_reload or self._workers.must_start or is_late

    def _pause(self) -> float:
        """Return for how many seconds nothing has to be done."""
        pauses = [self._next_tick - time.monotonic()]
        if (time_left := self._workers.time_left()) is not None:
            pauses.append(time_left)
        elif self._next_due is not None:
            pauses.append(self._clock.seconds_until(self._next_due))
        return min(pauses)

    def _is_alive(self) -> bool:
        """Return whether due work is done: workers can be started, and this process itself does not hang."""
        return not self._workers.fail_repeatedly and time.monotonic() < self._next_tick + _MAX_TICK_DELAY

    # Signals

    def _take_signals(self, signals: Signals) -> None:
        for number in signals.take():
            if number == signal.SIGHUP and not self._is_stopping:
                self._manager.reloading()
                self._must_reload = True
                self._ask_to_reload()
            elif number in {signal.SIGTERM, signal.SIGINT} and not self._is_stopping:
                self._is_stopping = True
                self._manager.stopping()
                self._stop_worker()

    def _stop_worker(self) -> None:
        if self._workers.current is not None:
            self._workers.current.stop()

    def _ask_to_reload(self) -> None:
        if self._workers.current is not None and self._workers.current.is_ready:
            self._workers.current.send("reload")

    # Workers

    def _start_worker(self) -> None:
        worker = self._workers.start(
            **asdict(self._options),
            **asdict(self._pace),
            settings=self._settings,
            is_first=not self._is_running,
            must_examine=self._must_examine,
            set_back_by=self._set_back_by.total_seconds(),
            carried=self._carried,
        )
        if worker is not None:
            self._is_wanted = False
            take = partial(self._take_messages, worker)
            self._selector.register(worker.child.channel, selectors.EVENT_READ, take)
        elif not self._is_running:
            self._status = 1

    def _take_messages(self, worker: WorkerProcess) -> None:
        for message in worker.messages():
            self._take(worker, message)
        if worker.has_left:
            self._selector.unregister(worker.child.channel)
            self._worker_ended(worker)

    def _take(self, worker: WorkerProcess, message: Message) -> None:
        match message["is"]:
            case "configured":
                self._configured(worker, message)
            case "opened":
                self._opened(worker, message)
            case "ready":
                self._ready(worker)
            case "alive":
                worker.alive()
                self._answers = message["answers"]
            case "report":
                self._page.take_report(message)
            case "refused":
                self._reloaded()
            case "idle":
                self._note_content()
                worker.send("end")
            case "done":
                worker.is_done, self._carried = True, message["carried"]
                self._next_due = parse_utc(message["next"]) if message["next"] else None
            case "lost":
                self._lose(StoreLost(message["reason"], in_place=message["in_place"]))

    def _worker_ended(self, worker: WorkerProcess) -> None:
        expected = worker.is_done or self._is_stopping or self._lost is not None or self._status is not None
        status = self._workers.ended(expected=expected)
        if not self._is_running and self._status is None:
            self._status = status if status in _ERRORS else int(not self._is_stopping)

    def _configured(self, worker: WorkerProcess, message: Message) -> None:
        """Take over a configuration: the first one, or one that was loaded again on SIGHUP."""
        self._settings, database = message["settings"], message["database"]
        if not self._is_running and database is not None and daemon_holds(Path(database)):
            self._refuse(database)  # before anything is opened or created: the other daemon may have lost its files
            return
        try:
            self._page.configure(message["listen"], message["token"])
        except WatcherError as error:
            if not self._is_running:
                self._end(str(error), 1)
                return
            _log.error("health_page_unavailable", extra={"reason": str(error)})
        if self._is_running:
            self._reloaded()
        else:
            worker.send("open")

    def _opened(self, worker: WorkerProcess, message: Message) -> None:
        """Open the database too, now that it exists, and take the daemon's lock. Let the worker begin."""
        try:
            if self._database is not None:
                self._database.verify()
            elif message["database"] is not None:
                file, locks = Path(message["database"]), FileLocks(Path(message["locks"]))
                self._stack.enter_context(hold_daemon_lock(locks, file))
                self._database = RestingDatabase(file, locks)
        except Busy:
            self._refuse(message["database"])
        except StoreLost as error:
            self._lose(error)
        except StoreUnusable as error:
            self._end(str(error), 2)
        else:
            worker.begin()

    def _ready(self, worker: WorkerProcess) -> None:
        worker.ready()
        self._must_examine, self._set_back_by, self._answers = False, timedelta(), True
        if not self._is_running:
            self._is_running = True
            self._manager.ready()
        if self._must_reload:
            self._ask_to_reload()

    def _reloaded(self) -> None:
        self._must_reload = False
        self._manager.ready()

    def _refuse(self, database: str) -> None:
        self._end(f"another `watcher run` already works on {database}; one is enough", 1)

    def _end(self, reason: str, status: int) -> None:
        print(f"watcher: {reason}", file=sys.stderr, flush=True)  # noqa: T201 - the answer of the command `run`
        self._status = status

    # The time between workers

    def _look(self) -> None:
        self._workers.look()
        if self._workers.current is None:
            if self._lost is not None:
                self._keep_lost_database(self._lost)
            elif self._is_stopping and self._status is None:
                self._status = 0
        if self._status is None and time.monotonic() >= self._next_tick:
            self._tick()

    def _tick(self) -> None:
        self._next_tick = time.monotonic() + self._pace.tick
        if self._database is not None:
            self._look_at_database(self._database)
        self._look_at_clock()
        if self._is_running and self._answers and self._is_alive():
            self._manager.keep_alive(self._page.line())

    def _look_at_database(self, database: RestingDatabase) -> None:
        try:
            database.verify()
            if self._workers.current is None:
                database.probe()
                has_news = database.has_news()
                self._must_examine |= not has_news and database.was_overwritten()
                self._is_wanted |= has_news or self._must_examine
            self._page.can_write = True
        except StoreLost as error:
            self._lose(error)
        except StoreUnusable as error:
            if self._page.can_write:
                _log.error("database_unavailable", extra={"reason": str(error)})
            self._page.can_write, self._is_wanted = False, True  # a worker announces it

    def _note_content(self) -> None:
        """Note what the database holds, at a moment after which the worker only looks: what differs is another's."""
        try:
            if self._database is not None:
                self._database.note_content()
        except StoreUnusable:
            self._is_wanted = True

    def _look_at_clock(self) -> None:
        """Notice that the clock was set back. A worker that runs notices it itself."""
        set_back_by, self._last_now = self._last_now - self._clock.now(), self._clock.now()
        if set_back_by > _CLOCK_TOLERANCE and self._workers.current is None:
            self._set_back_by += set_back_by
            self._is_wanted = True

    def _lose(self, lost: StoreLost) -> None:
        """End because the database is lost, once the worker has ended."""
        if self._lost is None:
            self._lost = lost
            _log.critical("database_lost", extra={"reason": str(lost)})
            self._manager.stopping()
            self._stop_worker()

    def _keep_lost_database(self, lost: StoreLost) -> None:
        from watcher.daemon.lost_database import end_with_lost_database  # noqa: PLC0415 - loads most of the program

        self._end(str(lost), 1)
        end_with_lost_database(self._settings, self._database, lost, now=self._clock.now())


def _with_watchdog(pace: Pace, watchdog: timedelta | None) -> Pace:
    """Return the pace with which a third of the watchdog's time passes between two notifications, at most."""
    if watchdog is None:
        return pace
    third = max(watchdog.total_seconds() / 3, _MIN_INTERVAL)
    return replace(pace, tick=min(pace.tick, third), sign_of_life=min(pace.sign_of_life, third))
