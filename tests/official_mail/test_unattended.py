"""Which accounts a mail can start a check of: those that need no person at the moment."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.portals.context import FakeClock
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.model.account_health import AccountState
from watcher.official_mail.unattended import can_check_unattended

START = datetime(2026, 6, 1, 16, tzinfo=UTC)
CONFIGURATION = """
state_dir = "state"
[accounts.api]
portal = "uscis-api"
client_id = "made-up-id"
client_secret = "made-up-secret"
cases = ["IOE0000000001"]
[accounts.browser]
portal = "uscis"
sign_in = "browser"
username = "someone@example.org"
password = "made-up-password"
[accounts.session]
portal = "uscis"
[accounts.handover]
portal = "uscis"
sign_in = "handover"
[accounts.manual]
portal = "manual"
site = "ceac"
cases = ["AA00000001"]
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    file = tmp_path / "watcher.toml"
    file.write_text(CONFIGURATION)
    file.chmod(0o600)
    with open_app(read_settings(file, {}), clock=FakeClock(START)) as found:
        yield found


def unattended(app: App) -> set[str]:
    return {
        name
        for name, account in app.settings.accounts.items()
        if can_check_unattended(account, app.portal_of(name), app.sessions.of(name), app.context)
    }


def set_state(app: App, name: str, state: AccountState) -> None:
    health = app.store.accounts.health(name, START)
    app.store.accounts.set_health(name, replace(health, state=state))


def test_accounts_that_sign_in_by_themselves_need_no_person(app: App) -> None:
    assert unattended(app) == {"api", "browser"}


def test_paused_account_waits_for_its_person(app: App) -> None:
    set_state(app, "api", AccountState.REJECTED)
    set_state(app, "browser", AccountState.MFA_NEEDED)
    assert unattended(app) == set()


def test_session_counts_for_as_long_as_it_lives(app: App) -> None:
    for name in ("session", "handover"):
        app.sessions.of(name).save(b"made-up")
    assert unattended(app) == {"api", "browser", "session"}
    app.store.accounts.set_session_end("session", START + timedelta(minutes=1))
    assert "session" in unattended(app)
    app.store.accounts.set_session_end("session", START)
    assert "session" not in unattended(app)
