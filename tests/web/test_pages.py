from datetime import timedelta
from pathlib import Path

import pytest

from tests.web.household import LUIS, LUIS_PAGE, MARIA, MARIAS_PAGE, a_household, save_letter
from tests.web.visiting import LOCAL, Browser, Site, a_site
from watcher.web.case_ids import case_id


@pytest.fixture
def household(tmp_path: Path) -> Site:
    return a_household(tmp_path)


@pytest.fixture
def browser(household: Site) -> Browser:
    return household.signed_in()


class TestOverview:
    def test_what_needs_the_user_comes_first_with_its_date_in_full(self, browser: Browser) -> None:
        page = browser.get("/").text
        assert page.index("Needs you") < page.index(">New<") < page.index(">Cases<") < page.index(">Accounts<")
        assert "August 20, 2026" in page
        assert "in 42 days" in page

    def test_cards_show_the_words_of_the_agency(self, browser: Browser) -> None:
        page = browser.get("/").text
        assert "Request for Initial Evidence Was Sent" in page
        assert "Case Is Being Reviewed" in page
        assert "Green card" in page

    def test_changes_are_new_until_the_device_says_that_it_has_seen_them(self, browser: Browser) -> None:
        page = browser.get("/").text
        assert "asks for evidence" in page
        newest = page.split('name="change" value="')[1].split('"')[0]
        assert browser.submit("/", "/seen", change=newest).status_code == 303
        page = browser.get("/").text
        assert "asks for evidence" not in page
        assert "Nothing has changed since you last looked, Thursday, July 9, 2026, 11:00 AM EDT." in page

    def test_another_device_has_not_seen_them(self, household: Site, browser: Browser) -> None:
        browser.submit("/", "/seen", change="999")
        assert "asks for evidence" in household.signed_in().get("/").text

    @pytest.mark.parametrize(
        "query", ["q=green", "q=0900000001", "q=IOE-0900-000-001", "person=maria", "stage=evidence_requested"]
    )
    def test_cases_are_found_by_label_number_person_and_stage(self, browser: Browser, query: str) -> None:
        page = browser.get(f"/?{query}").text.split(">Cases<")[1]
        assert f'href="{MARIAS_PAGE}"' in page
        assert f'href="{LUIS_PAGE}"' not in page

    def test_a_search_without_result_says_so(self, browser: Browser) -> None:
        assert "No case matches." in browser.get("/?q=nobody").text

    def test_person_sees_only_own_cases_and_no_account(self, household: Site) -> None:
        page = household.signed_in(person="Luis").get("/").text
        assert LUIS in page
        assert MARIA not in page
        assert "Green card" not in page
        assert ">Accounts<" not in page
        assert "Nothing has been checked yet." not in page

    def test_empty_database_says_that_nothing_was_checked(self, tmp_path: Path) -> None:
        page = a_site(tmp_path).signed_in().get("/").text
        assert "No case yet." in page
        assert "No account is set up yet." in page

    def test_stopped_daemon_is_named_with_the_last_check(self, browser: Browser) -> None:
        page = browser.get("/").text
        assert "case-watcher is not running" in page
        assert "No check since Thursday, July 9, 2026, 11:00 AM EDT." in page

    def test_unreadable_database_is_explained(self, household: Site, browser: Browser) -> None:
        (household.settings.state_dir / "watcher.sqlite3").unlink()
        assert browser.get("/").status_code == 503


class TestLanguages:
    def test_page_speaks_the_language_of_the_browser(self, browser: Browser) -> None:
        page = browser.client.get("/", headers={"Accept-Language": "fr-CA, en;q=0.5"}).text
        assert '<html lang="fr"' in page
        assert "20 août 2026" in page

    def test_language_and_theme_of_the_device_come_first(self, browser: Browser) -> None:
        assert browser.submit("/settings", "/settings/device", language="es", theme="dark").status_code == 303
        page = browser.client.get("/", headers={"Accept-Language": "fr"}).text
        assert '<html lang="es" data-theme="dark"' in page

    def test_unknown_language_is_refused(self, browser: Browser) -> None:
        assert browser.submit("/settings", "/settings/device", language="xx", theme="").status_code == 400

    @pytest.mark.parametrize("header", ["", ";;;", "de", "x" * 5000, "en;q=abc"])
    def test_other_wishes_get_the_language_of_the_configuration(self, browser: Browser, header: str) -> None:
        assert '<html lang="en"' in browser.client.get("/", headers={"Accept-Language": header}).text


