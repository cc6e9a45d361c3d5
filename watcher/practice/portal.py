"""The assembled practice portal, used by tests, benchmarks, the demo, and authors of adapters."""

import ssl
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import TracebackType
from typing import Self

import trustme

from watcher.clock import Clock
from watcher.practice.site.case_status_api import TokenServer
from watcher.practice.site.exchange import Received, Request, Response
from watcher.practice.site.faults import FaultBoard
from watcher.practice.site.server import LOOPBACK, LoopbackServer
from watcher.practice.site.sign_in_pages import SignInPages
from watcher.practice.site.site import Site
from watcher.practice.state.case_book import CaseBook
from watcher.practice.state.sign_in_desk import SignInService
from watcher.practice.state.terms import Account, Terms
from watcher.practice.story import Scene, Story, StoryPlayer


class PracticePortal:
    """A portal on loopback that runs within a `with` block. It can be changed from any thread while it runs.

    `cases`, `faults`, `desk`, and `tokens` hold its state; `account` and `terms` say who may sign in and how long
    things last. A `story` starts at the current time of `clock`; the portal applies what is due before each response.
    Without `tls` it uses plain HTTP, for benchmarks. `port` 0 selects a free port.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        story: Story | None = None,
        account: Account | None = None,
        terms: Terms | None = None,
        tls: bool = True,
        port: int = 0,
    ) -> None:
        """Listen at once, so that `base_url` is known; answer after `start`."""
        self.account, self.terms = account or Account(), terms or Terms()
        self.cases, self.faults = CaseBook(clock), FaultBoard()
        self.desk = SignInService(self.account, self.terms, clock)
        self.tokens = TokenServer(self.account, self.terms, clock)
        self._clock, self._log, self._log_lock = clock, list[Received](), Lock()
        scene = Scene(cases=self.cases, faults=self.faults)
        self._story_player = StoryPlayer(story, scene, clock.now()) if story else None
        self._site = Site(
            book=self.cases,
            faults=self.faults,
            sign_in=SignInPages(self.desk, secure=tls),
            tokens=self.tokens,
            terms=self.terms,
        )
        self._authority = trustme.CA(organization_name="Practice Immigration Office") if tls else None
        self._folder = TemporaryDirectory(prefix="practice-portal-")
        self._ca_file = Path(self._folder.name, "ca.pem")
        self.write_ca(self._ca_file)
        self._server = LoopbackServer(self._answer, port=port, context=self._context())

    @property
    def base_url(self) -> str:
        """Return the origin, without a trailing slash."""
        return f"{'https' if self._authority else 'http'}://{LOOPBACK}:{self._server.port}"

    @property
    def ca_pem(self) -> bytes:
        """Return the certificate of the temporary authority (PEM); empty without TLS."""
        return self._authority.cert_pem.bytes() if self._authority else b""

    @property
    def ca_file(self) -> Path:
        """Return a file with `ca_pem` that exists until the portal stops. Raises ValueError without TLS."""
        if self._authority is None:
            raise ValueError("this practice portal speaks plain HTTP and has no certificate")
        return self._ca_file

    def write_ca(self, path: Path) -> None:
        """Write `ca_pem` to a file."""
        path.write_bytes(self.ca_pem)

    @property
    def requests(self) -> tuple[Received, ...]:
        """Return every request so far, in the order of the responses."""
        with self._log_lock:
            return tuple(self._log)

    def forget_requests(self) -> None:
        """Clear the request log."""
        with self._log_lock:
            self._log.clear()

    def start(self) -> None:
        """Start answering. `stop` must follow."""
        self._server.start()

    def stop(self) -> None:
        """Close every connection and remove temporary files. A second call does nothing."""
        self._server.stop()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request) -> Response:
        now = self._clock.now()
        if self._story_player:
            self._story_player.catch_up(now)
        answer = self._site.answer(request)
        line = Received(method=request.method, path=request.path, status=answer.status, at=now)
        with self._log_lock:
            self._log.append(line)
        return answer

    def _context(self) -> ssl.SSLContext | None:
        if self._authority is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(LOOPBACK, "localhost").configure_cert(context)
        return context
