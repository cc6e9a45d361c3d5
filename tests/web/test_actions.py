from datetime import date
from pathlib import Path

import httpx
import pytest

from tests.web.household import LUIS, LUIS_PAGE, MARIA, MARIAS_PAGE, a_household, request_number
from tests.web.visiting import Browser, Site
from watcher.app import open_app
from watcher.model.account_health import AccountHealth, AccountState, report
from watcher.model.case import ItemState
from watcher.model.change import ChangeKind
from watcher.model.ledger import TrackedItem
from watcher.practice.site.pdf import letter
from watcher.privacy.web_tokens import digest_of, new_token
from watcher.store.database.query import select_rows


@pytest.fixture
def household(tmp_path: Path) -> Site:
    return a_household(tmp_path)


@pytest.fixture
def browser(household: Site) -> Browser:
    return household.signed_in()


def item(site: Site) -> TrackedItem:
    """Return Maria's request as it is stored."""
    with site.store() as store:
        found = store.ledger.item(request_number(site))
    assert found is not None
    return found


def said(browser: Browser, answer: httpx.Response) -> str:
    """Return the page that an action leads to, with its message."""
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"]).text


class TestItems:
    def test_done_and_reopen_do_what_the_commands_do(self, household: Site, browser: Browser) -> None:
        number = request_number(household)
        page = said(browser, browser.submit(MARIAS_PAGE, f"/items/{number}/done"))
        assert f"Item {number} ({MARIA}: Send the evidence) is done: no more reminders." in page
        assert item(household).state is ItemState.DONE
        assert "is open." in said(browser, browser.submit(MARIAS_PAGE, f"/items/{number}/reopen"))
        assert item(household).state is ItemState.OPEN

    def test_message_is_shown_once(self, household: Site, browser: Browser) -> None:
        browser.submit(MARIAS_PAGE, f"/items/{request_number(household)}/done")
        assert "no more reminders" in browser.get(MARIAS_PAGE).text
        assert "no more reminders" not in browser.get(MARIAS_PAGE).text

    def test_date_of_the_letter_is_entered(self, household: Site, browser: Browser) -> None:
        page = said(browser, browser.submit(MARIAS_PAGE, f"/items/{request_number(household)}/due", day="2026-08-10"))
        assert "is due on 2026-08-10 (date from your letter)." in page
        assert item(household).letter_due_on == date(2026, 8, 10)

    def test_date_later_than_the_agencys_is_confirmed_first(self, household: Site, browser: Browser) -> None:
        path = f"/items/{request_number(household)}/due"
        answer = browser.submit(MARIAS_PAGE, path, day="2026-09-10")
        assert answer.status_code == 422
        assert "shows an earlier date: 2026-08-20" in answer.text
        assert 'value="2026-09-10"' in answer.text
        assert item(household).letter_due_on is None
        said(browser, browser.submit(MARIAS_PAGE, path, day="2026-09-10", confirmed="1"))
        assert item(household).letter_due_on == date(2026, 9, 10)

    @pytest.mark.parametrize(("day", "status"), [("", 400), ("tomorrow", 400), ("2099-01-01", 422)])
    def test_what_is_no_date_of_a_letter_changes_nothing(
        self, household: Site, browser: Browser, day: str, status: int
    ) -> None:
        assert browser.submit(MARIAS_PAGE, f"/items/{request_number(household)}/due", day=day).status_code == status
        assert item(household).letter_due_on is None

    def test_item_of_another_person_is_not_found(self, household: Site) -> None:
        luis = household.signed_in(person="Luis")
        assert luis.submit(LUIS_PAGE, f"/items/{request_number(household)}/done").status_code == 404
        assert item(household).state is ItemState.OPEN

    @pytest.mark.parametrize("path", ["/items/9999/done", "/items/1/other"])
    def test_unknown_item_or_action_is_not_found(self, browser: Browser, path: str) -> None:
        assert browser.submit(MARIAS_PAGE, path).status_code == 404


