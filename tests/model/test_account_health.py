"""Whether the program can still see: each trouble is told once on the way down, its end once on the way up."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.errors import (
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

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
TURN = timedelta(hours=4)
DOWN = PortalUnavailable("the portal is down")
STRANGE = UnexpectedAnswer("no case in it")
PAUSES = [
    (SignInRejected("no"), AccountState.REJECTED, ReadOutcome.REJECTED, ChangeKind.SIGN_IN_REJECTED),
    (AccountLocked("locked"), AccountState.LOCKED, ReadOutcome.LOCKED, ChangeKind.ACCOUNT_LOCKED),
    (CodeNeeded("a code"), AccountState.MFA_NEEDED, ReadOutcome.MFA_NEEDED, ChangeKind.MFA_NEEDED),
]
ERRORS: list[ReadFailed] = [DOWN, STRANGE, SessionEnded("ended"), ForeignHost("elsewhere"), CaseNotFound("gone")]
few = settings(max_examples=60, deadline=None)
new = AccountHealth(first_seen_at=NOW)


def read(
    health: AccountHealth, *errors: ReadFailed, at: timedelta = timedelta(), **more: str
) -> tuple[AccountHealth, list[Change]]:
    after, changes = after_read(health, errors, now=NOW + at, blind_after=DAY, **more)
    return after, list(changes)


def kinds(changes: list[Change]) -> list[ChangeKind]:
    return [change.kind for change in changes]


class TestOutcomes:
    def test_a_read_without_errors_is_ok_however_few_cases_it_brought(self) -> None:
        assert outcome_of([], cases_read=0) is ReadOutcome.OK

    @pytest.mark.parametrize("error", ERRORS)
    def test_an_error_leaves_it_partial_or_failed(self, error: ReadFailed) -> None:
        assert outcome_of([error], cases_read=2) is ReadOutcome.PARTIAL
        assert outcome_of([error], cases_read=0) is ReadOutcome.FAILED

    @pytest.mark.parametrize(("error", "state", "outcome", "kind"), PAUSES)
    def test_what_waits_for_a_person_counts_before_everything_else(
        self, error: ReadFailed, state: AccountState, outcome: ReadOutcome, kind: ChangeKind
    ) -> None:
        assert outcome_of([DOWN, error], cases_read=3) is outcome
        health, changes = read(new, DOWN, error, fingerprint="f")
        assert (health.state, health.rejected_fingerprint, health.last_error) == (state, "f", str(error))
        assert [(change.kind, change.severity) for change in changes] == [(kind, Severity.URGENT)]
        assert health.state.waits_for_person


class TestGoodReads:
    def test_the_first_makes_an_account_well_without_a_word(self) -> None:
        health, changes = read(new)
        assert (health.state, health.last_read_at, changes) == (AccountState.OK, NOW, [])

    def test_after_a_trouble_that_was_not_told_nothing_is_told(self) -> None:
        health, _ = read(new, DOWN)
        assert read(health)[1] == []

    @pytest.mark.parametrize("trouble", [STRANGE, *(pause[0] for pause in PAUSES)])
    def test_after_one_that_was_told_its_end_is_told_once(self, trouble: ReadFailed) -> None:
        down, first = read(new, trouble)
        up, changes = read(down, at=TURN)
        assert kinds(changes) == [ChangeKind.RECOVERED]
        assert changes[0].new == {"after": first[0].kind.value, "since": "2026-03-02T12:00:00Z"}
        assert (up.notified, up.failures, up.failing_since, up.last_error) == (frozenset(), 0, None, None)
        assert read(up, at=2 * TURN)[1] == []


class TestTroubles:
    def test_a_portal_that_is_down_for_a_while_is_not_told(self) -> None:
        health = new
        for turn in range(6):
            health, changes = read(health, DOWN, at=turn * TURN)
            assert changes == []
        assert (health.failures, health.failing_since, health.state) == (6, NOW, AccountState.FAILING)

    def test_a_strange_answer_is_told_at_once_and_once(self) -> None:
        health, first = read(new, STRANGE)
        assert kinds(first) == [ChangeKind.PORTAL_UNREADABLE]
        assert read(health, STRANGE, at=TURN)[1] == []

    def test_blind_is_told_once_when_the_last_good_read_is_longer_ago_than_that(self) -> None:
        health, _ = read(new)
        health, changes = read(health, DOWN, at=DAY)
        assert changes == []
        health, changes = read(health, DOWN, at=DAY + timedelta(seconds=1))
        assert kinds(changes) == [ChangeKind.BLIND]
        assert changes[0].new == {"reason": str(DOWN), "since": "2026-03-02T12:00:00Z", "attempts": 2}
        assert read(health, DOWN, at=3 * DAY)[1] == []

    def test_an_account_that_was_never_read_goes_blind_too(self) -> None:
        health, _ = read(new, DOWN)
        assert kinds(list(check_blindness(health, now=NOW + 2 * DAY, blind_after=DAY)[1])) == [ChangeKind.BLIND]

    def test_one_that_nobody_tried_to_read_is_not_blind(self) -> None:
        health, _ = read(new)
        assert check_blindness(health, now=NOW + 9 * DAY, blind_after=DAY) == (health, ())

    def test_the_longest_wait_that_was_asked_for_counts_and_ends_with_the_next_answer(self) -> None:
        waits = [PortalUnavailable("wait", retry_after=timedelta(minutes=minutes)) for minutes in (5, 60, 10)]
        health, _ = read(new, *waits, DOWN)
        assert health.not_before == NOW + timedelta(hours=1)
        assert read(health, DOWN, at=TURN)[0].not_before is None
        assert read(health, at=TURN)[0].not_before is None


class TestResuming:
    @pytest.mark.parametrize("error", [pause[0] for pause in PAUSES])
    def test_a_pause_that_is_lifted_is_told_as_recovered_only_by_a_good_read(self, error: ReadFailed) -> None:
        paused, _ = read(read(new)[0], error, fingerprint="f")
        lifted = resume(paused)
        assert (lifted.state, lifted.rejected_fingerprint) == (AccountState.FAILING, None)
        assert lifted.notified == paused.notified
        assert read(lifted, error, at=TURN)[1] == []
        assert kinds(read(lifted, at=TURN)[1]) == [ChangeKind.RECOVERED]

    def test_one_that_was_never_read_is_again_what_it_was(self) -> None:
        assert resume(read(new, SignInRejected("no"))[0]).state is AccountState.NEVER_READ

    def test_an_account_that_is_not_paused_only_stops_waiting(self) -> None:
        well, _ = read(new)
        assert resume(well) == well
        waiting, _ = read(well, PortalUnavailable("wait", retry_after=DAY))
        assert (resume(waiting).state, resume(waiting).not_before) == (AccountState.FAILING, None)


@few
@given(st.lists(st.lists(st.sampled_from([*ERRORS, *(pause[0] for pause in PAUSES)]), max_size=2), max_size=30))
def test_whatever_happens_each_trouble_is_told_once_between_two_good_reads(rounds: list[list[ReadFailed]]) -> None:
    health, told = new, Counter[ChangeKind]()
    for turn, errors in enumerate(rounds):
        before = told.total()
        health, changes = read(health, *errors, at=turn * TURN)
        found = kinds(changes)
        if errors:
            assert ChangeKind.RECOVERED not in found
            told.update(found)
            assert not told or max(told.values()) == 1
        else:
            assert found == ([ChangeKind.RECOVERED] if before else [])
            told.clear()
        assert health.notified == set(told)
        assert all(change.case_number is None for change in changes)
