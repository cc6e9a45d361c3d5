"""The services behind the channels of a run. They note every message, when they accepted it, and who had sent it.

`json://` has one target for a URL. The channel `pair` is an ntfy URL with two topics, of which `bad` fails at times.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event, Lock

from tests.doubles.loopback import BodyChunks, ReceivedRequest, reply, serve

_MOST = 3 * 1024**3  # bytes of an endless answer
_WRONG = (500, 404, 301, 418, 429, 503, 400)


class Mood(StrEnum):
    """How a channel treats messages. After `CUT` and `ENDLESS` the sender cannot know whether it was accepted."""

    ACCEPT = "accept"
    DRIP = "drip"
    REFUSE = "refuse"
    WRONG = "wrong"
    HANG = "hang"
    CUT = "cut"
    ENDLESS = "endless"


@dataclass(slots=True, kw_only=True)
class Arrival:
    """A message as it arrived. Times are monotonic; `accepted` is the moment before the answer's last byte.

    `uncertain`: the answer was cut, so the sender may send it again. `group` is the process group of the sender.
    """

    target: str
    title: str
    body: str
    began: float
    group: int | None
    accepted: float | None = None
    uncertain: bool = False


@dataclass(slots=True)
class HostileChannels:
    """All channels. `group_of` finds who has a client's port."""

    chance: random.Random
    group_of: Callable[[int], int | None]
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
                arrival.uncertain = True
                return _slowly(mood, arrival, released)

    def _arrival(self, request: ReceivedRequest) -> Arrival:
        began, group = time.monotonic(), self.group_of(request.port)
        content = json.loads(request.body)
        target = request.target.strip("/") or str(content["topic"])
        title, body = str(content.get("title", "")), str(content.get("message", ""))
        return Arrival(target=target, title=title, body=body, began=began, group=group)


def _slowly(mood: Mood, arrival: Arrival, released: Event) -> Iterator[bytes]:
    whole = reply(200, b"taken")
    if mood is Mood.CUT:
        yield whole[:-3]
    elif mood is Mood.ENDLESS:
        yield reply(200).replace(b"content-length: 0", f"content-length: {_MOST}".encode())
        for _ in range(_MOST // 65536):
            if released.is_set():
                return
            yield b" " * 65536
    else:
        for byte in whole[:-1]:
            yield bytes((byte,))
            released.wait(0.02)
        arrival.accepted, arrival.uncertain = time.monotonic(), False
        yield whole[-1:]


@contextmanager
def hostile_channels(chance: random.Random, group_of: Callable[[int], int | None]) -> Iterator[HostileChannels]:
    """Run the services until the context ends."""
    channels = HostileChannels(chance, group_of)
    with serve(channels.answer) as server:
        channels.host = server.origin.removeprefix("http://")
        yield channels
        channels.calm()
