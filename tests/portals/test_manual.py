"""Sites that a person checks: reminders from real checks of a real account and database, and recorded statuses."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from tests.portals.context import FakeClock, PortalFakes
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.errors import CodeNeeded, UnexpectedAnswer
from watcher.language.catalogue import load_catalogue
from watcher.language.status_meaning import vocabularies
from watcher.messages import LANGUAGES
from watcher.model.account_health import AccountState, ReadOutcome, ReadResult
from watcher.model.case import Stage
from watcher.model.change import ChangeKind
from watcher.portals import find
from watcher.portals.manual import LONGEST_STATUS, SITES, ManualAccount, SiteName, build_case_read, read
from watcher.reading.poll import record_results

START = datetime(2026, 1, 1, 17, tzinfo=UTC)
NUMBER = "AA00000001"
OTHER = "AA00000002"
OFFICIAL = (
    *(".gov", ".gov.au", ".gov.cz", ".gob.es", ".gov.pt", ".gov.pl", ".gov.in", ".gov.tr", ".gov.vn"),
    *("inpol.mazowieckie.pl", ".vfsglobal.com"),
)
CONFIGURATION = f"""
timezone = "America/New_York"
state_dir = "state"
[schedule]
jitter = "10m"
[stall]
after = "0"
[accounts.embassy]
portal = "manual"
site = "ceac"
cases = ["{NUMBER}", "{OTHER}"]
every = "EVERY"
[channels.phone]
url = "json://127.0.0.1:1/"
privacy = "full"
detail = "full"
"""


@dataclass
class Embassy:
    """An account that a person checks, with a fake clock."""

    app: App
    clock: FakeClock

    def check(self) -> ReadResult:
        return self.app.poll("embassy")

    def reminded(self) -> list[str | None]:
        """Run a check and return the cases that it reminds of."""
        changes = [recorded.change for recorded in self.check().changes]
        assert all(change.kind is ChangeKind.LOOK_REMINDER for change in changes)
        return [change.case_number for change in changes]

    def record(self, status: str, number: str = NUMBER, on: date | None = None) -> ReadResult:
        account = self.app.settings.accounts["embassy"]
        return record_results(
            [build_case_read("ceac", number, status, on=on)], account, find("manual"), self.app.context
        )

    def next_check(self) -> datetime:
        _, moment = self.app.store.accounts.all()["embassy"]
        assert moment is not None
        return moment

    def days_later(self, days: float) -> None:
        self.clock.current += timedelta(days=days)


def opened(folder: Path, every: str, stack: ExitStack) -> Embassy:
    file = folder / "watcher.toml"
    file.write_text(CONFIGURATION.replace("EVERY", every))
    file.chmod(0o600)
    clock = FakeClock(START)
    return Embassy(stack.enter_context(open_app(read_settings(file, {}), clock=clock)), clock)


@pytest.fixture
def embassy(tmp_path: Path) -> Iterator[Embassy]:
    with ExitStack() as stack:
        yield opened(tmp_path, "7d", stack)


def test_first_check_reminds_of_every_case_and_the_next_is_a_week_later(embassy: Embassy) -> None:
    assert embassy.reminded() == [NUMBER, OTHER]
    assert embassy.next_check() == START + timedelta(days=7)
    assert embassy.reminded() == []


def test_missing_manual_check_is_neither_a_failure_nor_blindness(embassy: Embassy) -> None:
    for _ in range(40):
        result = embassy.check()
        assert result.outcome is ReadOutcome.OK
        assert result.error is None
        assert embassy.app.record_time_reminders() == []
        embassy.days_later(1)
    health, _ = embassy.app.store.accounts.all()["embassy"]
    assert health.state is AccountState.NEVER_READ
    assert health.failures == 0


def test_reminder_has_the_official_link_what_to_enter_and_the_command(embassy: Embassy) -> None:
    embassy.check()
    alerts = embassy.app.store.outbox.list()
    assert len(alerts) == 2
    for alert in alerts:
        assert "https://ceac.state.gov/CEACStatTracker/Status.aspx" in alert.body
        assert "passport number" in alert.body
        assert alert.severity == "important"
    assert f"`watcher record {NUMBER}`" in alerts[1].body


def test_unanswered_reminder_is_repeated_only_at_the_next_interval(embassy: Embassy) -> None:
    embassy.check()
    for _ in range(6):
        embassy.days_later(1)
        assert embassy.reminded() == []
    embassy.days_later(1)
    assert embassy.reminded() == [NUMBER, OTHER]


def test_short_interval_reminds_daily_at_most_until_a_status_is_recorded(tmp_path: Path) -> None:
    with ExitStack() as stack:
        hourly = opened(tmp_path, "1h", stack)
        reminded_hours = []
        for hour in range(49):
            if hourly.reminded():
                reminded_hours.append(hour)
            hourly.days_later(1 / 24)
        assert reminded_hours == [0, 24, 48]
        hourly.record("At NVC")
        hourly.record("At NVC", OTHER)
        assert hourly.reminded() == []
        hourly.days_later(1 / 24)
        assert hourly.reminded() == [NUMBER, OTHER]


def test_recorded_status_answers_the_reminder_for_that_case_only(embassy: Embassy) -> None:
    embassy.check()
    embassy.days_later(3)
    embassy.record("Administrative Processing")
    assert embassy.next_check() == START + timedelta(days=7)
    embassy.days_later(4)
    assert embassy.reminded() == [OTHER]
    assert embassy.next_check() == START + timedelta(days=10)
    embassy.days_later(3)
    assert embassy.reminded() == [NUMBER]


def test_recorded_status_is_one_check_with_stage_health_and_history(embassy: Embassy) -> None:
    result = embassy.record("Ready", on=date(2025, 12, 1))
    assert [entry.change.kind for entry in result.changes] == ["case_added"]
    embassy.days_later(20)
    result = embassy.record("Refused under INA 221(g)")
    assert [(entry.change.kind, entry.change.severity) for entry in result.changes] == [("stage_changed", "urgent")]
    (case,) = embassy.app.store.tracked_cases("embassy", NUMBER)
    assert case.snapshot is not None
    assert case.snapshot.stage is Stage.REFUSED
    assert case.last_read_at == START + timedelta(days=20)
    health, _ = embassy.app.store.accounts.all()["embassy"]
    assert health.state is AccountState.OK


def test_same_status_again_is_a_check_without_changes(embassy: Embassy) -> None:
    embassy.record("Administrative Processing", on=date(2025, 12, 1))
    embassy.days_later(5)
    assert embassy.record("Administrative Processing").changes == ()
    assert embassy.record("  administrative   processing ").cases_read == 1
    (case,) = embassy.app.store.tracked_cases("embassy", NUMBER)
    assert case.last_read_at == START + timedelta(days=5)
    assert case.snapshot is not None
    assert case.snapshot.status_since == date(2025, 12, 1)


def test_crash_after_recording_only_causes_an_extra_check(embassy: Embassy) -> None:
    embassy.check()
    embassy.record("Ready")
    embassy.record("Ready", OTHER)
    embassy.app.store.accounts.set_next_read("embassy", START)  # the value before the plan is written
    assert embassy.reminded() == []
    assert embassy.next_check() == START + timedelta(days=7)


@pytest.mark.parametrize("site", get_args(SiteName))
def test_every_site_has_an_official_https_address_and_instructions(site: str) -> None:
    assert SITES[site].vocabulary in vocabularies()
    for address in (SITES[site].links.sign_in, SITES[site].links.help):
        parts = urlsplit(address)
        assert parts.scheme == "https"
        assert (parts.hostname or "").endswith(OFFICIAL)
    assert all(load_catalogue(language).message("enter", site) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("site", "status", "stage"),
    [
        ("ceac", "Administrative Processing", Stage.ADMINISTRATIVE_PROCESSING),
        ("ceac", "Refused", Stage.REFUSED),
        ("nvc", "At NVC", Stage.TRANSFERRED),
        ("egov", "Case Was Approved", Stage.APPROVED),
        ("ceac", "Something Nobody Has Written Yet", Stage.UNKNOWN),
    ],
)
def test_status_is_interpreted_by_the_vocabulary_of_its_site(site: str, status: str, stage: Stage) -> None:
    result = build_case_read(site, NUMBER, status)
    assert (result.snapshot.status, result.snapshot.stage) == (status, stage)
    assert read(result.answers, "en") == result.snapshot


@pytest.mark.parametrize(
    "status", ["", "   ", "...", "x" * (LONGEST_STATUS + 1), "a\x1bb", "a\N{RIGHT-TO-LEFT OVERRIDE}b"]
)
def test_invalid_status_is_rejected(status: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="a status is one line"):
        build_case_read("ceac", NUMBER, status)


@pytest.mark.parametrize("answers", [{}, {"recorded": b"{}"}, {"recorded": b"["}, {"recorded": b"[]"}])
def test_damaged_recording_is_not_a_status(answers: dict[str, bytes]) -> None:
    with pytest.raises(UnexpectedAnswer, match="watcher record"):
        read(answers, "en")


@pytest.mark.parametrize(
    "keys",
    [
        {"site": "example"},
        {"cases": ()},
        {"cases": ("",)},
        {"cases": ("a\nb\x1b",)},
        {"cases": ("x" * 65,)},
        {"site": None},
    ],
)
def test_invalid_account_is_rejected(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ManualAccount.model_validate({"name": "embassy", "portal": "manual", "site": "ceac", "cases": (NUMBER,)} | keys)


def test_reader_says_that_only_a_person_can_check(embassy: Embassy) -> None:
    account = embassy.app.settings.accounts["embassy"]
    with (
        find("manual").open(account, PortalFakes().context()) as reader,
        pytest.raises(CodeNeeded, match="watcher record"),
    ):
        list(reader.read())


def account_of(site: str, *numbers: str, **keys: Any) -> ManualAccount:
    return ManualAccount.model_validate({"name": "embassy", "portal": "manual", "site": site, "cases": numbers, **keys})


@pytest.mark.parametrize(
    ("site", "number"),
    [
        ("egov", "IOE0900000001"),
        ("eoir", "A 000-000-001"),
        ("ipc", "OAM-12345/TP-2026"),
        ("ipc", "oam-12345-6/dp-2026"),
        ("ipc", "ISTA202601010001"),
        ("extranjeria", "X0000000T"),
        ("extranjeria", "y-0000000-z"),
        ("extranjeria", "280020260000001"),
        ("nacionalidade", "0000-0000-0001"),
        ("inpol", "00000000-0000-4000-8000-000000000001"),
        ("inpol", "WSC-II-S.6151.1.2026"),
        ("vfs", "ABCD/010126/0001/01"),
    ],
)
def test_number_of_the_form_of_the_site_is_accepted(site: str, number: str) -> None:
    assert account_of(site, number).cases == (number,)


@pytest.mark.parametrize(
    ("site", "number", "problem"),
    [
        ("egov", "IOE09", "three letters and ten digits"),
        ("eoir", "A12", "seven to nine digits"),
        ("ipc", "OAM-012345/TP-2026", "OAM-12345"),
        ("ipc", "OAM-12345/XX-2026", "OAM-12345"),
        ("ipc", "ISTA2026", "ŽOV"),
        ("extranjeria", "X0000000A", "should be T"),
        ("extranjeria", "Z1234567", "your NIE"),
        ("nacionalidade", "0000-0000", "12 digits"),
        ("inpol", "00000000-0000-4000-8000-00000000000G", "number in the page"),
        ("inpol", "mine", "number in the page"),
    ],
)
def test_number_that_the_site_cannot_have_is_refused(site: str, number: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        account_of(site, number)


def test_reminders_come_as_often_as_it_is_worth_looking_unless_the_account_says_otherwise() -> None:
    assert account_of("nacionalidade", "0000-0000-0001").every == timedelta(days=14)
    assert account_of("nacionalidade", "0000-0000-0001", every="3d").every == timedelta(days=3)


def test_status_in_another_language_is_translated_for_the_reader() -> None:
    account = account_of("extranjeria", "X0000000T")
    assert find("manual").plain_status(account, "Requerimiento")["fr"].startswith("Des documents")
    assert find("manual").plain_status(account, "Something else") == {}
