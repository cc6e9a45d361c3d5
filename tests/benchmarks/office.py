"""A minimal Case Status API in a process of its own, so that the server is never what is measured.

`python -m tests.benchmarks.office` prints its port and serves until its standard input closes. `/set/latency/50` makes
it take 50 ms for each case from now on; `/set/moved/EVERY/TIMES` says that every so manyth case has moved so often;
`/changed` returns when it first answered so; `/phone` is a channel, and `/alerts` returns when it received each alert.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

TITLES = (
    "Case Was Received",
    "Fingerprint Fee Was Received",
    "Case Is Being Actively Reviewed By USCIS",
    "Request for Additional Evidence Was Sent",
    "Response To USCIS' Request For Evidence Was Received",
    "Interview Was Scheduled",
    "Case Was Approved",
)
PREFIX, SUFFIX = "IOE0", 9
"""The parts of a receipt number: four letters and nine digits."""


def receipt(place: int) -> str:
    """Return the number of the nth case."""
    return f"{PREFIX}{place:0{SUFFIX}d}"


def answer(number: str, moves: int = 0) -> bytes:
    """Return the API's answer about a case that has changed so often: about 1,900 bytes, as in reality."""
    title, taken = TITLES[moves % len(TITLES)], _day(moves)
    day = f"{_NAMES[taken.month - 1]} {taken.day}, {taken.year}"
    words = (
        f"On {day}, we took this action on your Form I-485, Application to Register Permanent "
        f"Residence or Adjust Status, Receipt Number {number}. We sent you a notice that explains what we did and what "
        "you may do next. Please follow the instructions in the notice. If you do not receive it by the end of the "
        "month, contact the USCIS Contact Center. If you move, go to www.uscis.gov/addresschange and give us your new "
        "address within ten days of moving, so that what we send you reaches you."
    )
    said = {
        "receiptNumber": number,
        "formType": "I-485",
        "submittedDate": "01-05-2026 14:28:46",
        "modifiedDate": f"{taken:%m-%d-%Y} 10:00:00",
        "current_case_status_text_en": title,
        "current_case_status_desc_en": words,
        "current_case_status_text_es": "Caso Fue Recibido",
        "current_case_status_desc_es": words,
        "hist_case_status": [
            {"date": _day(line).isoformat(), "completed_text_en": f"{TITLES[line % len(TITLES)]}."}
            for line in range(-_SHOWN, moves + 1)
        ],
    }
    return json.dumps({"case_status": said, "message": "Query was successful"}).encode()


def _day(moves: int) -> date:
    return date(2020, 1, 9) + timedelta(days=10 * (moves + _SHOWN))


_SHOWN = 4
"""Lines of history before the newest one."""

_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_TOKEN = json.dumps({"access_token": "made-up-token", "token_type": "BearerToken", "expires_in": "179900"}).encode()


_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def _reply(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class _Desk:
    """The state of the server. Answers are created once and cached, so that serving one costs almost nothing."""

    def __init__(self) -> None:
        self.latency, self.every, self.times = 0.0, 0, 0
        self.changed_at: float | None = None
        self.alerts: list[float] = []
        self._made: dict[tuple[str, int], bytes] = {}

    def set(self, words: list[str]) -> None:
        if words[0] == "latency":
            self.latency = int(words[1]) / 1000
        else:
            self.every, self.times, self.changed_at = int(words[1]), int(words[2]), None
            self.alerts.clear()

    def about(self, number: str) -> bytes:
        moves = self.times if self.every and int(number[-SUFFIX:]) % self.every == 0 else 0
        if moves and self.changed_at is None:
            self.changed_at = time.time()
        made = self._made.get((number, moves))
        if made is None:
            made = self._made[number, moves] = _reply(answer(number, moves))
        return made


def _length_of(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


class _Connection(asyncio.Protocol):
    """One keep-alive connection with one request at a time, as HTTP/1.1 clients use it."""

    def __init__(self, desk: _Desk) -> None:
        self._desk, self._heard = desk, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, end, rest = self._heard.partition(b"\r\n\r\n")
        if not end or len(rest) < _length_of(head):
            return  # incomplete
        self._heard = b""
        path = head.split(b" ", 2)[1].decode()
        if path.startswith("/case-status/"):
            reply, wait = self._desk.about(path.removeprefix("/case-status/")), self._desk.latency
        else:
            reply, wait = _reply(self._beside(path)), 0.0
        if wait:
            asyncio.get_running_loop().call_later(wait, self._say, reply)
        else:
            self._say(reply)

    def _beside(self, path: str) -> bytes:
        """Answer requests that are not about cases."""
        desk, (place, *words) = self._desk, path.removeprefix("/").split("/")
        if place == "set":
            desk.set(words)
        elif place == "phone":
            desk.alerts.append(time.time())
        elif place in ("changed", "alerts"):
            return json.dumps(desk.changed_at if place == "changed" else desk.alerts).encode()
        return _TOKEN

    def _say(self, reply: bytes) -> None:
        assert isinstance(self._transport, asyncio.Transport)
        if not self._transport.is_closing():
            self._transport.write(reply)


async def _serve() -> None:
    desk, loop = _Desk(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(desk), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - tells the parent process the port
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@dataclass(frozen=True, slots=True)
class Office:
    """The server as seen by the benchmarks."""

    port: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, milliseconds: int) -> None:
        """Delay the answer about every case."""
        self._set(f"latency/{milliseconds}")

    def move(self, *, every: int, times: int) -> None:
        """Change every nth case so many times, and the others not at all."""
        self._set(f"moved/{every}/{times}")

    @property
    def phone(self) -> str:
        """Return an Apprise URL of the channel."""
        return f"json://127.0.0.1:{self.port}/phone"

    def change_time(self) -> float | None:
        """Return when the server first answered with a changed case after `move`."""
        when: float | None = self._ask("changed")
        return when

    def alert_times(self) -> list[float]:
        """Return when the channel accepted each alert after `move`."""
        times: list[float] = self._ask("alerts")
        return times

    def _set(self, what: str) -> None:
        self._ask(f"set/{what}")

    def _ask(self, what: str) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", f"/{what}")
        said = json.loads(connection.getresponse().read())
        connection.close()
        return said


@contextmanager
def open_office() -> Iterator[Office]:
    """Run the server in its own process until the context ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Office(int(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(_serve())