class TestCases:
    def test_label_note_and_reminder(self, browser: Browser) -> None:
        page = said(browser, browser.submit(MARIAS_PAGE, f"{MARIAS_PAGE}/label", label="Residence", person="Maria"))
        assert f"{MARIA}: Residence, case of Maria." in page
        page = said(browser, browser.submit(MARIAS_PAGE, f"{MARIAS_PAGE}/note", text="Called <them>"))
        assert "Called &lt;them&gt;" in page
        page = said(
            browser, browser.submit(MARIAS_PAGE, f"{MARIAS_PAGE}/remind", text="Card expires", day="2026-12-01")
        )
        assert "Card expires" in page
        assert "You get reminders 30 days, 14 days, 7 days, 3 days, 1 day before that date and on the day." in page

    def test_refused_form_keeps_what_was_typed_and_says_why_beside_it(self, browser: Browser) -> None:
        answer = browser.submit(MARIAS_PAGE, f"{MARIAS_PAGE}/remind", text="Card expires", day="2025-01-01")
        assert answer.status_code == 422
        assert 'id="error-remind-0">2025-01-01 has passed. Check the year.' in answer.text
        assert 'value="Card expires"' in answer.text
        assert 'aria-describedby="error-remind-0"' in answer.text

    def test_finished_case_is_watched_again(self, household: Site, browser: Browser) -> None:
        assert "is finished: no more checks." in said(browser, browser.submit(MARIAS_PAGE, f"{MARIAS_PAGE}/finish"))
        with household.store() as store:
            assert store.finished_numbers() == {MARIA.lower()}
        assert "is being watched again." in said(browser, browser.submit(MARIAS_PAGE, f"{MARIAS_PAGE}/watch"))

    def test_letter_of_ones_own_is_kept_and_its_dates_are_offered(self, browser: Browser) -> None:
        content = letter("Request for Evidence", ["Notice date: July 1, 2026", "Respond by October 1, 2026."])
        files = {"file": ("rfe.pdf", content, "application/pdf")}
        answer = browser.client.post(
            f"{MARIAS_PAGE}/letter", data={"csrf": browser.csrf(MARIAS_PAGE)}, files=files, headers={"Origin": "null"}
        )
        page = said(browser, answer)
        assert "was added to" in page
        assert "October 1, 2026" in page
        assert "This is the due date: Request for evidence" in page

    def test_letter_is_kept_from_the_page_with_all_letters(self, browser: Browser) -> None:
        files = {"file": ("rfe.pdf", letter("Request for Evidence", ["No date"]), "application/pdf")}
        fields = {"csrf": browser.csrf("/letters"), "case": MARIAS_PAGE.removeprefix("/cases/")}
        answer = browser.client.post("/letters", data=fields, files=files, headers={"Origin": "null"})
        assert "It names no date from today on." in said(browser, answer)
        answer = browser.client.post(
            "/letters", data=fields | {"case": "0" * 16}, files=files, headers={"Origin": "null"}
        )
        assert answer.status_code == 404

    def test_file_that_is_no_pdf_is_refused_beside_its_field(self, browser: Browser) -> None:
        files = {"file": ("<b>.pdf", b"no pdf", "application/pdf")}
        answer = browser.client.post(
            f"{MARIAS_PAGE}/letter", data={"csrf": browser.csrf(MARIAS_PAGE)}, files=files, headers={"Origin": "null"}
        )
        assert answer.status_code == 422
        assert "&lt;b&gt;.pdf: it is not a PDF file" in answer.text

    def test_person_cannot_change_the_case_of_another(self, household: Site) -> None:
        luis = household.signed_in(person="Luis")
        assert luis.submit(LUIS_PAGE, f"{MARIAS_PAGE}/note", text="x").status_code == 404
        assert luis.submit(LUIS_PAGE, f"{LUIS_PAGE}/note", text="mine").status_code == 303


class TestReadOnly:
    def test_read_only_device_sees_everything_and_changes_nothing(self, household: Site) -> None:
        reader = household.signed_in(read_only=True)
        number = request_number(household)
        csrf = reader.csrf("/settings")
        assert "Mark as done" not in reader.get(MARIAS_PAGE).text
        for path in (
            f"/items/{number}/done",
            f"{MARIAS_PAGE}/note",
            "/accounts/family/resume",
            "/accounts/family/check",
            "/alerts/1/seen",
            "/calendar/renew",
            "/settings/test/phone",
        ):
            assert reader.post(path, {"csrf": csrf, "text": "x"}).status_code == 403
        assert item(household).state is ItemState.OPEN


class TestAccounts:
    def test_paused_account_is_resumed(self, household: Site, browser: Browser) -> None:
        with household.store() as store:
            health = AccountHealth(state=AccountState.REJECTED, first_seen_at=household.time.now())
            store.accounts.set_health("family", health)
        assert "USCIS: sign-in rejected" in browser.get("/").text.split(">New<")[0]
        assert "Check the password, then resume." in browser.get("/accounts/family").text
        page = said(browser, browser.submit("/accounts/family", "/accounts/family/resume"))
        assert "family: no longer paused (sign-in rejected)." in page

    def test_sign_in_that_waits_for_a_code_is_what_needs_the_user(self, household: Site, browser: Browser) -> None:
        with household.store() as store:
            health, _changes = report(store.accounts.health("family", household.time.now()), ChangeKind.MFA_NEEDED, {})
            store.accounts.set_health("family", health)
        assert "USCIS: one-time code needed" in browser.get("/").text.split(">New<")[0]
        assert "A one-time code is needed." in browser.get("/accounts/family").text

    def test_code_that_nobody_waits_for_is_said_to_be_unused(self, browser: Browser) -> None:
        answer = browser.submit("/accounts/family", "/accounts/family/code", code="123 456")
        assert answer.status_code == 422
        assert "family: no sign-in is waiting for a code now." in answer.text
        assert "123 456" not in answer.text

    def test_cookies_become_the_session_and_are_forgotten(self, household: Site, browser: Browser) -> None:
        jar = b"# Netscape HTTP Cookie File\nmy.uscis.gov\tFALSE\t/\tTRUE\t0\tsession\tabc\n"
        answer = browser.client.post(
            "/accounts/family/cookies",
            data={"csrf": browser.csrf("/accounts/family")},
            files={"file": ("cookies.txt", jar, "text/plain")},
            headers={"Origin": "null"},
        )
        assert "family: 1 cookie imported." in said(browser, answer)
        assert household.checks == ["family"]
        with open_app(household.settings) as app:
            assert app.store.accounts.has_session("family")
        page = said(browser, browser.submit("/accounts/family", "/accounts/family/forget"))
        assert "family: saved session deleted." in page

    def test_check_starts_once_in_a_process_of_its_own(self, household: Site, browser: Browser) -> None:
        page = said(browser, browser.submit("/accounts/family", "/accounts/family/check"))
        assert "family: the check has started." in page
        with household.store() as store, store.locks.acquire("account family"):
            assert "checking now" in browser.get("/accounts/family").text
            browser.submit("/accounts/family", "/accounts/family/check")
        assert household.checks == ["family"]