class TestCase:
    def test_case_is_shown_with_status_items_meaning_and_timeline(self, browser: Browser) -> None:
        page = browser.get(MARIAS_PAGE).text
        assert "On July 1, 2026, we sent a request." in page
        assert "Request for evidence" in page
        assert "What it means" in page
        assert "uscis.gov" in page
        assert ">done<" in page
        assert "asks for evidence" in page

    def test_timeline_turns_around(self, browser: Browser) -> None:
        newest, oldest = (browser.get(f"{MARIAS_PAGE}?order={order}").text for order in ("newest", "oldest"))
        for page, is_newest_first in ((newest, True), (oldest, False)):
            timeline = page.split('class="timeline"')[1]
            assert (timeline.index("asks for evidence") < timeline.index("Now watching")) is is_newest_first

    @pytest.mark.parametrize("path", ["/cases/0000000000000000", f"/cases/{MARIA}", f"/print/{case_id('X')}"])
    def test_unknown_case_is_not_found(self, browser: Browser, path: str) -> None:
        assert browser.get(path).status_code == 404

    def test_case_of_another_person_is_not_found(self, household: Site) -> None:
        luis = household.signed_in(person="Luis")
        assert luis.get(LUIS_PAGE).status_code == 200
        assert luis.get(MARIAS_PAGE).status_code == 404
        assert luis.get(MARIAS_PAGE.replace("cases", "print")).status_code == 404

    def test_case_numbers_are_in_no_address(self, browser: Browser) -> None:
        for page in ("/", MARIAS_PAGE, "/letters", "/calendar"):
            addresses = browser.get(page).text.split('="/')[1:]
            assert not any(MARIA in address.split('"')[0] for address in addresses)

    def test_print_view_has_facts_and_no_controls(self, browser: Browser) -> None:
        page = browser.get(MARIAS_PAGE.replace("cases", "print")).text
        assert "Timeline" in page
        assert "The agency&#39;s letters govern" in page
        assert not any(tag in page for tag in ("<form", "<button", "<script", "<nav"))


class TestLetters:
    def test_letter_is_sent_with_its_name_and_without_any_right(self, household: Site, browser: Browser) -> None:
        number = save_letter(household)
        assert "letter.pdf" in browser.get("/letters").text
        answer = browser.get(f"/letters/{number}")
        assert answer.content.startswith(b"%PDF")
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"] == 'inline; filename="letter.pdf"'
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert answer.headers["cache-control"] == "no-store"

    def test_other_file_is_only_downloaded(self, household: Site, browser: Browser) -> None:
        answer = browser.get(f"/letters/{save_letter(household, name='letter.html', content=b'<script>')}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")

    def test_file_outside_the_folder_of_letters_is_not_sent(self, household: Site, browser: Browser) -> None:
        number = save_letter(household)
        folder = household.settings.state_dir / "notices" / "family" / MARIA
        (folder / "letter.pdf").unlink()
        (folder / "letter.pdf").symlink_to(household.settings.state_dir / "watcher.sqlite3")
        assert browser.get(f"/letters/{number}").status_code == 404

    @pytest.mark.parametrize("number", ["0", "99999", "-1", "1/../1", "%2e%2e%2fwatcher.toml", "9" * 30])
    def test_unknown_letter_is_not_found(self, browser: Browser, number: str) -> None:
        assert browser.get(f"/letters/{number}").status_code in {400, 404}

    def test_letter_of_another_person_is_not_found(self, household: Site) -> None:
        number, luis = save_letter(household), household.signed_in(person="Luis")
        assert luis.get(f"/letters/{number}").status_code == 404
        assert "letter.pdf" not in luis.get("/letters").text


