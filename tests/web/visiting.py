"""The page's application on a real database, and browsers that visit it without a network."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from starlette.applications import Starlette

from watcher.app import open_app
from watcher.context.opening import open_store
from watcher.model.web import KeyKind
from watcher.privacy.web_tokens import new_token
from watcher.settings import Settings, WebSettings
from watcher.settings.derived import DATABASE
from watcher.store import Store
from watcher.web.app import create_app
from watcher.web.context import WebContext
from watcher.web.entrance import Guard
from watcher.web.outcome import Outcome
from watcher.web.performing import perform

NOW = datetime(2026, 7, 9, 15, tzinfo=UTC)
LOCAL = "http://127.0.0.1:8788"
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


@dataclass(slots=True)
class Time:
    """A clock that a test sets, for moments and for durations."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.at).total_seconds()

    def monotonic(self) -> float:
        return (self.at - NOW).total_seconds() + 1000

    def pass_(self, span: timedelta) -> None:
        self.at += span


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The page at one configuration."""

    settings: Settings
    app: Starlette
    time: Time = field(default_factory=Time)
    checks: list[str] = field(default_factory=list)
    """The accounts whose check was started."""

    @contextmanager
    def store(self) -> Iterator[Store]:
        with closing(open_store(self.settings)) as store:
            yield store

    def link(self, *, person: str | None = None, read_only: bool = False) -> str:
        """Return the path of a new one-time link."""
        token = new_token()
        with self.store() as store:
            store.web.add(KeyKind.LINK, token, now=self.time.now(), person=person, read_only=read_only)
        return f"/sign-in/{token}"

    def browser(self, url: str = LOCAL, *, address: str = "192.0.2.7", prefix: str = "") -> "Browser":
        """Return a browser that is not signed in."""
        return Browser(self.app, url, address=address, prefix=prefix)

    def signed_in(
        self, url: str = LOCAL, *, person: str | None = None, read_only: bool = False, prefix: str = ""
    ) -> "Browser":
        """Return a browser that is signed in."""
        browser = self.browser(url, prefix=prefix)
        answer = browser.submit(self.link(person=person, read_only=read_only))
        assert answer.status_code == 303, answer.text
        return browser


class Browser:
    """Sends requests as a browser does, and keeps cookies."""

    def __init__(self, app: Starlette, url: str, *, address: str, prefix: str) -> None:
        transport = _Transport(app, address, prefix)
        agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1"
        self.client = httpx.Client(transport=transport, base_url=url, headers={"User-Agent": agent})

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers=headers)

    def post(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """Post a form as a page of the same origin does."""
        own = {"Origin": "null", "Sec-Fetch-Site": "same-origin"} | headers
        return self.client.post(path, data=fields or {}, headers=own)

    def submit(self, page: str, to: str | None = None, **fields: str) -> httpx.Response:
        """Open a page and send a form on it to an address, by default that of the page."""
        return self.post(to or page, {"csrf": self.csrf(page), **fields})

    def csrf(self, page: str) -> str:
        """Return the token in the forms of a page."""
        found = _CSRF.search(self.get(page).text)
        assert found is not None
        return found[1]


class _Transport(httpx.BaseTransport):
    def __init__(self, app: Starlette, address: str, prefix: str) -> None:
        self._transport = httpx.ASGITransport(app, client=(address, 50000), root_path=prefix)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def answer() -> httpx.Response:
            response = await self._transport.handle_async_request(request)
            return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())

        return asyncio.run(answer())


@cache
def _empty_database() -> bytes:
    """Return the content of a new database, which takes long to make."""
    with TemporaryDirectory() as folder:
        made = Settings(state_dir=Path(folder))
        open_store(made).close()
        return (made.state_dir / DATABASE).read_bytes()


def a_site(folder: Path, *, web: WebSettings | None = None, **settings: Any) -> Site:
    """Return the page with an empty database in this folder."""
    time, checks = Time(), list[str]()
    web = web or WebSettings(listen="127.0.0.1:8788")
    made = Settings(state_dir=folder, timezone="America/New_York", web=web, **settings)

    def performer(name: str, arguments: Mapping[str, Any]) -> Outcome:
        with open_app(made, clock=time) as app:
            return perform(app, name, arguments)

    context = WebContext(settings=made, clock=time, performer=performer, checker=checks.append)
    site = Site(settings=made, app=create_app(context, Guard(time.monotonic)), time=time, checks=checks)
    file = folder / DATABASE
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_bytes(_empty_database())
        file.chmod(0o600)
    return site
