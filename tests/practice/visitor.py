"""Somebody who uses the practice portal as a browser would, over verified TLS, by a clock that a test moves."""

import re
import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import Self

import httpx

from watcher.practice import PracticePortal
from watcher.practice.state.totp import STEP_SECONDS, code_at

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
NUMBER = "IOE0000000001"
PAPER_NUMBER = "EAC9999100001"


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self._now).total_seconds()

    def pass_by(self, span: timedelta) -> None:
        self._now += span


class Visitor:
    """A client with a cookie jar."""

    def __init__(self, portal: PracticePortal) -> None:
        self._portal = portal
        tls = ssl.create_default_context(cafile=str(portal.ca_file)) if portal.ca_pem else False
        self.http = httpx.Client(base_url=portal.base_url, verify=tls, follow_redirects=True, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def password(self, password: str | None = None, *, username: str | None = None) -> httpx.Response:
        account = self._portal.account
        form = self.http.get("/login")
        fields = {
            "username": username or account.username,
            "password": password or account.password,
            "csrf_token": csrf(form),
        }
        return self.http.post("/login", data=fields)

    def code(self, code: str, page: httpx.Response) -> httpx.Response:
        return self.http.post("/otp", data={"otp": code, "csrf_token": csrf(page)})

    def sign_in(self, unix_time: float | None = None) -> httpx.Response:
        """Password and code; what is shown last."""
        page = self.password()
        secret = self._portal.account.totp_secret
        if secret is None:
            return page
        moment = time.time() if unix_time is None else unix_time
        return self.code(code_at(secret, int(moment) // STEP_SECONDS), page)

    def token(self) -> str:
        account = self._portal.account
        return str(self.ask_token(account.client_id, account.client_secret).json()["access_token"])

    def ask_token(self, client_id: str, client_secret: str) -> httpx.Response:
        fields = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        return self.http.post("/oauth/accesstoken", data=fields)

    def case_status(self, receipt: str, token: str) -> httpx.Response:
        return self.http.get(f"/case-status/{receipt}", headers={"Authorization": f"Bearer {token}"})


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, "the page has no CSRF token"
    return found[1]
