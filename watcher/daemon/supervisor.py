"""The supervisor: the process of `watcher run`, which starts a worker whenever something is due.

It stays small, because it runs all the time: this module and those it imports need only the standard library. What is
due is decided by the worker (`watcher.daemon.worker`), which reports it at its end.
"""

import logging
import selectors
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path

from watcher import __version__
from watcher.clock import Clock
from watcher.clock.timestamps import parse_utc
from watcher.daemon.mail_waiter import MailWaiter
from watcher.daemon.options import Options, Pace
from watcher.daemon.page import PAGE_MODULE, Page
from watcher.daemon.rest import Rest
from watcher.daemon.sd_notify import ServiceManager
from watcher.daemon.service_report import ServiceReport
from watcher.daemon.signals import Signals
from watcher.daemon.worker_process import MODULE, WorkerProcess, Workers
from watcher.errors import StoreLost, StoreUnusable, WatcherError
from watcher.messages import _, use_language
from watcher.processes.channel import Message
from watcher.processes.child import reap_orphans
from watcher.store.database.daemon_lock import daemon_holds
from watcher.store.database.locks import Busy, FileLocks

_MAX_TICK_DELAY = 60.0  # seconds
_ERRORS = (1, 2)  # exit statuses
UPGRADED = -1
"""Returned by `Supervisor.run` if the files of the program are of another version: it must be executed again."""

