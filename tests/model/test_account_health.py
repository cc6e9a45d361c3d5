"""Account health: each problem is reported once when it starts, and its end once."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.errors import (
    BLOCKED_WAIT,
    MAX_RETRY_AFTER,
    AccessBlocked,
    AccountLocked,
    CaseNotFound,
    CodeNeeded,
    ForeignHost,
    PortalUnavailable,
    ReadFailed,
    SessionEnded,
    SignInRejected,
    UnexpectedAnswer,
)
from watcher.model.account_health import (
    AccountHealth,
    AccountState,
    ReadOutcome,
    after_read,
    check_blindness,
    outcome_of,
    resume,
)
from watcher.model.change import Change, ChangeKind, Severity
from watcher.model.overdue_check import apparent_health

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
INTERVAL = timedelta(hours=4)
UNAVAILABLE = PortalUnavailable("the portal is down")
UNREADABLE = UnexpectedAnswer("no case in it")
PAUSES = [
    (SignInRejected("no"), AccountState.REJECTED, ReadOutcome.REJECTED, ChangeKind.SIGN_IN_REJECTED),
    (AccountLocked("locked"), AccountState.LOCKED, ReadOutcome.LOCKED, ChangeKind.ACCOUNT_LOCKED),
    (CodeNeeded("a code"), AccountState.MFA_NEEDED, ReadOutcome.MFA_NEEDED, ChangeKind.MFA_NEEDED),
    (SessionEnded("ended"), AccountState.SESSION_ENDED, ReadOutcome.SESSION_ENDED, ChangeKind.SESSION_ENDED),
]
UNKNOWN = CaseNotFound("no such number")
ERRORS: list[ReadFailed] = [UNAVAILABLE, UNREADABLE, ForeignHost("elsewhere")]
few = settings(max_examples=60, deadline=None)
new = AccountHealth(first_seen_at=NOW)


def read(
    health: AccountHealth,
    *errors: ReadFailed,
    at: timedelta = timedelta(),
    cases_read: int | None = None,
    fingerprint: str | None = None,
) -> tuple[AccountHealth, list[Change]]:
    """Return health and changes after a check; unless `cases_read` is given, one with an error read no case."""
    count = int(not errors) if cases_read is None else cases_read
    after, changes = after_read(
        health, errors, now=NOW + at, blind_after=DAY, cases_read=count, fingerprint=fingerprint
    )
    return after, list(changes)


def kinds(changes: list[Change]) -> list[ChangeKind]:
    return [change.kind for change in changes]


class TestOutcome:
    def test_check_without_errors_is_ok_even_without_cases(self) -> None:
        assert outcome_of([], cases_read=0) is ReadOutcome.OK

    @pytest.mark.parametrize("error", ERRORS)
    def test_error_makes_the_check_partial_or_failed(self, error: ReadFailed) -> None:
        assert outcome_of([error], cases_read=2) is ReadOutcome.PARTIAL
        assert outcome_of([error], cases_read=0) is ReadOutcome.FAILED

    def test_number_that_the_portal_does_not_know_makes_the_check_partial(self) -> None:
        assert outcome_of([UNKNOWN], cases_read=0) is ReadOutcome.PARTIAL
        assert outcome_of([UNKNOWN, UNAVAILABLE], cases_read=0) is ReadOutcome.FAILED

    @pytest.mark.parametrize(("error", "state", "outcome", "kind"), PAUSES)
    def test_errors_that_need_a_person_take_precedence(
        self, error: ReadFailed, state: AccountState, outcome: ReadOutcome, kind: ChangeKind
    ) -> None:
        assert outcome_of([UNAVAILABLE, error], cases_read=3) is outcome
        health, changes = read(new, UNAVAILABLE, error, fingerprint="f")
        assert (health.state, health.rejected_fingerprint, health.last_error) == (state, "f", str(error))
        assert [(change.kind, change.severity) for change in changes] == [(kind, Severity.URGENT)]
        assert health.state.waits_for_person


class TestSuccessfulChecks:
    def test_first_success_is_ok_without_a_change(self) -> None:
        health, changes = read(new)
        assert (health.state, health.last_read_at, changes) == (AccountState.OK, NOW, [])

    def test_recovery_from_an_unreported_problem_is_not_reported(self) -> None:
        health, _ = read(new, UNAVAILABLE)
        assert read(health)[1] == []

    @pytest.mark.parametrize("problem", [UNREADABLE, *(pause[0] for pause in PAUSES)])
    def test_recovery_from_a_reported_problem_is_reported_once(self, problem: ReadFailed) -> None:
        down, first = read(new, problem)
        up, changes = read(down, at=INTERVAL)
        assert kinds(changes) == [ChangeKind.RECOVERED]
        assert changes[0].new == {"after": first[0].kind.value, "since": "2026-03-02T12:00:00Z"}
        assert (up.notified, up.failures, up.failing_since, up.last_error) == (frozenset(), 0, None, None)
        assert read(up, at=2 * INTERVAL)[1] == []


class TestPartialChecks:
    def test_account_of_which_one_case_is_read_never_becomes_blind(self) -> None:
        health, _ = read(new)
        for number in range(1, 20):
            health, _ = read(health, UNAVAILABLE, at=number * INTERVAL, cases_read=9)
            assert ChangeKind.BLIND not in health.notified
            assert health.last_read_at == NOW + number * INTERVAL
            assert check_blindness(health, now=NOW + number * INTERVAL + DAY, blind_after=DAY)[1] == ()
        assert (health.state, health.last_error) == (AccountState.OK, str(UNAVAILABLE))

    def test_what_cannot_be_read_for_long_is_named_once_and_its_end_is_reported(self) -> None:
        health, _ = read(new)
        news: list[Change] = []
        for number in range(1, 200):
            health, changes = read(health, UNAVAILABLE, at=number * INTERVAL, cases_read=9)
            news += changes
        reason = {"reason": str(UNAVAILABLE), "since": "2026-03-02T16:00:00Z", "partly": True}
        assert [(change.kind, change.new) for change in news] == [(ChangeKind.PORTAL_UNREADABLE, reason)]
        assert kinds(read(health, at=200 * INTERVAL)[1]) == [ChangeKind.RECOVERED]

    def test_part_that_cannot_be_read_is_reported_at_once_and_again_if_it_lasts(self) -> None:
        health, _ = read(new)
        news: list[tuple[int, Change]] = []
        for number in range(1, 200):
            health, changes = read(health, UNREADABLE, at=number * INTERVAL, cases_read=9)
            news += [(number, change) for change in changes]
        at_once, later = ({"reason": str(UNREADABLE), **more} for more in ({}, {"since": "2026-03-02T16:00:00Z"}))
        assert [(number, change.new) for number, change in news] == [(1, at_once), (8, {**later, "partly": True})]
        assert {change.kind for _number, change in news} == {ChangeKind.PORTAL_UNREADABLE}
        assert kinds(read(health, at=200 * INTERVAL)[1]) == [ChangeKind.RECOVERED]

    def test_partial_checks_after_blindness_are_counted_anew(self) -> None:
        health, _ = read(new, UNAVAILABLE, at=2 * DAY)
        health, changes = read(health, UNAVAILABLE, at=3 * DAY, cases_read=1)
        assert kinds(changes) == [ChangeKind.RECOVERED]
        assert kinds(read(health, UNAVAILABLE, at=4 * DAY + INTERVAL, cases_read=1)[1]) == [
            ChangeKind.PORTAL_UNREADABLE
        ]

    def test_errors_are_listed_once_each_and_the_others_counted(self) -> None:
        errors = [PortalUnavailable(f"endpoint {number}") for number in (1, 1, 2, 3, 4, 5)]
        assert read(new, *errors, cases_read=1)[0].last_error == "endpoint 1; endpoint 2; endpoint 3; 2 more"

    def test_blindness_after_partial_checks_is_reported_and_counts_from_the_last_of_them(self) -> None:
        health, _ = read(new, UNAVAILABLE, at=30 * DAY, cases_read=1)
        health, changes = read(health, UNAVAILABLE, at=31 * DAY)
        assert changes == []
        health, changes = read(health, UNAVAILABLE, at=31 * DAY + INTERVAL)
        assert kinds(changes) == [ChangeKind.BLIND]

    def test_partial_check_ends_blindness_once_and_a_later_one_is_reported_again(self) -> None:
        health, _ = read(new, UNAVAILABLE, at=2 * DAY)
        health, changes = read(health, UNAVAILABLE, at=3 * DAY, cases_read=1)
        assert [(change.kind, change.new) for change in changes] == [
            (ChangeKind.RECOVERED, {"after": "blind", "since": "2026-03-04T12:00:00Z"})
        ]
        health, changes = read(health, UNAVAILABLE, at=4 * DAY, cases_read=1)
        assert changes == []
        assert kinds(read(health, UNAVAILABLE, at=6 * DAY)[1]) == [ChangeKind.BLIND]
        assert read(health, at=5 * DAY)[1] == []

    def test_partial_check_does_not_end_another_problem(self) -> None:
        health, _ = read(new, UNREADABLE, at=2 * DAY)
        assert health.notified == {ChangeKind.PORTAL_UNREADABLE, ChangeKind.BLIND}
        health, changes = read(health, UNREADABLE, at=3 * DAY, cases_read=1)
        assert kinds(changes) == [ChangeKind.RECOVERED]
        assert health.notified == {ChangeKind.PORTAL_UNREADABLE}

    def test_pause_in_a_partial_check_after_blindness_is_the_only_news(self) -> None:
        health, _ = read(new, UNAVAILABLE, at=2 * DAY)
        health, changes = read(health, SessionEnded("ended"), at=3 * DAY, cases_read=1)
        assert kinds(changes) == [ChangeKind.SESSION_ENDED]
        assert health.notified == {ChangeKind.SESSION_ENDED}

    def test_unknown_number_is_no_problem_of_the_account(self) -> None:
        health, changes = read(new, UNKNOWN)
        assert (health.state, health.last_read_at, health.last_error) == (AccountState.OK, None, str(UNKNOWN))
        assert (changes, health.failing_since) == ([], None)
        assert read(health, UNKNOWN, cases_read=1)[0].last_read_at == NOW


class TestProblems:
    def test_portal_that_is_down_for_a_while_is_not_reported(self) -> None:
        health = new
        for number in range(6):
            health, changes = read(health, UNAVAILABLE, at=number * INTERVAL)
            assert changes == []
        assert (health.failures, health.failing_since, health.state) == (6, NOW, AccountState.FAILING)

    def test_unreadable_answer_is_reported_at_once_and_only_once(self) -> None:
        health, first = read(new, UNREADABLE)
        assert kinds(first) == [ChangeKind.PORTAL_UNREADABLE]
        assert read(health, UNREADABLE, at=INTERVAL)[1] == []

    def test_blindness_is_reported_once_after_the_limit(self) -> None:
        health, _ = read(new)
        health, changes = read(health, UNAVAILABLE, at=DAY)
        assert changes == []
        health, changes = read(health, UNAVAILABLE, at=DAY + timedelta(seconds=1))
        assert kinds(changes) == [ChangeKind.BLIND]
        assert changes[0].new == {"reason": str(UNAVAILABLE), "since": "2026-03-02T12:00:00Z", "attempts": 2}
        assert read(health, UNAVAILABLE, at=3 * DAY)[1] == []

    def test_account_that_was_never_checked_can_become_blind(self) -> None:
        health, _ = read(new, UNAVAILABLE)
        assert kinds(list(check_blindness(health, now=NOW + 2 * DAY, blind_after=DAY)[1])) == [ChangeKind.BLIND]

    def test_account_without_failed_checks_is_not_blind(self) -> None:
        health, _ = read(new)
        assert check_blindness(health, now=NOW + 9 * DAY, blind_after=DAY) == (health, ())

    def test_account_whose_checks_have_stopped_appears_as_failing(self) -> None:
        health, _ = read(new)
        late = NOW + DAY
        for next_read_at, days, state in (
            (late, 1, AccountState.OK),
            (late, 1.5, AccountState.OK),
            (late, 1.6, AccountState.FAILING),
            (NOW + 9 * DAY, 8, AccountState.OK),
            (None, 8, AccountState.OK),
        ):
            seen = apparent_health(health, next_read_at, now=NOW + days * DAY, blind_after=DAY)
            assert seen.state is state
            assert (seen.last_error is not None) == (state is AccountState.FAILING)

    def test_failing_account_appears_with_its_own_error(self) -> None:
        health, _ = read(new, UNAVAILABLE)
        assert apparent_health(health, NOW, now=NOW + 9 * DAY, blind_after=DAY) == health

    def test_longest_requested_wait_applies_until_the_next_answer(self) -> None:
        waits = [PortalUnavailable("wait", retry_after=timedelta(minutes=minutes)) for minutes in (5, 60, 10)]
        health, _ = read(new, *waits, UNAVAILABLE)
        assert health.not_before == NOW + timedelta(hours=1)
        assert read(health, UNAVAILABLE, at=INTERVAL)[0].not_before is None
        assert read(health, at=INTERVAL)[0].not_before is None


class TestResume:
    @pytest.mark.parametrize("error", [pause[0] for pause in PAUSES])
    def test_recovery_after_a_pause_is_reported_only_after_a_successful_check(self, error: ReadFailed) -> None:
        paused, (problem,) = read(read(new)[0], error, fingerprint="f")
        resumed = resume(paused)
        assert (resumed.state, resumed.rejected_fingerprint) == (AccountState.FAILING, None)
        (recovered,) = read(resumed, at=INTERVAL)[1]
        assert recovered.kind is ChangeKind.RECOVERED
        assert recovered.new == {"after": problem.kind.value, "since": "2026-03-02T12:00:00Z"}

    @pytest.mark.parametrize("error", [pause[0] for pause in PAUSES])
    def test_problem_that_recurs_after_a_resume_is_reported_again_and_its_end_once(self, error: ReadFailed) -> None:
        health, first = read(read(new)[0], error)
        health, again = read(resume(health), error, at=INTERVAL)
        assert kinds(again) == kinds(first)
        assert read(health, error, at=2 * INTERVAL)[1] == []
        health, changes = read(resume(health), at=3 * INTERVAL)
        assert kinds(changes) == [ChangeKind.RECOVERED]
        assert read(health, at=4 * INTERVAL)[1] == []

    def test_recovery_is_still_reported_if_a_failure_follows_the_resume(self) -> None:
        health, _ = read(new, SignInRejected("no"))
        health, _ = read(resume(health), UNAVAILABLE, at=INTERVAL)
        assert kinds(read(health, at=2 * INTERVAL)[1]) == [ChangeKind.RECOVERED]

    def test_account_that_was_never_checked_returns_to_never_read(self) -> None:
        assert resume(read(new, SignInRejected("no"))[0]).state is AccountState.NEVER_READ

    def test_resuming_an_account_that_is_not_paused_only_ends_its_wait(self) -> None:
        healthy, _ = read(new)
        assert resume(healthy) == healthy
        waiting, _ = read(healthy, PortalUnavailable("wait", retry_after=DAY))
        assert (resume(waiting).state, resume(waiting).not_before) == (AccountState.FAILING, None)


@few
@given(st.lists(st.lists(st.sampled_from([*ERRORS, *(pause[0] for pause in PAUSES)]), max_size=2), max_size=30))
def test_each_problem_is_reported_once_between_two_successful_checks(checks: list[list[ReadFailed]]) -> None:
    health, counts = new, Counter[ChangeKind]()
    for number, errors in enumerate(checks):
        before = counts.total()
        health, changes = read(health, *errors, at=number * INTERVAL)
        reported = kinds(changes)
        if errors:
            assert ChangeKind.RECOVERED not in reported
            counts.update(reported)
            assert not counts or max(counts.values()) == 1
        else:
            assert reported == ([ChangeKind.RECOVERED] if before else [])
            counts.clear()
        assert health.notified == set(counts)
        assert all(change.case_number is None for change in changes)


class TestFirewall:
    def test_it_is_reported_once_as_such(self) -> None:
        health, changes = read(new, AccessBlocked("a firewall"))
        _, again = read(health, AccessBlocked("a firewall"), at=2 * INTERVAL)

        assert kinds(changes) == [ChangeKind.PORTAL_UNREADABLE]
        assert changes[0].new == {"reason": "a firewall", "blocked": True}
        assert again == []

    def test_each_refusal_doubles_the_wait_up_to_the_longest(self) -> None:
        health, waits, at = new, [], timedelta()
        for _ in range(5):
            health, _changes = read(health, AccessBlocked("a firewall"), at=at)
            assert health.not_before is not None
            waits.append(health.not_before - NOW - at)
            at += waits[-1]

        assert waits == [BLOCKED_WAIT, 2 * BLOCKED_WAIT, 4 * BLOCKED_WAIT, MAX_RETRY_AFTER, MAX_RETRY_AFTER]

    def test_wait_starts_anew_after_a_good_check(self) -> None:
        blocked, _ = read(new, AccessBlocked("a firewall"))
        good, _ = read(blocked, at=2 * DAY)
        health, _ = read(good, AccessBlocked("a firewall"), at=3 * DAY)

        assert health.not_before == NOW + 3 * DAY + BLOCKED_WAIT
