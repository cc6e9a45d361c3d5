"""The portals of a run: the practice portal and others, behind a line that attacks their answers byte for byte.

An attack of `HARMLESS` leaves the truth readable. After any other one, the check must say nothing about a case.
"""

import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPConnection
from threading import Event

from tests.doubles.loopback import BodyChunks, LoopbackServer, ReceivedRequest, serve
from watcher.clock import Clock
from watcher.practice import Account, Fault, PracticePortal

PASSWORD, CLIENT_SECRET = "canary-Passw0rd&<q>'7", "canary client secret 9"
SIGN_IN_PATHS = frozenset({"/login", "/oauth/accesstoken"})
FAULTS = (
    Fault.MAINTENANCE,
    Fault.UNAVAILABLE,
    Fault.BAD_GATEWAY,
    Fault.SERVER_ERROR,
    Fault.HTML_FOR_JSON,
    Fault.INVALID_JSON,
    Fault.NO_ANSWER,
    Fault.CUT_OFF,
    Fault.CHANGED_SHAPE,
    Fault.EMPTY_LIST,
    Fault.SIGN_IN_PAGE,
)
_RETRY_AFTER = ("2", "0", "-5", "soon", "1e9", "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "\xff", "5, 7")
_ISSUED = re.compile(rb'"access_token": ?"([^"]{8,})"')
_PASSED = frozenset(
    {"cookie", "authorization", "content-type", "accept", "user-agent", "referer", "origin", "x-amz-target"}
)
_MOST = 3 * 1024**3  # bytes of an endless answer


class Attack(StrEnum):
    """What the line does to an answer."""

    ODD_HEADERS = "odd_headers"
    ODD_COOKIES = "odd_cookies"
    ODD_CHARSET = "odd_charset"
    IN_PIECES = "in_pieces"
    REORDERED = "reordered"
    FAULT = "fault"
    HANG = "hang"
    DRIP = "drip"
    ENDLESS = "endless"
    HALF = "half"
    NO_BYTES = "no_bytes"
    TOO_MANY = "too_many"
    REDIRECT = "redirect"
    BAD_GZIP = "bad_gzip"


HARMLESS = (Attack.ODD_HEADERS, Attack.ODD_COOKIES, Attack.ODD_CHARSET, Attack.IN_PIECES, Attack.REORDERED)
HARMFUL = tuple(attack for attack in Attack if attack not in HARMLESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def head(self, length: int | None = None) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Answer", *(f"{name}: {value}" for name, value in self.headers)]
        lines.append(f"content-length: {len(self.body) if length is None else length}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def with_headers(self, *headers: tuple[str, str]) -> "_Answer":
        return replace(self, headers=(*self.headers, *headers))


@dataclass(slots=True, kw_only=True)
class HostilePortal:
    """`secrets` are the cookies and tokens that were issued; `submissions` are the passwords by time and verdict.

    `attacked` counts attacks, `attacked_sign_ins` those that met a sign-in.
    """

    practice: PracticePortal
    clock: Clock
    chance: random.Random
    origin: str = ""
    secrets: set[str] = field(default_factory=set)
    submissions: list[tuple[datetime, str]] = field(default_factory=list)
    attacked: Counter[str] = field(default_factory=Counter)
    attacked_sign_ins: int = 0
    _attack: Attack | None = None
    _until: float = 0.0
    _on_sign_ins: bool = False
    _released: Event = field(default_factory=Event)

    def begin(self, attack: Attack, seconds: float, *, on_sign_ins: bool) -> None:
        """Attack every answer for some seconds; those of the sign-in pages only if asked to."""
        self.calm()
        self._attack, self._until, self._on_sign_ins = attack, time.monotonic() + seconds, on_sign_ins
        if attack is Attack.FAULT:
            paths = "*" if on_sign_ins else self.chance.choice(("/case*", "/cases/*", "/cases", "/notices/*"))
            self.practice.faults.throw(self.chance.choice(FAULTS), path=paths, times=self.chance.randint(1, 4))
        elif attack is Attack.REORDERED:
            self.practice.faults.throw(Fault.REORDERED)

    def calm(self) -> None:
        """End the attack, and close what hangs."""
        self._attack = None
        self.practice.faults.clear()
        self._released.set()
        self._released = Event()

    @staticmethod
    def forget_requests(server: LoopbackServer) -> None:
        """Let a server keep no log of its requests, because a run has a million of them."""
        server.requests = _Forgotten()

    def refusals(self) -> int:
        """Return how often a password was refused."""
        return sum(verdict == "refused" for _, verdict in self.submissions)

    def beyond_limit(self, limit: int) -> Iterator[datetime]:
        """Yield the moments at which more passwords than the limit had been submitted within a day.

        What was submitted before the clock was set back does not count.
        """
        recent: list[datetime] = []
        for moment, _ in self.submissions:
            if recent and moment < recent[-1]:
                recent.clear()
            recent = [*(each for each in recent if moment - each < timedelta(days=1)), moment]
            if len(recent) > limit:
                yield moment

    def answer(self, request: ReceivedRequest, upstream: str = "", *, signs_in: bool = False) -> BodyChunks:
        """Pass a request on to the practice portal or another one, and attack the answer."""
        path = request.target.partition("?")[0]
        attack = self._attack if time.monotonic() < self._until else None
        if signs_in or (path in SIGN_IN_PATHS and not upstream):
            attack = attack if self._on_sign_ins else None
            self.attacked_sign_ins += attack is not None
        if attack is not None:
            self.attacked[attack] += 1
        answer = _ask(request, upstream or self.practice.base_url)
        if not upstream:
            self._note(request, path, answer)
        return self._misdeliver(answer, attack)

    def _note(self, request: ReceivedRequest, path: str, answer: _Answer) -> None:
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                self.secrets.add(value.partition(";")[0].partition("=")[2])
        self.secrets.update(token.decode() for token in _ISSUED.findall(answer.body))
        if path == "/login" and request.method == "POST":
            verdict = "accepted" if answer.status == HTTPStatus.SEE_OTHER else "refused"
            self.submissions.append((self.clock.now(), verdict))

    def _misdeliver(self, answer: _Answer, attack: Attack | None) -> BodyChunks:
        whole = answer.head() + answer.body
        match attack:
            case Attack.ODD_HEADERS | Attack.ODD_COOKIES:
                odd = attack is Attack.ODD_HEADERS
                head = _odd_head(answer) if odd else answer.with_headers(*self._odd_cookies()).head()
                return head + answer.body
            case Attack.ODD_CHARSET:
                return _in_odd_charset(answer)
            case Attack.IN_PIECES:
                return (whole[start : start + 97] for start in range(0, len(whole), 97))
            case Attack.HANG | Attack.DRIP | Attack.ENDLESS:
                return self._slowly(attack, answer, whole)
            case None | Attack.FAULT | Attack.REORDERED:
                return whole
            case _:
                return self._spoiled(answer, attack)

    def _spoiled(self, answer: _Answer, attack: Attack) -> bytes:
        choose = self.chance.choice
        match attack:
            case Attack.HALF:
                body = answer.body[: len(answer.body) // 2]
                return replace(answer, body=body).head(choose((None, len(answer.body)))) + body
            case Attack.TOO_MANY:
                wait = self.chance.choices(_RETRY_AFTER, (9, 3, 3, 3, 1, 1, 1, 3, 3))[0]
                return _Answer(status=choose((429, 503)), headers=(("Retry-After", wait),), body=b"").head()
            case Attack.REDIRECT:
                target = choose(("https://portal.invalid/x", "//127.0.0.1:9/", "/cases", "javascript:1"))
                return _Answer(status=choose((302, 307)), headers=(("Location", target),), body=b"").head()
            case Attack.BAD_GZIP:
                return answer.with_headers(("Content-Encoding", "gzip")).head() + answer.body
            case _:
                raise OSError("no answer at all")

    def _slowly(self, attack: Attack, answer: _Answer, whole: bytes) -> Iterator[bytes]:
        released = self._released
        if attack is Attack.HANG:
            released.wait(30)
        elif attack is Attack.DRIP:
            for byte in whole:
                if released.wait(0.05):
                    return
                yield bytes((byte,))
        else:
            yield answer.head(_MOST)
            for _ in range(_MOST // 65536):
                if released.is_set():
                    return
                yield b" " * 65536

    def _odd_cookies(self) -> Iterator[tuple[str, str]]:
        number = self.chance.randrange(1_000_000)
        for value in (f"nonce.{number}=x; Path=/", "=odd", "a b=\xe9; expires=never", ";;;", f"long={'z' * 3000}", "k"):
            yield "Set-Cookie", value


def _ask(request: ReceivedRequest, upstream: str) -> _Answer:
    connection = HTTPConnection(upstream.removeprefix("http://"), timeout=60)
    passed = {name: value for name, value in request.headers.items() if name in _PASSED}
    try:
        connection.request(request.method, request.target, body=request.body or None, headers=passed)
        answer = connection.getresponse()
        body = answer.read()
    except Exception as error:
        raise OSError("the portal cut the answer off") from error
    finally:
        connection.close()
    dropped = {"content-length", "connection", "transfer-encoding", "date"}
    headers = tuple((name, value) for name, value in answer.getheaders() if name.lower() not in dropped)
    return _Answer(status=answer.status, headers=headers, body=body)


def _odd_head(answer: _Answer) -> bytes:
    odd = b"no colon here\r\nX-Long: " + b"y" * 4000 + b"\r\nX-High: \xff\xfe\r\nDate: yesterday\r\n: empty\r\n"
    first, _, rest = answer.head().partition(b"\r\n")
    return first + b"\r\n" + odd + rest


def _in_odd_charset(answer: _Answer) -> bytes:
    headers = tuple(
        (name, value.replace("utf-8", "x-unknown")) if name.lower() == "content-type" else (name, value)
        for name, value in answer.headers
    )
    return replace(answer, headers=headers).head() + answer.body


@contextmanager
def hostile_portal(clock: Clock, chance: random.Random) -> Iterator[HostilePortal]:
    """Run the portal until the context ends."""
    account = Account(password=PASSWORD, client_secret=CLIENT_SECRET, totp_secret=None)
    with PracticePortal(clock, account=account, tls=False) as practice:
        portal = HostilePortal(practice=practice, clock=clock, chance=chance)
        with serve(portal.answer) as server:
            portal.origin = server.origin
            portal.forget_requests(server)
            yield portal
            portal.calm()


class _Forgotten(list[ReceivedRequest]):
    """A log that keeps nothing."""

    def append(self, _: ReceivedRequest) -> None:
        """Forget it."""
