"""The worker: the process that does the daemon's work and ends when nothing is due for a while.

It exchanges these messages with the supervisor, by the key "is":

    start       how to work, see `_Start`; the first message
    configured  a configuration was loaded: it goes to later workers, and is not read again before `reload`
    open        only after the first configuration: no other daemon runs, so the database may be opened
    opened      the database is open; `work` answers that the supervisor holds the lock of the daemon
    ready       the work has begun
    alive       whether the database answers; a regular sign of life
    report      the state of the service, and what was counted since the last report
    upgraded    this process is of another version than the supervisor, which must be executed again
    reload      read the configuration again; answered with `configured`, or with `refused` if it has faults
    mail        a mailbox of official mails has something new: read it
    mail_read   how far a mailbox was read, or that it could not be read now (`is_deferred`)
    idle        nothing is due for a while. `end` answers that what another process writes from now on is noticed
    done        the last message: when something is next due, and what the next worker has to know
    lost        the database is lost; the supervisor ends this process and itself
    stop        end, as on SIGTERM; the end of the channel means the same
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Any, Literal

import structlog

from watcher import __version__
from watcher.app import App, open_app
from watcher.clock import Clock, SystemClock
from watcher.clock.timestamps import iso_text
from watcher.context.accepted_settings import packed, unpacked
from watcher.context.opening import database_file, locks_folder, read_settings, use_configured_language
from watcher.daemon.daemon import Daemon
from watcher.daemon.mail_reading import waiting_messages
from watcher.daemon.worker_lock import EarlierWorker, worker_lock
from watcher.daemon.worker_process import MODULE
from watcher.delivery.apprise_notifier import Notifier
from watcher.delivery.sender_process import SenderProcess
from watcher.errors import SettingsFaults, StoreLost, StoreUnusable, WatcherError
from watcher.messages import _, current_language, mark, use_environment_language
from watcher.monitoring import logs
from watcher.processes.channel import Channel, Message
from watcher.processes.child import channel_to_parent
from watcher.settings import Settings
from watcher.settings.derived import DATABASE, database_url
from watcher.store.backup.unmoved_database import unmoved_database
from watcher.store.database.locks import FileLocks

_LOOKS = 3  # while it waits to be idle
_NOT_RELOADED = mark("the configuration has errors; the previous one stays in use")
_log = structlog.get_logger(MODULE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """How to work, see `Options` and `Pace` of the supervisor. `settings` is empty until some are accepted."""

    config: str | None
    log_level: str
    log_format: Literal["console", "json"]
    command: str
    settings: str
    is_first: bool
    must_examine: bool
    set_back_by: float
    carried: dict[str, Any]
    idle: float
    linger: float
    sign_of_life: float
    stop: float

    @classmethod
    def from_message(cls, message: Message) -> "_Start":
        """Leave out what is not meant for a worker."""
        return cls(**{field.name: message[field.name] for field in fields(cls)})


class _Ended(Exception):
    """The supervisor wants this process to end, or has ended."""


class Worker:
    """One worker. `run` returns its exit status. `notifier` replaces the child process that sends."""

    def __init__(self, channel: Channel, clock: Clock, notifier: Notifier | None = None) -> None:
        """Wait for the first message. Raises `EOFError` if the supervisor has ended, or must be executed again."""
        self._channel, self._clock, self._notifier = channel, clock, notifier
        message = channel.receive() or {}
        if message["version"] != __version__:  # nothing else in it can be trusted
            channel.send({"is": "upgraded"})
            raise EOFError
        self._start = _Start.from_message(message)
        self._idle_since: float | None = None
        self._busy_until = 0.0

    def run(self) -> int:
        """Work until nothing is due, or until the supervisor says so."""
        start = self._start
        logs.configure(level=start.log_level, log_format=start.log_format, environ=os.environ)
        with ExitStack() as stack:
            try:
                settings = self._settings()
                notifier = self._notifier or stack.enter_context(closing(SenderProcess()))
                app = stack.enter_context(open_app(settings, clock=self._clock, notifier=notifier))
                if start.is_first and app.store.shared:
                    self._mention_unmoved_database(settings)
                self._send("opened", database=_text(app.store.file), locks=str(locks_folder(settings)))
                self._expect("work")
                if isinstance(app.store.locks, FileLocks):
                    stack.enter_context(worker_lock(app.store.locks, lambda: self._receive(0)))
                return self._work(app)
            except SettingsFaults as faults:
                _print(*faults.faults)
                return 2
            except StoreUnusable as error:
                return self._refuse(str(error), 2)
            except EarlierWorker as earlier:
                return self._refuse(str(earlier), 1)
            except _Ended:
                return 0

    def _settings(self) -> Settings:
        if self._start.settings:
            return unpacked(self._start.settings)
        settings = self._load()
        self._send_settings(settings)
        self._expect("open")
        return settings

    def _load(self) -> Settings:
        """Read the configuration. Raises `SettingsFaults`."""
        config = None if self._start.config is None else Path(self._start.config)
        use_configured_language(config, os.environ)
        return unpacked(packed(read_settings(config, os.environ)))

    def _send_settings(self, settings: Settings) -> None:
        health, file = settings.health, database_file(settings)
        addresses = {"web.listen": settings.web.listen, "health.listen": health.listen}
        self._send(
            "configured",
            settings=packed(settings),
            language=current_language(),
            database=_text(file),
            addresses={key: address for key, address in addresses.items() if address},
            token=health.token.get_secret_value() if health.token else None,
            mailboxes=waiting_messages(settings),
        )

    def _work(self, app: App) -> int:
        start = self._start
        sign_of_life = timedelta(seconds=start.sign_of_life)
        daemon = Daemon(app, send=self._send_message, on_lost=self._lost, sign_of_life=sign_of_life)
        try:
            daemon.start(
                must_examine=start.is_first or start.must_examine,
                set_back_by=timedelta(seconds=start.set_back_by),
                newest_ids=start.carried.get("newest_ids", ()),
            )
        except WatcherError as error:
            return self._refuse(str(error), 1)
        if start.is_first:
            _log.info("daemon_started", accounts=len(app.settings.accounts), channels=len(app.settings.channels))
        self._send("ready")
        with suppress(_Ended):
            due = self._until_idle(daemon, app.settings)
            daemon.stop()
            self._send("done", next=iso_text(due), carried={"newest_ids": daemon.newest_ids})
            return 0
        limit = Timer(start.stop, os._exit, [1])
        limit.daemon = True
        limit.start()
        daemon.stop()
        if daemon.lost is not None:
            os._exit(1)  # closing the database would write what its log holds into the file that replaced it
        return 0

    def _until_idle(self, daemon: Daemon, settings: Settings) -> datetime:
        """Handle messages until nothing is due for a while. Return when something is next due."""
        while True:
            message = self._receive(self._start.idle / _LOOKS)
            kind = message["is"] if message else None
            if kind == "reload":
                settings = self._reload(daemon, settings)
            elif kind == "mail" and message:
                daemon.read_mail(message["name"])
            elif kind == "end":
                if (due := self._due_later(daemon.next_needed)) is not None:
                    return due
                self._idle_since = None
            elif kind is None and self._is_idle(daemon):
                self._send("idle")

    def _is_idle(self, daemon: Daemon) -> bool:
        """Return whether nothing has been due since long enough."""
        now = time.monotonic()
        if now < self._busy_until or self._due_later(daemon.next_work) is None:
            self._idle_since = None
            return False
        self._idle_since = self._idle_since or now
        return now - self._idle_since >= self._start.idle

    def _due_later(self, next_due: Callable[[], datetime | None]) -> datetime | None:
        """Return when something is next due; None if that is soon."""
        try:
            due = next_due()
        except StoreUnusable:
            return None
        if due is None:
            return None
        seconds = self._clock.seconds_until(due)
        if seconds < self._start.linger:
            self._busy_until = time.monotonic() + min(max(seconds, 0.0), self._start.linger)
            return None
        return due

    def _reload(self, daemon: Daemon, settings: Settings) -> Settings:
        """Read the configuration again. Return it, or the previous one if it has errors."""
        try:
            loaded = self._load()
        except SettingsFaults as faults:
            for fault in faults.faults:
                _log.error("configuration_fault", fault=fault)
            _log.error("configuration_not_reloaded", reason=_(_NOT_RELOADED))
            self._send("refused")
            return settings
        # The database stays the one that is open.
        kept = {"database_url": settings.database_url, "state_dir": settings.state_dir}
        settings = loaded.model_copy(update=kept)
        daemon.reconfigure(settings)
        self._send_settings(settings)
        return settings

    def _refuse(self, reason: str, status: int) -> int:
        """Say why this process does not work: as the answer of the command `run`, or later in the log."""
        if self._start.is_first:
            _print(f"watcher: {reason}")
        else:
            _log.error("worker_refuses", reason=reason)
        return status

    def _mention_unmoved_database(self, settings: Settings) -> None:
        """Print how to move the database in state_dir to the server, if it was not moved."""
        unmoved = unmoved_database(database_url(settings), settings.state_dir / DATABASE)
        if unmoved is not None:
            _print(f"watcher: {'; '.join(unmoved.text(self._start.command, self._start.config))}")

    def _lost(self, lost: StoreLost) -> None:
        self._send("lost", reason=str(lost), in_place=lost.in_place)

    def _send(self, kind: str, **content: Any) -> None:
        self._send_message({"is": kind, **content})

    def _send_message(self, message: Message) -> None:
        with suppress(OSError):  # the supervisor has ended, which is noticed when the next message is expected
            self._channel.send(message)

    def _receive(self, timeout: float | None) -> Message | None:
        try:
            message = self._channel.receive(timeout)
        except EOFError:
            raise _Ended from None
        if message is not None and message["is"] == "stop":
            raise _Ended
        return message

    def _expect(self, kind: str) -> None:
        """Wait for a message. Others are not meant for a worker that has not begun."""
        while (message := self._receive(None)) is not None and message["is"] != kind:
            pass


def _text(file: Path | None) -> str | None:
    return None if file is None else str(file)


def _print(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - as every command does


def main(clock: Clock | None = None) -> None:
    """Run a worker as a child of the supervisor. `clock` replaces the machine's."""
    use_environment_language()
    try:
        status = Worker(channel_to_parent(), clock or SystemClock()).run()
    except EOFError:
        status = 0
    # A check may still wait for a portal in its thread. Do not wait for it: the next worker repeats it.
    os._exit(status)
