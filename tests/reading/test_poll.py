"""One read of one account, start to end, at the practice portal, with a clock that a hand moves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.doubles.phones import FakeNotifier
from tests.practice.visitor import HandClock
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.model.account_health import AccountState, ReadOutcome, ReadResult
from watcher.model.change import ChangeKind
from watcher.practice import Account, Fault, PracticePortal
from watcher.practice.site.exchange import Response
from watcher.reading.poll import poll

FIRST, SECOND = "EAC9999000001", "EAC9999000002"
EVERY = timedelta(hours=4)


@dataclass(slots=True, kw_only=True)
class Desk:
    """One account at the portal. Each read opens the books anew, as a new process would."""

    folder: Path
    portal: PracticePortal
    clock: HandClock
    phones: FakeNotifier = field(default_factory=FakeNotifier)

    def configure(self, *numbers: str, secret: str = "", top: str = "") -> None:
        account = self.portal.account
        (self.folder / "watcher.toml").touch(mode=0o600)
        (self.folder / "watcher.toml").write_text(
            f'timezone = "UTC"\nstate_dir = "state"\n{top}\n[stall]\nafter = "0"\n[accounts.api]\n'
            f'portal = "uscis-api"\nbase_url = "{self.portal.base_url}"\nclient_id = "{account.client_id}"\n'
            f'client_secret = "{secret or account.client_secret}"\ncases = {json.dumps(list(numbers))}\n'
            '[channels.phone]\nurl = "json://phone"\nmin_severity = "routine"\n',
            encoding="utf-8",
        )

    @contextmanager
    def opened(self) -> Iterator[App]:
        settings = read_settings(self.folder / "watcher.toml", {})
        with open_app(settings, clock=self.clock, notifier=self.phones) as app:
            yield app

    def read(self, *, after: timedelta = EVERY) -> ReadResult:
        """One read, `after` that much time."""
        self.clock.pass_by(after)
        with self.opened() as app:
            return app.poll("api")

    def kinds(self, *, after: timedelta = EVERY) -> list[str]:
        return [change.change.kind.value for change in self.read(after=after).changes]

    @property
    def next_read_at(self) -> datetime | None:
        with self.opened() as app:
            return app.store.accounts.all()["api"][1]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = HandClock()
    with PracticePortal(clock, account=Account(totp_secret=None), tls=False) as portal:
        for number in (FIRST, SECOND):
            portal.cases.add(number, form="I-485").set_status("Case Is Being Actively Reviewed By USCIS")
        made = Desk(folder=tmp_path, portal=portal, clock=clock)
        made.configure(FIRST, SECOND)
        yield made


@pytest.fixture
def watching(desk: Desk) -> Desk:
    assert desk.kinds() == ["case_added", "case_added"]
    return desk


class TestPresence:
    def test_a_case_is_missing_after_three_complete_reads_told_once_and_its_return_too(self, watching: Desk) -> None:
        record = watching.portal.cases[SECOND].record
        watching.portal.cases.remove(SECOND)
        assert [watching.kinds() for _ in range(5)] == [[], [], ["case_missing"], [], []]
        watching.portal.cases.add(SECOND, form="I-485", at=record.submitted_at).show_status(record.status)
        assert ChangeKind.CASE_RETURNED.value in watching.kinds()
        assert watching.kinds() == []

    def test_a_failed_read_in_between_counts_for_nothing(self, watching: Desk) -> None:
        watching.portal.cases.remove(SECOND)
        found = [watching.kinds(), watching.kinds()]
        watching.portal.faults.throw(Fault.UNAVAILABLE)
        found.append(watching.kinds())
        watching.portal.faults.clear()
        assert [*found, watching.kinds()] == [[], [], [], ["case_missing"]]

    def test_a_number_that_the_portal_never_knew_is_told_as_missing_after_three_reads(self, desk: Desk) -> None:
        desk.configure(FIRST, "EAC9999000099")
        assert [desk.kinds() for _ in range(4)] == [["case_added"], [], ["case_missing"], []]

    def test_a_case_that_is_no_longer_watched_is_not_missed(self, watching: Desk) -> None:
        watching.configure(FIRST)
        watching.portal.cases.remove(SECOND)
        assert [watching.kinds() for _ in range(4)] == [[]] * 4


class TestTrouble:
    def test_what_one_case_could_not_say_stops_no_other(self, watching: Desk) -> None:
        watching.portal.faults.throw(Fault.INVALID_JSON, path=f"/case-status/{FIRST}")
        watching.portal.cases[SECOND].set_status("Case Was Approved")
        done = watching.read()
        assert (done.outcome, done.cases_read) == (ReadOutcome.PARTIAL, 1)
        assert {change.change.kind for change in done.changes} == {
            ChangeKind.STAGE_CHANGED,
            ChangeKind.PORTAL_UNREADABLE,
        }
        with watching.opened() as app:
            assert "strange" in {quality for quality, _ in app.store.answers("api", FIRST)}

    def test_a_wait_that_the_portal_asked_for_is_kept_by_the_next_process(self, watching: Desk) -> None:
        watching.portal.faults.throw(Fault.TOO_MANY_REQUESTS, retry_after=timedelta(hours=9))
        watching.read()
        watching.portal.faults.clear()
        watching.portal.forget_requests()
        done = watching.read(after=timedelta(hours=8))
        assert (done.outcome, watching.portal.requests) == (ReadOutcome.FAILED, ())
        assert "left alone until" in (done.error or "")
        assert watching.read(after=timedelta(hours=1)).outcome is ReadOutcome.OK

    def test_reads_that_fail_for_longer_than_blind_after_are_told_once_and_so_is_their_end(
        self, watching: Desk
    ) -> None:
        watching.portal.faults.throw(Fault.UNAVAILABLE)
        found = [watching.kinds() for _ in range(9)]
        assert found == [[]] * 6 + [["blind"]] + [[]] * 2
        watching.portal.faults.clear()
        assert [watching.kinds(), watching.kinds()] == [["recovered"], []]

    def test_what_nobody_foresaw_is_a_strange_answer_and_not_the_end(self, watching: Desk) -> None:
        def explode(_account: object, _surroundings: object) -> object:
            raise ZeroDivisionError("made up")

        with watching.opened() as app:
            portal = app.portal_of("api")
            broken = replace(portal, open=explode)  # type: ignore[arg-type]
            done = poll(app.settings.accounts["api"], broken, app.read_options("api"), app.context)
        assert done.outcome is ReadOutcome.FAILED
        assert "ZeroDivisionError" in (done.error or "")
        assert [change.change.kind for change in done.changes] == [ChangeKind.PORTAL_UNREADABLE]
        assert watching.kinds() == ["recovered"]

    def test_a_read_that_takes_too_long_is_broken_off_and_made_up_for_at_the_next_turn(self, desk: Desk) -> None:
        with desk.opened() as app:
            hurried = replace(app.read_options("api"), max_duration=timedelta(0))
            done = poll(app.settings.accounts["api"], app.portal_of("api"), hurried, app.context)
            assert (done.outcome, done.cases_read) == (ReadOutcome.FAILED, 0)
            assert "the read took longer than 0s" in (done.error or "")
            assert app.store.tracked_cases() == []
        assert desk.kinds() == ["case_added", "case_added"]

    def test_a_rejected_credential_is_submitted_once_until_it_is_changed(self, watching: Desk) -> None:
        watching.portal.tokens.change_client_secret("another secret")
        watching.portal.tokens.revoke_tokens()
        watching.portal.forget_requests()
        assert watching.kinds() == ["sign_in_rejected"]
        for _ in range(5):
            assert watching.read().outcome is ReadOutcome.PAUSED
        assert sum(request.path == "/oauth/accesstoken" for request in watching.portal.requests) == 1
        watching.configure(FIRST, SECOND, secret="another secret")
        assert watching.kinds() == ["recovered"]
        with watching.opened() as app:
            assert app.store.accounts.all()["api"][0].state is AccountState.OK

    def test_an_odd_answer_leaves_the_case_as_it_was(self, watching: Desk) -> None:
        with watching.opened() as app:
            before = app.store.tracked_cases()
        odd = Response(status=200, body=b"[1, 2, 3]", headers=(("content-type", "application/json"),))
        watching.portal.faults.throw(Fault.VERBATIM, path="/case-status/*", answer=odd)
        assert watching.kinds() == ["portal_unreadable"]
        with watching.opened() as app:
            assert [case.snapshot for case in app.store.tracked_cases()] == [case.snapshot for case in before]


class TestTurns:
    def test_the_next_turn_is_one_interval_away_with_a_jitter_within_its_bounds(self, desk: Desk) -> None:
        for _ in range(10):
            desk.read()
            assert desk.next_read_at is not None
            assert timedelta() <= desk.next_read_at - desk.clock.now() - EVERY <= timedelta(minutes=10)

    def test_a_turn_is_taken_on_disk_before_the_portal_is_asked(self, watching: Desk) -> None:
        turns = []

        class Looking:
            """A trace that looks into the books as the first answer arrives."""

            def save(self, *_: object, **__: object) -> None:
                turns.append(watching.next_read_at)

        watching.clock.pass_by(EVERY)
        with watching.opened() as app:
            app.poll("api", trace=Looking())
        assert turns[0] == watching.clock.now() + timedelta(minutes=15)

    def test_an_account_that_is_being_read_is_not_read_a_second_time(self, watching: Desk) -> None:
        watching.portal.forget_requests()
        with watching.opened() as app, app.store.locks.acquire("account api"):
            done = watching.read()
        assert (done.outcome, done.error) == (ReadOutcome.FAILED, "another process is reading this account")
        assert watching.portal.requests == ()

    def test_a_clock_that_jumps_back_neither_tells_anything_twice_nor_loses_anything(self, watching: Desk) -> None:
        assert watching.kinds(after=-timedelta(days=400)) == []
        watching.portal.cases[FIRST].set_status("Case Was Approved")
        assert watching.kinds(after=timedelta(minutes=1)) == ["stage_changed"]
        assert watching.kinds(after=timedelta(days=400)) == []


def test_another_language_is_no_news(watching: Desk) -> None:
    for language in ("es", "en"):
        watching.configure(FIRST, SECOND, top=f'language = "{language}"')
        assert watching.kinds() == []


def test_every_change_has_its_alert_and_goes_out_once(watching: Desk) -> None:
    watching.portal.cases[FIRST].request_evidence()
    assert set(watching.kinds()) == {"rfe_received", "stage_changed"}
    for _ in range(2):
        with watching.opened() as app:
            app.outbox_worker().deliver_due()
    assert len(watching.phones.delivered) == 3