_log = logging.getLogger(__name__)


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
        page_module: str = PAGE_MODULE,
    ) -> None:
        """Start nothing yet. `module` is the worker's, `page_module` that of the page's process."""
        self._options, self._clock, self._manager = options, clock, manager
        self._pace = (pace or Pace()).with_watchdog(manager.watchdog)
        self._selector = selectors.DefaultSelector()
        self._workers = Workers(module, self._pace)
        self._report = ServiceReport(clock, self._is_alive)
        self._rest = Rest(clock)
        self._page = Page(options, self._pace, self._selector, self._report, wake=self._rest.wake, module=page_module)
        self._mail = MailWaiter(self._pace, self._selector)
        self._settings = ""
        self._carried: Message = {}
        self._is_running = self._is_stopping = self._must_reload = False
        self._answers = True
        self._next_due: datetime | None = None
        self._next_tick = 0.0
        self._lost: StoreLost | None = None
        self._status: int | None = None

    def run(self) -> int:
        """Work until a signal or a fault ends it. Return the exit status."""
        signals = Signals(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        self._selector.register(signals, selectors.EVENT_READ, partial(self._take_signals, signals))
        with self._rest:
            while self._status is None:
                if self._workers.may_start() and self._is_due():
                    self._start_worker()
                for key, _ in self._selector.select(max(0.0, self._pause())):
                    key.data()
                self._look()
            if self._workers.current is not None:
                self._workers.current.kill()
            self._page.close()
            self._mail.close()
            if self._rest.database is not None and self._lost is None:
                self._rest.database.close()
        return self._status

    def _is_due(self) -> bool:
        if self._is_stopping or self._lost is not None:
            return False
        is_late = self._next_due is not None and self._clock.seconds_until(self._next_due) <= 0
        has_news = self._rest.has_news or bool(self._mail.unread) or self._must_reload
        return has_news or self._workers.must_start or is_late

    def _pause(self) -> float:
        """Return for how many seconds nothing has to be done."""
        pauses = [self._next_tick - time.monotonic(), self._page.time_left(), self._mail.time_left()]
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
                self._workers.ask_to_reload()
            elif number in {signal.SIGTERM, signal.SIGINT} and not self._is_stopping:
                self._is_stopping = True
                self._manager.stopping()
                self._workers.stop()
                self._page.stop()
                self._mail.close()

    # Workers

    def _start_worker(self) -> None:
        worker = self._workers.start(
            **asdict(self._options),
            **asdict(self._pace),
            version=__version__,
            settings=self._settings,
            is_first=not self._is_running,
            must_examine=self._rest.must_examine,
            set_back_by=self._rest.set_back_by.total_seconds(),
            carried=self._carried,
        )
        if worker is not None:
            self._rest.has_news = False
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
        """Handle a message, see `watcher.daemon.worker`."""
        handle: dict[str, Callable[[WorkerProcess, Message], None]] = {
            "configured": self._configured,
            "opened": self._opened,
            "ready": self._ready,
            "alive": self._alive,
            "report": lambda _worker, message: self._report.take(message),
            "refused": lambda _worker, _message: self._reloaded(),
            "mail_read": lambda _worker, message: self._mail.take_read(message),
            "idle": self._idle,
            "done": self._done,
            "upgraded": self._upgraded,
            "lost": lambda _worker, message: self._lose(StoreLost(message["reason"], in_place=message["in_place"])),
        }
        handle[message["is"]](worker, message)

    def _worker_ended(self, worker: WorkerProcess) -> None:
        expected = worker.is_done or self._is_stopping or self._lost is not None or self._status is not None
        self._mail.use(None)
        status = self._workers.ended()
        if expected:
            self._workers.succeeded()
        elif self._is_running or status < 0:  # it was killed: the next one tries again
            self._workers.failed(status)
        else:
            self._status = status if status in _ERRORS else 1

    def _configured(self, worker: WorkerProcess, message: Message) -> None:
        """Take over a configuration: the first one, or one that was loaded again on SIGHUP."""
        self._settings, database = message["settings"], message["database"]
        use_language(message["language"])
        if not self._is_running and database is not None and daemon_holds(Path(database)):
            self._refuse(database)  # before anything is opened or created: the other daemon may have lost its files
            return
        try:
            self._page.configure(message["addresses"], settings=self._settings, token=message["token"])
        except WatcherError as error:
            if not self._is_running:
                self._end(str(error), 1)
                return
            _log.error("page_unavailable", extra={"reason": str(error)})
        self._mail.configure(message["mailboxes"])
        if self._is_running:
            self._reloaded()
        else:
            worker.send("open")

    def _opened(self, worker: WorkerProcess, message: Message) -> None:
        """Open the database too, now that it exists, and take the daemon's lock. Let the worker begin."""
        try:
            if message["database"] is not None:
                self._rest.open(Path(message["database"]), FileLocks(Path(message["locks"])))
        except Busy:
            self._refuse(message["database"])
        except StoreLost as error:
            self._lose(error)
        except StoreUnusable as error:
            self._end(str(error), 2)
        else:
            worker.begin()

    def _ready(self, worker: WorkerProcess, _message: Message) -> None:
        worker.ready()
        self._mail.use(worker)
        self._rest.end()
        self._answers = True
        if not self._is_running:
            self._is_running = True
            self._manager.ready()
            self._next_tick = 0.0  # tell the manager at once how it is
        if self._must_reload:
            self._workers.ask_to_reload()

    def _alive(self, worker: WorkerProcess, message: Message) -> None:
        worker.alive()
        self._answers = message["answers"]

    def _idle(self, worker: WorkerProcess, _message: Message) -> None:
        self._rest.begin()
        worker.send("end")

    def _done(self, worker: WorkerProcess, message: Message) -> None:
        worker.is_done, self._carried = True, message["carried"]
        self._next_due = parse_utc(message["next"])

    def _upgraded(self, *_details: object) -> None:
        _log.warning("program_upgraded")
        self._status = UPGRADED

    def _reloaded(self) -> None:
        self._must_reload = False
        self._manager.ready()

    def _refuse(self, database: str) -> None:
        self._end(_("another `watcher run` already uses {database}; only one can run", database=database), 1)

    def _end(self, reason: str, status: int) -> None:
        print(f"watcher: {reason}", file=sys.stderr, flush=True)  # noqa: T201 - the answer of the command `run`
        self._status = status

    # The time between workers

    def _look(self) -> None:
        self._workers.look()
        self._page.look(may_start=self._report.is_known and not self._is_stopping and self._lost is None)
        worker = self._workers.current
        self._mail.look(may_start=self._is_running and not self._is_stopping and self._lost is None)
        reap_orphans(worker.child if worker else None, self._page.child, self._mail.child)
        if self._status is None and time.monotonic() >= self._next_tick:
            self._tick()
        if self._workers.current is None:
            if self._lost is not None:
                self._keep_lost_database(self._lost)
            elif self._is_stopping and self._page.child is None and self._status is None:
                self._status = 0
            elif self._page.must_upgrade:
                self._upgraded()

    def _tick(self) -> None:
        self._next_tick = time.monotonic() + self._pace.tick
        try:
            self._rest.look(no_worker=self._workers.current is None)
        except StoreLost as error:
            self._lose(error)
        self._report.can_write = self._rest.can_write
        self._page.ask_for_sign_of_life()
        if self._is_running and self._answers and self._is_alive():
            self._manager.keep_alive(self._page.line())

    def _lose(self, lost: StoreLost) -> None:
        """End because the database is lost, once the worker has ended."""
        if self._lost is None:
            self._lost = lost
            _log.critical("database_lost", extra={"reason": str(lost)})
            self._manager.stopping()
            self._workers.stop()
            self._page.close()  # at once: closing the database would write into the file that replaced it

    def _keep_lost_database(self, lost: StoreLost) -> None:
        from watcher.daemon.lost_database import end_with_lost_database  # noqa: PLC0415 - loads most of the program

        self._end(str(lost), 1)
        end_with_lost_database(self._settings, self._rest.database, lost, now=self._clock.now())
