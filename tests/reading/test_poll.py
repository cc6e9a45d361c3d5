"""One check of one account, from start to end, at the practice portal, with a manual clock."""

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from errno import EMFILE
from pathlib import Path

import pytest

from tests.doubles.notifier import FakeNotifier
from tests.practice.visitor import HandClock
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.model.account_health import AccountState, ReadOutcome, ReadResult, resume
from watcher.model.change import ChangeKind
from watcher.portal import Reader
from watcher.portals import find
from watcher.practice import Account, Fault, PracticePortal
from watcher.practice.site.exchange import Response
from watcher.reading.poll import poll

FIRST, SECOND, UNKNOWN = "EAC9999000001", "EAC9999000002", "EAC9999000099"
EVERY = timedelta(hours=4)


@dataclass(slots=True, kw_only=True)
class Workspace:
    """One account at the practice portal. Every check opens the database anew, like a new process."""

    folder: Path
    portal: PracticePortal
    clock: HandClock
    phones: FakeNotifier = field(default_factory=FakeNotifier)

    def configure(
        self,
        *numbers: str,
        secret: str = "",
        top: str = "",
        stall: str = "0",
        channel: str = 'min_severity = "routine"',
    ) -> None:
        account = self.portal.account
        (self.folder / "watcher.toml").touch(mode=0o600)
        (self.folder / "watcher.toml").write_text(
            f'timezone = "UTC"\nstate_dir = "state"\n{top}\n[stall]\nafter = "{stall}"\n[accounts.api]\n'
            f'portal = "uscis-api"\nbase_url = "{self.portal.base_url}"\nclient_id = "{account.client_id}"\n'
            f'client_secret = "{secret or account.client_secret}"\ncases = {json.dumps(list(numbers))}\n'
            f'[channels.phone]\nurl = "json://phone"\n{channel}\n',
            encoding="utf-8",
        )

    @contextmanager
    def opened(self) -> Iterator[App]:
        settings = read_settings(self.folder / "watcher.toml", {})
        with open_app(settings, clock=self.clock, notifier=self.phones) as app:
            yield app

    def check(self, *, after: timedelta = EVERY) -> ReadResult:
        """Check the account after this much time has passed."""
        self.clock.pass_by(after)
        with self.opened() as app:
            return app.poll("api")

    def kinds(self, *, after: timedelta = EVERY) -> list[str]:
        return [change.change.kind.value for change in self.check(after=after).changes]

    @property
    def next_read_at(self) -> datetime | None:
        with self.opened() as app:
            return app.store.accounts.all()["api"][1]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    clock = HandClock()
    with PracticePortal(clock, account=Account(totp_secret=None), tls=False) as portal:
        for number in (FIRST, SECOND):
            portal.cases.add(number, form="I-485").set_status("Case Is Being Actively Reviewed By USCIS")
        workspace = Workspace(folder=tmp_path, portal=portal, clock=clock)
        workspace.configure(FIRST, SECOND)
        yield workspace


@pytest.fixture
def watching(workspace: Workspace) -> Workspace:
    assert workspace.kinds() == ["case_added", "case_added"]
    return workspace


def test_a_check_without_free_descriptors_blames_this_machine_and_not_the_portal(watching: Workspace) -> None:
    portal = find("uscis-api")

    def opened(*_: object) -> AbstractContextManager[Reader]:
        raise OSError(EMFILE, os.strerror(EMFILE))

    watching.clock.pass_by(EVERY)
    with watching.opened() as app:
        account = app.settings.accounts["api"]
        result = poll(account, replace(portal, open=opened), app.read_options("api"), app.context)
    assert (result.outcome, result.changes) == (ReadOutcome.FAILED, ())
    assert result.error == "this machine is at fault, not the portal: too many open files"
    assert watching.kinds() == []


