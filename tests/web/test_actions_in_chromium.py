"""Every action of the page, in a real Chromium, with JavaScript and without it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.household import LUIS, MARIA, MARIAS_PAGE, request_number
from tests.web.in_chromium import Home, needs_chromium, open_home
from watcher.app import open_app
from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.case import ItemState
from watcher.model.web import KeyKind
from watcher.practice.site.pdf import letter
from watcher.sign_in.browser import running_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [needs_chromium, pytest.mark.xdist_group("chromium")]

PDF = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": letter("Notice", ["Respond by August 10, 2026."])}
COOKIES = b"my.uscis.gov\tFALSE\t/\tTRUE\t4102444800\t_myuscis_session_rx\tvalue\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a person does on the page at `path`, what the page then says, and what is then true."""

    path: str
    act: Callable[["Page"], None]
    says: str
    holds: Callable[[Home], bool] = lambda _home: True
    prepare: Callable[[Home], None] = lambda _home: None


def opened(summary: str, button: str, **fields: str) -> Callable[["Page"], None]:
    """Return what opens a part of the page, fills in its fields by label, and presses its button."""

    def act(tab: "Page") -> None:
        tab.click(f"summary:has-text('{summary}')")
        filled(button, **fields)(tab)

    return act


def filled(button: str, **fields: str) -> Callable[["Page"], None]:
    """Return what fills in fields by label (with `_` for spaces) and presses a button."""

    def act(tab: "Page") -> None:
        for label, value in fields.items():
            tab.get_by_label(label.replace("_", " "), exact=True).locator("visible=true").fill(value)
        tab.get_by_role("button", name=button, exact=True).locator("visible=true").first.click()

    return act


def chosen(button: str, file: dict[str, Any], summary: str = "") -> Callable[["Page"], None]:
    """Return what chooses a file and presses a button."""

    def act(tab: "Page") -> None:
        if summary:
            tab.click(f"summary:has-text('{summary}')")
        tab.locator("input[type=file]").locator("visible=true").set_input_files(files=[file])  # type: ignore[arg-type]
        tab.get_by_role("button", name=button, exact=True).locator("visible=true").click()

    return act


def state(home: Home) -> ItemState:
    with home.site.store() as store:
        item = store.ledger.item(request_number(home.site))
    assert item is not None
    return item.state


def set_done(home: Home) -> None:
    with home.site.store() as store:
        store.ledger.set_done(request_number(home.site))


def letter_date(home: Home) -> date | None:
    with home.site.store() as store:
        item = store.ledger.item(request_number(home.site))
    assert item is not None
    return item.letter_due_on


def said_of(home: Home, number: str) -> tuple[str | None, str | None, bool]:
    with home.site.store() as store:
        case = store.user_case(number)
    return case.label, case.person, case.finished_at is not None


def kinds(home: Home) -> list[str]:
    with home.site.store() as store:
        return [change.change.kind for change in store.history()]


def reminders(home: Home) -> list[str]:
    with home.site.store() as store:
        return [item.item.title for item in store.items() if item.item.key.startswith("user:")]


def pause(home: Home) -> None:
    with home.site.store() as store:
        health = AccountHealth(state=AccountState.REJECTED, first_seen_at=home.site.time.now())
        store.accounts.set_health("family", health)


def has_session(home: Home) -> bool:
    with home.site.store() as store:
        return store.accounts.has_session("family")


def keep_session(home: Home) -> None:
    with open_app(home.site.settings, clock=home.site.time) as app:
        app.sessions.of("family").save(b"{}")


def no_keys(home: Home) -> bool:
    with home.site.store() as store:
        return store.web.keys(KeyKind.HANDOVER) == []


