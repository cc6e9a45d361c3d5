"""Delivery in a child process, for a daemon that runs for months and sends few messages.

Apprise and its plug-ins take half as much memory as the rest of the program, and Python never frees imported modules.
A child process loads them and ends after a time without messages; the next message starts another. A plug-in that
crashes or hangs affects only the child.

The child handles requests concurrently, see `watcher.delivery.sender_child`.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import timedelta
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from pydantic import SecretStr

from watcher.delivery.failure_texts import no_answer_text
from watcher.delivery.message_traits import NO_TRAITS, Traits
from watcher.errors import DeliveryFailed, os_error_text
from watcher.messages import _
from watcher.processes.channel import Message
from watcher.processes.child import Child

_MODULE = "watcher.delivery.sender_child"


class _Pending:
    """A request that the child is working on."""

    def __init__(self, accepted_by: Collection[str]) -> None:
        self.reply: SimpleQueue[Message] = SimpleQueue()
        self.accepted_by = set(accepted_by)


class SenderProcess:
    """A `Notifier` that sends through a child process. Thread-safe.

    `timeout` limits one message, in seconds, including the time to load Apprise for the first one. A child that exceeds
    it gets no further messages and ends after those it is sending. A child also ends after `idle` seconds without a
    message.
    """

    def __init__(self, *, timeout: float = 75.0, idle: float = 300.0) -> None:
        """Create it without starting a child."""
        self._timeout, self._idle = timeout, idle
        self._numbers = count(1)
        self._starting = Lock()
        self._child: _Sender | None = None

    def send(
        self,
        url: SecretStr,
        *,
        title: str,
        body: str,
        html: str,
        short: str,
        attachments: Sequence[Path] = (),
        accepted_by: Collection[str] = (),
        traits: Traits = NO_TRAITS,
    ) -> None:
        """Send as described in `Notifier.send`."""
        self._call(
            "send",
            url,
            text={"title": title, "body": body, "html": html, "short": short},
            attachments=[str(file.absolute()) for file in attachments],
            accepted_by=list(accepted_by),
            traits=asdict(traits),
        )

    def can_attach(self, url: SecretStr) -> bool:
        """Return as described in `Notifier.can_attach`. Raises `DeliveryFailed` if the child does not answer."""
        return bool(self._call("can_attach", url))

    def close(self) -> None:
        """Kill the child, even if it is sending. Does not wait."""
        child = self._child
        if child is not None:
            child.kill()

    def _call(self, method: str, url: SecretStr, **arguments: Any) -> Any:
        number = next(self._numbers)
        child, pending = self._submit({"number": number, "method": method, "url": url.get_secret_value(), **arguments})
        try:
            reply = pending.reply.get(timeout=self._timeout)
        except Empty:
            child.abandon(number)
            reply = {"error": no_answer_text(self._timeout)}
        if "error" in reply:
            wait = reply.get("retry_after")
            raise DeliveryFailed(
                reply["error"],
                permanent=reply.get("permanent", False),
                refused=reply.get("refused", False),
                gone=reply.get("gone", False),
                retry_after=None if wait is None else timedelta(seconds=wait),
                accepted_by=frozenset(pending.accepted_by),
            )
        return reply["value"]

    def _submit(self, request: Message) -> "tuple[_Sender, _Pending]":
        """Send the request to the child, or to a new one if it has ended."""
        with self._starting:
            pending = self._child.submit(request) if self._child is not None else None
            if self._child is None or pending is None:
                self._child = self._start_child()
                pending = self._child.submit(request)
                self._child.listener.start()
            if pending is None:
                raise DeliveryFailed(_("the process that sends messages ended right after its start"))
            return self._child, pending

    def _start_child(self) -> "_Sender":
        try:
            return _Sender(self._idle)
        except OSError as error:
            text = _("cannot start the process that sends messages: {reason}", reason=os_error_text(error))
            raise DeliveryFailed(text) from None


class _Sender:
    """One child process. It accepts requests until it ends, at the latest after `idle` seconds without any.

    `listener` distributes its replies; start it after the first request was submitted.
    """

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self._pending: dict[int, _Pending] = {}
        self._lock = Lock()
        self._ended = False
        self._child = Child(_MODULE, quiet=True)  # a plug-in's output may contain the URL
        self.listener = Thread(target=self._listen, name="sender replies", daemon=True)

    def submit(self, request: Message) -> _Pending | None:
        """Send a request. Return what will get its reply; None if the child has ended."""
        pending = _Pending(request.get("accepted_by", ()))
        with self._lock:
            if self._ended:
                return None
            self._pending[request["number"]] = pending
            try:
                self._child.channel.send(request)
            except OSError:  # it has ended, or hangs and reads nothing more
                del self._pending[request["number"]]
                self.kill()
                return None
        return pending

    def abandon(self, number: int) -> None:
        """Stop waiting for a reply. The child gets no further requests, because it may hang."""
        self._ended = True
        self._pending.pop(number, None)
        if not self._pending:
            self.kill()

    def kill(self) -> None:
        """End the child at once; pending requests get an error. Does not wait, not even for `submit`'s lock."""
        self._ended = True
        self._child.kill()

    def _listen(self) -> None:
        try:
            while not self._is_over():
                message = self._child.channel.receive(self._idle)
                if message is None:
                    self._end_if_idle()
                else:
                    self._distribute(message)
        except EOFError:
            self._ended = True
        with self._lock:
            for pending in self._pending.values():
                pending.reply.put({"error": _("the process that sends messages ended while sending")})
        self._child.channel.close()
        self._child.kill()
        self._child.wait()

    def _distribute(self, message: Message) -> None:
        number = message["number"]
        if "accepted" in message:
            if (pending := self._pending.get(number)) is not None:
                pending.accepted_by.add(message["accepted"])
        elif (pending := self._pending.pop(number, None)) is not None:
            pending.reply.put(message)

    def _is_over(self) -> bool:
        """Return whether the child gets no further requests and has none pending."""
        with self._lock:
            return self._ended and not self._pending

    def _end_if_idle(self) -> None:
        with self._lock:
            self._ended = self._ended or not self._pending