class TestMissingCases:
    def test_a_case_is_reported_as_missing_after_three_complete_checks_and_as_returned(
        self, watching: Workspace
    ) -> None:
        record = watching.portal.cases[SECOND].record
        watching.portal.cases.remove(SECOND)
        assert [watching.kinds() for _ in range(5)] == [[], [], ["case_missing"], [], []]
        watching.portal.cases.add(SECOND, form="I-485", at=record.submitted_at).show_status(record.status)
        assert ChangeKind.CASE_RETURNED.value in watching.kinds()
        assert watching.kinds() == []

    def test_a_failed_check_in_between_does_not_count(self, watching: Workspace) -> None:
        watching.portal.cases.remove(SECOND)
        results = [watching.kinds(), watching.kinds()]
        watching.portal.faults.throw(Fault.UNAVAILABLE)
        results.append(watching.kinds())
        watching.portal.faults.clear()
        assert [*results, watching.kinds()] == [[], [], [], ["case_missing"]]

    def test_a_case_that_is_back_in_a_partial_check_is_reported_once(self, watching: Workspace) -> None:
        record = watching.portal.cases[SECOND].record
        watching.portal.cases.remove(SECOND)
        for _ in range(3):
            watching.check()
        watching.portal.cases.add(SECOND, form="I-485", at=record.submitted_at).show_status(record.status)
        watching.portal.faults.throw(Fault.UNAVAILABLE, path=f"/case-status/{FIRST}")
        results = [watching.kinds() for _ in range(3)]
        assert [kinds.count("case_returned") for kinds in results] == [1, 0, 0]
        with watching.opened() as app:
            assert [case.missing_reads for case in app.store.tracked_cases()] == [0, 0]

    def test_absences_before_and_after_a_partial_check_that_read_the_case_do_not_add_up(
        self, watching: Workspace
    ) -> None:
        record = watching.portal.cases[SECOND].record
        watching.portal.cases.remove(SECOND)
        kinds = [*watching.kinds(), *watching.kinds()]
        watching.portal.cases.add(SECOND, form="I-485", at=record.submitted_at).show_status(record.status)
        watching.portal.faults.throw(Fault.UNAVAILABLE, path=f"/case-status/{FIRST}")
        kinds += watching.kinds()
        watching.portal.faults.clear()
        watching.portal.cases.remove(SECOND)
        kinds += [*watching.kinds(), *watching.kinds()]
        assert "case_missing" not in kinds

    def test_a_case_that_is_no_longer_watched_is_not_missing(self, watching: Workspace) -> None:
        watching.configure(FIRST)
        watching.portal.cases.remove(SECOND)
        assert [watching.kinds() for _ in range(4)] == [[]] * 4


