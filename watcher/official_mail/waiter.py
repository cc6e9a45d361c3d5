"""The process that waits for official mails, so that a small one waits and not a worker.

It holds one connection for each mailbox and says when a mail of a confirmed sender has come. It decides nothing: a
worker reads the mail. The server announces new mails (IDLE, RFC 2177), or is asked every few minutes if it cannot.

It exchanges these messages with the supervisor, by the key "is":

    mailboxes   the mailboxes, see `OfficialMailbox.waiting_message`, and how often to `poll`; the first message
    wait        a worker has read a mailbox, up to `last_uid`: wait for the next mail
    mail        a mailbox has a new mail, or its connection failed: a worker must read it. `wait` is the answer
    alive       a regular sign of life

The password of a mailbox is submitted only after a worker has signed in with it. If a connection that has worked for a
while ends, this process connects once more by itself; after that, the worker tries, with growing delays.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

from watcher.official_mail.client import OpenMailbox, open_mailbox
from watcher.processes.channel import Channel
from watcher.processes.child import channel_to_parent
from watcher.sign_in.imap import CONNECTION_ERRORS, ImapLogin, MailboxRefused

MODULE: Final = "watcher.official_mail.waiter"

_REFRESH: Final = 540.0
"""Seconds of one IDLE. Servers end connections without commands after 30 minutes, and many routers earlier."""

_MAX_CONNECTION: Final = 24 * 3600.0
_LASTED: Final = 300.0
_PAUSE: Final = 5.0
_SIGN_OF_LIFE: Final = 600.0
_STUCK: Final = _REFRESH + 300.0


class Waiting:
    """One mailbox, with a thread that waits for its mails."""

    def __init__(self, mailbox: Mapping[str, Any], channel: Channel, *, poll: float) -> None:
        """Start the thread, which waits for the first order. A server without IDLE is asked every `poll` seconds."""
        self._name, self._senders = str(mailbox["name"]), tuple(mailbox["senders"])
        login = {name: mailbox[name] for name in ("host", "port", "username", "password", "folder", "starttls")}
        ca_file = mailbox["ca_file"]
        self._login = ImapLogin(**login, ca_file=None if ca_file is None else Path(ca_file))
        self._channel, self._poll = channel, poll
        self._orders: SimpleQueue[tuple[int, int]] = SimpleQueue()
        self._moved_at: float | None = None
        Thread(target=self._run, name=f"wait {self._name}", daemon=True).start()

    def order(self, validity: int, last_uid: int) -> None:
        """Let it wait for a mail after this one."""
        self._orders.put((validity, last_uid))

    def is_stuck(self) -> bool:
        """Return whether it has not moved for longer than any step takes."""
        moved_at = self._moved_at
        return moved_at is not None and time.monotonic() - moved_at > _STUCK

    def _run(self) -> None:
        while True:
            self._moved_at = None
            validity, last_uid = self._orders.get()
            while not self._orders.empty():
                validity, last_uid = self._orders.get()
            self._wait_for_mail(validity, last_uid)
            self._channel.send({"is": "mail", "name": self._name})

    def _wait_for_mail(self, validity: int, last_uid: int) -> None:
        """Wait until there is a mail, or the mailbox cannot be read."""
        while True:
            began_at = time.monotonic()
            try:
                self._watch(validity, last_uid)
            except MailboxRefused:
                return
            except CONNECTION_ERRORS:
                if time.monotonic() - began_at < _LASTED:
                    return
                self._moved_at = None
                time.sleep(_PAUSE)
            else:
                return

    def _watch(self, validity: int, last_uid: int) -> None:
        """Return when there is a mail, or the server has numbered its mails anew."""
        self._move()
        with open_mailbox(
            self._login, before_password=self._move, signed_in=self._move, seconds=_MAX_CONNECTION
        ) as mailbox:
            while mailbox.validity == validity and not mailbox.uids_from(self._senders, after=last_uid):
                self._move()
                self._pause(mailbox)

    def _pause(self, mailbox: OpenMailbox) -> None:
        if mailbox.can_idle:
            mailbox.idle(_REFRESH)
        else:
            time.sleep(self._poll)
            self._move()
            mailbox.refresh()

    def _move(self) -> None:
        self._moved_at = time.monotonic()


def main() -> None:
    """Wait for the mailboxes of the first message until the supervisor ends. A stuck thread ends the process."""
    channel = channel_to_parent()
    try:
        first = channel.receive() or {}
        waiting = {
            str(mailbox["name"]): Waiting(mailbox, channel, poll=first["poll"]) for mailbox in first["mailboxes"]
        }
        while not any(mailbox.is_stuck() for mailbox in waiting.values()):
            message = channel.receive(_SIGN_OF_LIFE)
            if message is None:
                channel.send({"is": "alive"})
            elif message["name"] in waiting:
                waiting[message["name"]].order(message["validity"], message["last_uid"])
    except (EOFError, OSError):  # the supervisor has ended
        os._exit(0)
    os._exit(1)