class TestAlerts:
    def test_alert_is_marked_as_seen(self, household: Site, browser: Browser) -> None:
        page = said(browser, browser.submit("/alerts/1", "/alerts/1/seen"))
        assert "Alert 1 is marked as seen and will not be escalated." in page
        assert is_acknowledged(household, 1)

    def test_channel_that_fails_its_test_says_why(self, browser: Browser) -> None:
        page = said(browser, browser.submit("/settings", "/settings/test/phone"))
        assert "phone: not sent:" in page
        assert browser.submit("/settings", "/settings/test/other").status_code == 404


class TestLinkOfAlert:
    @pytest.fixture
    def link(self, household: Site) -> str:
        token = new_token()
        with household.store() as store:
            number = next(alert.id for alert in store.outbox.list() if "asks for evidence" in alert.title)
            store.outbox.set_link(number, digest_of(token))
        return f"/a/{token}"

    def test_link_shows_the_alert_as_the_channel_may_and_no_page_beside_it(self, household: Site, link: str) -> None:
        stranger = household.browser()
        page = stranger.get(link).text
        assert "asks for evidence" in page
        assert MARIA not in page
        assert "Request for evidence" in page
        assert stranger.get("/").status_code == 401
        assert stranger.get(MARIAS_PAGE).status_code == 401

    def test_looking_changes_nothing(self, household: Site, link: str) -> None:
        stranger = household.browser()
        assert stranger.get(link).status_code == 200
        assert stranger.client.head(link).status_code == 200
        assert stranger.get(f"{link}/seen").status_code == 405
        assert not is_acknowledged(household, 1)
        assert item(household).state is ItemState.OPEN

    def test_seen_and_done_name_no_case(self, household: Site, link: str) -> None:
        stranger, number = household.browser(), request_number(household)
        page = said(stranger, stranger.submit(link, f"{link}/seen"))
        assert "Marked as seen." in page
        page = said(stranger, stranger.submit(link, f"{link}/done", item=str(number)))
        assert "Done: no more reminders." in page
        assert MARIA not in page
        assert item(household).state is ItemState.DONE

    def test_read_only_device_changes_nothing_by_a_link_either(self, household: Site, link: str) -> None:
        reader = household.signed_in(read_only=True)
        assert reader.submit("/settings", f"{link}/seen").status_code == 403
        assert reader.submit("/settings", f"{link}/done", item=str(request_number(household))).status_code == 403

    def test_items_of_other_alerts_cannot_be_done(self, household: Site, link: str) -> None:
        with open_app(household.settings, clock=household.time) as app:
            number = app.store.user.add_reminder("family", LUIS, "Own", date(2026, 12, 1), household.time.now())
        stranger = household.browser()
        assert stranger.submit(link, f"{link}/done", item=str(number)).status_code == 404

    def test_button_in_an_app_gets_an_answer_without_a_page(self, household: Site, link: str) -> None:
        client = household.browser().client
        assert client.post(f"{link}/seen").status_code == 204

    def test_device_that_is_signed_in_gets_the_way_to_the_case(self, browser: Browser, link: str) -> None:
        assert f'href="{MARIAS_PAGE}"' in browser.get(link).text


def test_channel_with_minimal_privacy_shows_neither_kind_nor_date(tmp_path: Path) -> None:
    site, token = a_household(tmp_path, privacy="minimal"), new_token()
    with site.store() as store:
        store.outbox.set_link(max(alert.id for alert in store.outbox.list()), digest_of(token))
    page = site.browser().get(f"/a/{token}").text
    assert f"Item {request_number(site)}" in page
    assert "Request for evidence" not in page
    assert "August" not in page


def is_acknowledged(site: Site, number: int) -> bool:
    """Return whether an alert was marked as seen."""
    with site.store() as store, store._database.queries() as run:
        rows = list(run(select_rows("alert", "id, acknowledged_at", "WHERE id = :id"), id=number))
    return rows[0].acknowledged_at is not None