class TestFailures:
    def test_a_case_that_cannot_be_read_does_not_affect_the_others(self, watching: Workspace) -> None:
        watching.portal.faults.throw(Fault.INVALID_JSON, path=f"/case-status/{FIRST}")
        watching.portal.cases[SECOND].set_status("Case Was Approved")
        result = watching.check()
        assert (result.outcome, result.cases_read) == (ReadOutcome.PARTIAL, 1)
        assert {change.change.kind for change in result.changes} == {
            ChangeKind.STAGE_CHANGED,
            ChangeKind.PORTAL_UNREADABLE,
        }
        with watching.opened() as app:
            assert "strange" in {quality for quality, _ in app.store.answers("api", FIRST)}

    def test_a_wait_that_the_portal_asked_for_outlasts_the_process(self, watching: Workspace) -> None:
        watching.portal.faults.throw(Fault.TOO_MANY_REQUESTS, retry_after=timedelta(hours=9))
        watching.check()
        watching.portal.faults.clear()
        watching.portal.forget_requests()
        result = watching.check(after=timedelta(hours=8))
        assert (result.outcome, watching.portal.requests) == (ReadOutcome.FAILED, ())
        assert "asked us to wait until" in (result.error or "")
        assert watching.check(after=timedelta(hours=1)).outcome is ReadOutcome.OK

    def test_a_firewall_is_reported_once_and_left_alone_for_a_day_unless_the_user_resumes(
        self, watching: Workspace
    ) -> None:
        page = Response(status=403, body=b"<title>Just a moment...</title>", headers=(("content-type", "text/html"),))
        watching.portal.faults.throw(Fault.VERBATIM, answer=page)
        result = watching.check()
        assert [change.change.kind for change in result.changes] == [ChangeKind.PORTAL_UNREADABLE]
        assert "does not let programs in" in result.changes[0].summary
        watching.portal.forget_requests()
        skipped = watching.check(after=timedelta(hours=23))
        assert "unless you run `watcher resume api`: " in (skipped.error or "")
        assert watching.portal.requests == ()
        watching.portal.faults.clear()
        with watching.opened() as app:
            app.context.store.accounts.set_health("api", resume(app.store.accounts.health("api", watching.clock.now())))
        assert watching.kinds(after=timedelta()) == ["recovered"]

    def test_failures_for_longer_than_blind_after_and_the_recovery_are_reported_once(self, watching: Workspace) -> None:
        watching.portal.faults.throw(Fault.UNAVAILABLE)
        results = [watching.kinds() for _ in range(9)]
        assert results == [[]] * 6 + [["blind"]] + [[]] * 2
        watching.portal.faults.clear()
        assert [watching.kinds(), watching.kinds()] == [["recovered"], []]

    def test_an_unexpected_exception_is_reported_as_an_unreadable_portal(self, watching: Workspace) -> None:
        def explode(_account: object, _context: object) -> object:
            raise ZeroDivisionError("made up")

        with watching.opened() as app:
            portal = app.portal_of("api")
            broken = replace(portal, open=explode)  # type: ignore[arg-type]
            result = poll(app.settings.accounts["api"], broken, app.read_options("api"), app.context)
        assert result.outcome is ReadOutcome.FAILED
        assert "ZeroDivisionError" in (result.error or "")
        assert [change.change.kind for change in result.changes] == [ChangeKind.PORTAL_UNREADABLE]
        assert watching.kinds() == ["recovered"]

    def test_a_check_that_takes_too_long_ends_and_the_next_one_reads_the_rest(self, workspace: Workspace) -> None:
        with workspace.opened() as app:
            options = replace(app.read_options("api"), max_duration=timedelta(0))
            result = poll(app.settings.accounts["api"], app.portal_of("api"), options, app.context)
            assert (result.outcome, result.cases_read) == (ReadOutcome.FAILED, 0)
            assert "the check took longer than 0s" in (result.error or "")
            assert app.store.tracked_cases() == []
        assert workspace.kinds() == ["case_added", "case_added"]

    def test_a_rejected_credential_is_not_submitted_again_until_it_changes(self, watching: Workspace) -> None:
        watching.portal.tokens.change_client_secret("another secret")
        watching.portal.tokens.revoke_tokens()
        watching.portal.forget_requests()
        assert watching.kinds() == ["sign_in_rejected"]
        for _ in range(5):
            assert watching.check().outcome is ReadOutcome.PAUSED
        assert sum(request.path == "/oauth/accesstoken" for request in watching.portal.requests) == 1
        watching.configure(FIRST, SECOND, secret="another secret")
        assert watching.kinds() == ["recovered"]
        with watching.opened() as app:
            assert app.store.accounts.all()["api"][0].state is AccountState.OK

    def test_a_credential_that_is_rejected_while_the_daemon_stops_is_not_submitted_again(
        self, watching: Workspace
    ) -> None:
        watching.portal.tokens.change_client_secret("another secret")
        watching.portal.tokens.revoke_tokens()
        watching.portal.forget_requests()
        watching.clock.pass_by(EVERY)
        with watching.opened() as app:
            stop = app.context.stop

            class StoppingTrace:
                """A trace that stops the program as an answer arrives."""

                def save(self, *_: object, **__: object) -> None:
                    stop.set()

            assert app.poll("api", trace=StoppingTrace()).outcome is ReadOutcome.REJECTED
        assert watching.check().outcome is ReadOutcome.PAUSED
        assert sum(request.path == "/oauth/accesstoken" for request in watching.portal.requests) == 1

    def test_an_unexpected_answer_does_not_change_the_case(self, watching: Workspace) -> None:
        with watching.opened() as app:
            before = app.store.tracked_cases()
        unexpected = Response(status=200, body=b"[1, 2, 3]", headers=(("content-type", "application/json"),))
        watching.portal.faults.throw(Fault.VERBATIM, path="/case-status/*", answer=unexpected)
        assert watching.kinds() == ["portal_unreadable"]
        with watching.opened() as app:
            assert [case.snapshot for case in app.store.tracked_cases()] == [case.snapshot for case in before]


class TestSchedule:
    def test_the_next_check_is_one_interval_away_plus_jitter(self, workspace: Workspace) -> None:
        for _ in range(10):
            workspace.check()
            assert workspace.next_read_at is not None
            assert timedelta() <= workspace.next_read_at - workspace.clock.now() - EVERY <= timedelta(minutes=10)

    @pytest.mark.parametrize(
        ("late", "retry"), [(timedelta(), 1), (timedelta(minutes=20), 10), (timedelta(hours=5), 15)]
    )
    def test_check_is_planned_again_before_its_first_request_the_later_the_longer_it_was_due(
        self, watching: Workspace, late: timedelta, retry: int
    ) -> None:
        stored = []

        class ScheduleTrace:
            """A trace that reads the stored time of the next check as the first answer arrives."""

            def save(self, *_: object, **__: object) -> None:
                stored.append(watching.next_read_at)

        watching.clock.pass_by(EVERY + late)
        with watching.opened() as app:
            app.poll("api", trace=ScheduleTrace())
        assert stored[0] == watching.clock.now() + timedelta(minutes=retry)

    def test_an_account_is_not_checked_twice_at_the_same_time(self, watching: Workspace) -> None:
        watching.portal.forget_requests()
        with watching.opened() as app, app.store.locks.acquire("account api"):
            result = watching.check()
        assert (result.outcome, result.error) == (ReadOutcome.FAILED, "another process is checking this account")
        assert watching.portal.requests == ()

    def test_a_clock_that_jumps_back_neither_repeats_nor_loses_a_change(self, watching: Workspace) -> None:
        assert watching.kinds(after=-timedelta(days=400)) == []
        watching.portal.cases[FIRST].set_status("Case Was Approved")
        assert watching.kinds(after=timedelta(minutes=1)) == ["stage_changed"]
        assert watching.kinds(after=timedelta(days=400)) == []