class TestAlerts:
    def test_alerts_are_listed_with_channel_and_state(self, browser: Browser) -> None:
        page = browser.get("/alerts").text
        assert "phone: waiting" in page

    def test_alert_is_shown_in_full(self, browser: Browser) -> None:
        page = browser.get("/alerts/1").text
        assert "Delivery" in page
        assert browser.get("/alerts/999").status_code == 404

    def test_person_sees_no_alerts_accounts_or_configuration(self, household: Site) -> None:
        maria = household.signed_in(person="Maria")
        assert [maria.get(path).status_code for path in ("/alerts", "/alerts/1", "/accounts/family")] == [404, 404, 404]
        assert "[accounts.family]" not in maria.get("/settings").text


class TestCalendar:
    def test_month_and_list_show_the_date(self, browser: Browser) -> None:
        page = browser.get("/calendar?month=2026-08").text
        assert "August 2026" in page
        assert page.count(f"{MARIAS_PAGE}#item-") == 2

    @pytest.mark.parametrize("month", ["", "2026", "0001-01", "9999-12", "2026-13", "x" * 300])
    def test_other_months_are_this_month(self, browser: Browser, month: str) -> None:
        assert "July 2026" in browser.get(f"/calendar?month={month}").text

    def test_feed_needs_only_its_address_until_it_is_renewed(self, household: Site, browser: Browser) -> None:
        first, second = (_new_address(browser) for _ in range(2))
        stranger = household.browser()
        assert stranger.get(first).status_code == 410
        answer = stranger.get(second)
        assert answer.headers["content-type"].startswith("text/calendar")
        assert "DTSTART;VALUE=DATE:20260820" in answer.text
        assert stranger.get(second, **{"If-None-Match": answer.headers["etag"]}).status_code == 304

    def test_address_is_shown_only_once(self, browser: Browser) -> None:
        address = _new_address(browser)
        assert address not in browser.get("/calendar").text

    def test_feed_of_a_person_has_only_own_cases(self, household: Site) -> None:
        address = _new_address(household.signed_in(person="Luis"))
        assert "DTSTART" not in household.browser().get(address).text


def _new_address(browser: Browser) -> str:
    assert browser.submit("/calendar", "/calendar/renew").status_code == 303
    page = browser.get("/calendar").text
    return page.split(f'value="{LOCAL}')[1].split('"')[0]


class TestSettings:
    def test_configuration_is_shown_without_secrets(self, browser: Browser) -> None:
        page = browser.get("/settings").text
        assert "[accounts.family]" in page
        assert "someone@example.org" in page
        assert "secret password" not in page
        assert "json://" not in page
        assert "set, not shown" in page

    def test_account_is_shown_with_its_health(self, browser: Browser) -> None:
        page = browser.get("/accounts/family").text
        assert "Last successful check" in page
        assert "0 of at most 5" in page
        assert "One-time code" in page
        assert browser.get("/accounts/other").status_code == 404


class TestState:
    def test_version_changes_when_something_was_recorded(self, household: Site, browser: Browser) -> None:
        before = browser.get("/state").json()
        assert browser.get("/state").json() == before
        household.time.pass_(timedelta(minutes=1))
        browser.submit(MARIAS_PAGE, f"{MARIAS_PAGE}/note", text="Called USCIS")
        assert browser.get("/state").json() != before


def test_every_page_is_personal_and_kept_by_no_browser(browser: Browser) -> None:
    for path in (
        "/",
        MARIAS_PAGE,
        "/letters",
        "/alerts",
        "/alerts/1",
        "/calendar",
        "/settings",
        "/accounts/family",
        "/state",
    ):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "no-store"


def test_html_of_a_portal_is_text(browser: Browser) -> None:
    browser.submit(MARIAS_PAGE, f"{MARIAS_PAGE}/label", label="<script>alert(1)</script>", person='"><b>')
    for path in ("/", MARIAS_PAGE, "/calendar", MARIAS_PAGE.replace("cases", "print")):
        page = browser.get(path).text
        assert "<script>alert" not in page
        assert "<b>" not in page


def test_what_was_written_is_on_the_next_page_at_once(household: Site, browser: Browser) -> None:
    for label in ("First", "Second", "Third"):
        browser.get("/")
        with household.store() as store:
            store.user.label({MARIA: {"label": label}})
        assert label in browser.get("/").text