ACTIONS = {
    "done": Action(
        path=MARIAS_PAGE, act=filled("Mark as done"), says="no more reminders", holds=lambda h: state(h) == "done"
    ),
    "reopen": Action(
        path=MARIAS_PAGE,
        prepare=set_done,
        act=filled("Open again"),
        says="is open",
        holds=lambda home: state(home) == "open",
    ),
    "due": Action(
        path=MARIAS_PAGE,
        act=opened("Enter the date from your letter", "Save the date", Date_on_your_letter="2026-08-10"),
        says="date from your letter",
        holds=lambda home: letter_date(home) == date(2026, 8, 10),
    ),
    "label": Action(
        path=MARIAS_PAGE,
        act=opened("Label and person", "Save", What_you_call_this_case="Mom's card", Whose_case_it_is="Ana"),
        says="Mom's card",
        holds=lambda home: said_of(home, MARIA) == ("Mom's card", "Ana", False),
    ),
    "note": Action(
        path=MARIAS_PAGE,
        act=opened("Add a note", "Save the note", Note="Called <b>USCIS</b>"),
        says="Called <b>USCIS</b>",
        holds=lambda home: "note" in kinds(home),
    ),
    "remind": Action(
        path=MARIAS_PAGE,
        act=opened("Add a reminder", "Save the reminder", What_to_remind_you_of="Passport ends", Date="2027-03-01"),
        says="Passport ends",
        holds=lambda home: reminders(home) == ["Passport ends"],
    ),
    "finish": Action(
        path=MARIAS_PAGE,
        act=opened("Stop watching this case", "Stop watching"),
        says="it is no longer checked",
        holds=lambda home: said_of(home, MARIA)[2],
    ),
    "letter": Action(
        path=MARIAS_PAGE,
        act=chosen("Keep this letter", PDF, "Add a letter of your own"),
        says="August 10, 2026",
    ),
    "date of a letter": Action(
        path=f"{MARIAS_PAGE}/dates?days=2026-08-10",
        act=lambda tab: tab.click("main form.actions button"),
        says="date from your letter",
        holds=lambda home: letter_date(home) == date(2026, 8, 10),
    ),
    "news": Action(path="/", act=filled("I have seen this"), says="Nothing has changed since you last looked"),
    "search": Action(path="/?person=Luis", act=filled("Show", Label_or_number=LUIS), says=LUIS),
    "alert seen": Action(path="/alerts/1", act=filled("Mark as seen"), says="seen"),
    "channel": Action(path="/settings", act=lambda tab: tab.click("form[action*=test] button"), says="phone"),
    "check now": Action(path="/accounts/family", act=filled("Check now"), says="the check has started"),
    "resume": Action(
        path="/accounts/family", prepare=pause, act=filled("Resume checks"), says="family: no longer paused"
    ),
    "code": Action(
        path="/accounts/family",
        act=opened("One-time code", "Send the code", **{"Code_from_your_phone_or_e-mail": "123456"}),
        says="no sign-in is waiting for a code",
    ),
    "session": Action(
        path="/accounts/family",
        act=chosen(
            "Import the session",
            {"name": "cookies.txt", "mimeType": "text/plain", "buffer": COOKIES},
            "Session of your browser",
        ),
        says="family: 1 cookie imported.",
        holds=has_session,
    ),
    "forget": Action(
        path="/accounts/family",
        prepare=keep_session,
        act=opened("Forget the session", "Delete the saved session"),
        says="saved session deleted",
        holds=lambda home: not has_session(home),
    ),
    "calendar": Action(path="/calendar", act=filled("Create an address"), says="Address to subscribe to"),
    "end hand-overs": Action(
        path="/accounts/family/handover",
        prepare=lambda home: home.hand_over_key(),
        act=filled("End all of them"),
        says="can hand over anymore",
        holds=no_keys,
    ),
    "make a bookmark": Action(
        path="/accounts/family/handover",
        act=lambda tab: tab.click("form:has(input[value=bookmark]) button"),
        says="Your new bookmark",
    ),
}


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def home(chromium: "Browser", tmp_path: Path) -> Iterator[Home]:
    with open_home(tmp_path, chromium) as home:
        yield home


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("name", ACTIONS)
def test_action_is_carried_out(home: Home, name: str, scripts: bool) -> None:  # noqa: FBT001 - a parameter of the test
    action = ACTIONS[name]
    action.prepare(home)
    with home.tab(java_script_enabled=scripts) as tab:
        tab.goto(home.base + action.path)
        action.act(tab)
        tab.locator(f"text={action.says}").first.wait_for(state="attached")
        assert action.holds(home)


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no-script"])
def test_link_of_an_alert_works_without_signing_in(home: Home, scripts: bool) -> None:  # noqa: FBT001
    path = f"/a/{home.alert_token()}"
    with home.tab(signed_in=False, java_script_enabled=scripts) as tab:
        tab.goto(home.base + path)
        tab.get_by_role("button", name="Mark as seen").click()
        tab.locator("role=status").first.wait_for()
        for page in ("/", MARIAS_PAGE, "/alerts/1"):
            answer = tab.goto(home.base + page)
            assert answer is not None
            assert answer.status == 401


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no-script"])
def test_device_signs_out(home: Home, scripts: bool) -> None:  # noqa: FBT001
    with home.tab(java_script_enabled=scripts) as tab:
        tab.goto(f"{home.base}/devices")
        tab.get_by_role("button", name="Sign out").first.click()
        answer = tab.goto(f"{home.base}/")
        assert answer is not None
        assert answer.status == 401


def test_language_and_theme_of_the_device_are_kept(home: Home) -> None:
    with home.tab() as tab:
        tab.goto(f"{home.base}/settings")
        tab.select_option("select[name=language]", "es")
        tab.select_option("select[name=theme]", "dark")
        tab.click("form:has(select[name=theme]) button")
        tab.goto(f"{home.base}/")
        assert tab.get_attribute("html", "lang") == "es"
        assert tab.get_attribute("html", "data-theme") == "dark"
