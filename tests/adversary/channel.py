"""The services behind the channels of a run. They note every message, when they accepted it, and who had sent it.

`json://` has one target for a URL. The channel `pair` is an ntfy URL with two topics, which fail independently.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event, Lock

from tests.adversary.witness import Sender
from tests.doubles.loopback import BodyChunks, ReceivedRequest, reply, serve

_MOST = 3 * 1024**3  # bytes of an endless answer
_WRONG = (500, 404, 301, 418, 429, 503, 400)


class Mood(StrEnum):
    """How a channel treats messages. `CUT` and `ENDLESS` accept them: only what follows the status goes wrong."""

    ACCEPT = "accept"
    DRIP = "drip"
    REFUSE = "refuse"
    WRONG = "wrong"
    HANG = "hang"
    CUT = "cut"
    ENDLESS = "endless"


@dataclass(slots=True, kw_only=True)
class Arrival:
    """A message as it arrived. Times are monotonic; `accepted` is the moment before the acceptance is sent.

    It is sent with the end of the answer's head, after which nothing that happens to the answer takes it back.
    """

    target: str
    title: str
    body: str
    began: float
    sender: Sender | None
    accepted: float | None = None


@dataclass(slots=True)
class HostileChannels:
    """All channels. `sender_of` finds who has a client's port."""

    chance: random.Random
    sender_of: Callable[[int], Sender | None]
    host: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    _moods: dict[str, tuple[Mood, float, Event]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def begin(self, target: str, mood: Mood, seconds: float) -> None:
        """Let a channel, or one of two topics, be in this mood for some seconds."""
        self._end(target)
        self._moods[target] = mood, time.monotonic() + seconds, Event()

    def calm(self) -> None:
        """Let every channel accept everything."""
        for target in tuple(self._moods):
            self._end(target)

    def _end(self, target: str) -> None:
        before = self._moods.pop(target, None)
        if before is not None:
            before[2].set()

    def answer(self, request: ReceivedRequest) -> BodyChunks:
        arrival = self._arrival(request)
        mood, until, released = self._moods.get(arrival.target, (Mood.ACCEPT, 0.0, Event()))
        if time.monotonic() > until:
            mood = Mood.ACCEPT
        with self._lock:
            self.arrivals.append(arrival)
        match mood:
            case Mood.ACCEPT:
                arrival.accepted = time.monotonic()
                return reply()
            case Mood.WRONG:
                return reply(self.chance.choice(_WRONG), retry_after=self.chance.choice(("1", "soon", "-1", "1e9")))
            case Mood.REFUSE:
                raise OSError("refused")
            case Mood.HANG:
                released.wait(30)
                raise OSError("hung up")
            case _:
                return _slowly(mood, arrival, released)

    def _arrival(self, request: ReceivedRequest) -> Arrival:
        began, sender = time.monotonic(), self.sender_of(request.port)
        content = json.loads(request.body)
        target = request.target.strip("/") or str(content["topic"])
        title, body = str(content.get("title", "")), str(content.get("message", ""))
        return Arrival(target=target, title=title, body=body, began=began, sender=sender)


def _slowly(mood: Mood, arrival: Arrival, released: Event) -> Iterator[bytes]:
    head, body = reply(200, b"taken")[:-5], b"taken"
    if mood is Mood.ENDLESS:
        head = head.replace(b"content-length: 5", f"content-length: {_MOST}".encode())
    if mood is Mood.DRIP:
        for byte in head[:-1]:
            yield bytes((byte,))
            released.wait(0.02)
        head = head[-1:]
    arrival.accepted = time.monotonic()
    yield head
    if mood is not Mood.ENDLESS:
        yield body[:2] if mood is Mood.CUT else body
        return
    for _ in range(_MOST // 65536):
        if released.is_set():
            return
        yield b" " * 65536


@contextmanager
def hostile_channels(chance: random.Random, sender_of: Callable[[int], Sender | None]) -> Iterator[HostileChannels]:
    """Run the services until the context ends."""
    channels = HostileChannels(chance, sender_of)
    with serve(channels.answer) as server:
        channels.host = server.origin.removeprefix("http://")
        yield channels
        channels.calm()