class TestUnknownNumbers:
    def test_number_that_the_portal_does_not_know_is_reported_at_once_and_only_once(self, workspace: Workspace) -> None:
        workspace.configure(FIRST, UNKNOWN)
        results = [workspace.check() for _ in range(5)]
        kinds = [[change.change.kind.value for change in result.changes] for result in results]
        assert kinds == [["case_added", "case_not_found"], [], [], [], []]
        assert {result.outcome for result in results} == {ReadOutcome.PARTIAL}
        assert all(UNKNOWN in (result.error or "") for result in results)
        with workspace.opened() as app:
            assert app.store.accounts.all()["api"][0].state is AccountState.OK
            assert {case.case_number: case.missing_reads for case in app.store.tracked_cases()} == {
                FIRST: 0,
                UNKNOWN: 5,
            }

    def test_check_that_knows_no_number_at_all_is_partial_and_not_blind(self, workspace: Workspace) -> None:
        workspace.configure(UNKNOWN)
        results = [workspace.check() for _ in range(9)]
        assert {result.outcome for result in results} == {ReadOutcome.PARTIAL}
        assert sum(len(result.changes) for result in results) == 1

    def test_number_that_the_portal_knows_later_is_a_new_case_and_not_a_returned_one(
        self, workspace: Workspace
    ) -> None:
        workspace.configure(FIRST, UNKNOWN)
        for _ in range(4):
            workspace.check()
        workspace.portal.cases.add(UNKNOWN, form="I-765").set_status("Case Was Received")
        assert workspace.kinds() == ["case_added"]
        assert workspace.check().outcome is ReadOutcome.OK


class TestFirstContact:
    def test_every_channel_hears_once_what_is_watched(self, workspace: Workspace) -> None:
        workspace.configure(FIRST, SECOND, channel='min_severity = "urgent"')
        for _ in range(3):
            workspace.check()
        with workspace.opened() as app:
            (alert,) = app.store.outbox.list()
        assert alert.title.startswith("Watching 2 cases: ")
        assert "Case Is Being Actively Reviewed By USCIS" in alert.body
        assert len(alert.change_ids) == 2

    def test_case_that_has_long_stood_still_says_so_there_and_is_not_reminded_of(self, workspace: Workspace) -> None:
        workspace.configure(FIRST, stall="30d")
        workspace.portal.cases[FIRST].set_status("Case Was Received")
        workspace.clock.pass_by(timedelta(days=40))
        workspace.check()
        with workspace.opened() as app:
            (alert,) = app.store.outbox.list()
            assert "No change for 40 days" in alert.body
            assert app.record_time_reminders() == []
            workspace.clock.pass_by(timedelta(days=30))
            assert [change.change.kind for change in app.record_time_reminders()] == [ChangeKind.STALLED]

    def test_case_that_appears_later_is_announced_by_itself(self, watching: Workspace) -> None:
        watching.portal.cases.add(UNKNOWN, form="I-765").set_status("Case Was Received")
        watching.configure(FIRST, SECOND, UNKNOWN)
        assert watching.kinds() == ["case_added"]
        with watching.opened() as app:
            assert [alert.title[:8] for alert in app.store.outbox.list()] == ["EAC•••••", "Watching"]


class TestPause:
    def test_second_refusal_with_another_password_is_reported(self, watching: Workspace) -> None:
        watching.portal.tokens.change_client_secret("the right one")
        watching.portal.tokens.revoke_tokens()
        assert watching.kinds() == ["sign_in_rejected"]
        watching.configure(FIRST, SECOND, secret="a typo")
        assert watching.kinds() == ["sign_in_rejected"]
        assert watching.kinds() == []

    def test_paused_account_comes_up_again_after_its_interval(self, watching: Workspace) -> None:
        watching.portal.tokens.change_client_secret("another")
        watching.portal.tokens.revoke_tokens()
        watching.check()
        assert watching.check().outcome is ReadOutcome.PAUSED
        assert watching.next_read_at == watching.clock.now() + EVERY


def test_another_language_is_not_a_change(watching: Workspace) -> None:
    for language in ("es", "en"):
        watching.configure(FIRST, SECOND, top=f'language = "{language}"')
        assert watching.kinds() == []


def test_the_alerts_of_every_change_are_delivered_once(watching: Workspace) -> None:
    watching.portal.cases[FIRST].request_evidence()
    assert set(watching.kinds()) == {"rfe_received", "stage_changed"}
    for _ in range(2):
        with watching.opened() as app:
            app.outbox_worker().deliver_due()
    assert len(watching.phones.delivered) == 2
