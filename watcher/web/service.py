"""What the page's process learns from the supervisor, and tells it, over its channel."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from watcher.clock import Clock
from watcher.monitoring.metrics import Counters
from watcher.monitoring.reported_status import ReportedStatus
from watcher.monitoring.service_status import ServiceStatus
from watcher.processes.channel import Channel, Message

_ANSWER_TIME = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentService:
    """The service at this moment. `process` is that of the daemon."""

    status: ServiceStatus
    counters: Counters
    process: int


class Service(Protocol):
    """The running daemon, or what is known without one."""

    async def current(self) -> CurrentService | None:
        """Return the state of the service; None if it cannot be found out."""


class Supervisor:
    """The supervisor, at the other end of the channel. An answer proves that it lives."""

    def __init__(self, channel: Channel, clock: Clock, process: int) -> None:
        """Ask nothing yet."""
        self._channel, self._clock, self._process = channel, clock, process
        self._answer: asyncio.Future[Message] | None = None

    async def current(self) -> CurrentService | None:
        """Ask for the state of the service. Return None if there is no answer in time, or nothing is known yet."""
        if self._answer is None or self._answer.done():
            self._answer = asyncio.get_running_loop().create_future()
            self._send({"is": "status"})
        try:
            answer = await asyncio.wait_for(asyncio.shield(self._answer), _ANSWER_TIME)
        except TimeoutError:
            return None
        return self._decoded(answer)

    def answered(self, message: Message) -> None:
        """Take the answer."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(message)

    def wake(self) -> None:
        """Let a worker see at once what was written. May be called from any thread."""
        self._send({"is": "wake"})

    def _send(self, message: Message) -> None:
        with suppress(OSError):  # it has ended, which is noticed when its next message is expected
            self._channel.send(message)

    def _decoded(self, answer: Mapping[str, Any]) -> CurrentService | None:
        if answer["reported"] is None:
            return None
        counters = Counters()
        counters.add(answer["counters"])
        status = ServiceStatus(
            at=self._clock.now(),
            reported=ReportedStatus.from_json(answer["reported"]),
            scheduler_alive=answer["scheduler_alive"],
        )
        return CurrentService(status=status, counters=counters, process=self._process)
