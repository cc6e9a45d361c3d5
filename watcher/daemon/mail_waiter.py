"""The process that waits for official mails, as the supervisor sees it.

It is started only if the configuration names a mailbox (`official_mail`). It says that a mailbox has something new; a
worker reads that, and answers how far it came. After a process that failed, the next is started with a growing delay.
Like the supervisor, this module needs only the standard library.
"""

import logging
import math
import selectors
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from watcher.daemon.growing_delay import GrowingDelay
from watcher.daemon.options import Pace
from watcher.daemon.worker_process import WorkerProcess, exit_details
from watcher.processes.channel import Message
from watcher.processes.child import Child

MODULE = "watcher.official_mail.waiter"
_log = logging.getLogger(__name__)


class MailWaiter:
    """The mailboxes, and the process that waits for their mails.

    `unread` are those that a worker must read. `deferred` are those that one could not read now: the next worker tries.
    """

    def __init__(self, pace: Pace, selector: selectors.BaseSelector) -> None:
        """Wait for nothing yet."""
        self._pace, self._selector = pace, selector
        self._mailboxes: Sequence[Mapping[str, Any]] = ()
        self._read: dict[str, Message] = {}
        self._process: Child | None = None
        self._delay, self._started_at, self._deadline = GrowingDelay(pace), 0.0, math.inf
        self._worker: WorkerProcess | None = None
        self.unread, self.deferred = set[str](), set[str]()

    @property
    def child(self) -> Child | None:
        """The process, if one runs."""
        return self._process

    def configure(self, mailboxes: Sequence[Mapping[str, Any]]) -> None:
        """Let workers read these mailboxes, and then wait for mails."""
        self.close()
        self._mailboxes, self._delay = mailboxes, GrowingDelay(self._pace)
        self.unread = {str(mailbox["name"]) for mailbox in mailboxes}
        self._tell(self.unread)

    def use(self, worker: WorkerProcess | None) -> None:
        """Let this worker, which works, read what there is; None: it has left."""
        self._worker = worker
        self._tell(self.unread | self.deferred)

    def take_read(self, message: Message) -> None:
        """Note how far a worker has read a mailbox, or that it could not, see `watcher.daemon.worker`."""
        name = message["name"]
        self.unread.discard(name)
        self.deferred.discard(name)
        if all(mailbox["name"] != name for mailbox in self._mailboxes):
            return  # it is no longer configured, or the daemon ends
        if message["is_deferred"]:
            self.deferred.add(name)
        else:
            self._read[name] = {**message, "is": "wait"}
            self._send(self._read[name])

    def look(self, *, may_start: bool) -> None:
        """Start the process if it is needed, and kill one that shows no sign of life."""
        if self._process is None:
            if may_start and self._read and self._delay.time_left() <= 0:
                self._start()
        elif time.monotonic() >= self._deadline:
            _log.error("mail_waiter_hangs")
            self._process.kill()
            self._deadline = math.inf

    def time_left(self) -> float:
        """Return the seconds until `look` has something to do."""
        if self._process is None:
            return self._delay.time_left() if self._read else math.inf
        return self._deadline - time.monotonic()

    def close(self) -> None:
        """Kill the process, which has nothing to finish, and start no other."""
        self._mailboxes = ()
        self._read.clear()
        self.unread.clear()
        self.deferred.clear()
        if self._process is not None:
            self._process.kill()
            self._ended(is_expected=True)

    def _start(self) -> None:
        try:
            self._process = Child(MODULE)
        except OSError as error:
            _log.error(
                "mail_waiter_not_started", extra={"reason": error.strerror, "next_start_in": self._delay.failed()}
            )
            return
        self._started_at = time.monotonic()
        self._selector.register(self._process.channel, selectors.EVENT_READ, self._take_messages)
        self._note_life()
        self._send({"is": "mailboxes", "mailboxes": list(self._mailboxes), "poll": self._pace.mail_poll})
        for order in self._read.values():
            self._send(order)

    def _send(self, message: Message) -> None:
        if self._process is not None:
            with suppress(OSError):  # it has ended or hangs, which is noticed otherwise
                self._process.channel.send(message)

    def _take_messages(self) -> None:
        try:
            while self._process is not None and (message := self._process.channel.receive(0)) is not None:
                self._note_life()
                if message["is"] == "mail":
                    self._read.pop(message["name"], None)
                    self.unread.add(message["name"])
                    self._tell([message["name"]])
        except EOFError:
            self._ended()

    def _tell(self, names: "set[str] | list[str]") -> None:
        if self._worker is not None:
            for name in names:
                self._worker.send("mail", name=name)

    def _note_life(self) -> None:
        self._deadline = time.monotonic() + self._pace.mail_patience

    def _ended(self, *, is_expected: bool = False) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self._selector.unregister(process.channel)
        status = process.wait()
        process.channel.close()
        if not is_expected:
            delay = self._delay.failed(age=time.monotonic() - self._started_at)
            _log.error("mail_waiter_died", extra={**exit_details(status), "next_start_in": delay})
