from datetime import datetime, timedelta

import pytest

from tests.sign_in.waiting import NOON, Waiting
from watcher.errors import CodeNeeded, PortalUnavailable
from watcher.sign_in.submitted_code import SubmittedCode


class MemoryInbox:
    """A `CodeInbox` in memory, true to its docstring."""

    def __init__(self) -> None:
        self._lying: dict[str, tuple[datetime, str]] = {}
        self.expected: list[datetime | None] = []

    def put(self, account: str, code: str, *, at: datetime) -> None:
        self._lying[account] = (at, code)

    def begin_wait(self, account: str, *, asked_at: datetime, until: datetime) -> None:
        assert (account, asked_at) == ("family", NOON)
        self.expected.append(until)

    def end_wait(self, account: str) -> None:
        assert account == "family"
        self.expected.append(None)

    def take(self, account: str, *, not_before: datetime, now: datetime) -> str | None:
        at, code = self._lying.pop(account, (not_before, None))
        return code if not_before <= at <= now else None


class World(Waiting):
    """Somebody waits, and a person hands codes in."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox = MemoryInbox()
        self.announced = 0

    def hands_in(self, code: str, *, after: timedelta) -> None:
        at = NOON + after
        self.plans.append((at, lambda: self.inbox.put("family", code, at=at)))

    def announce(self) -> None:
        self.announced += 1

    def codes(self) -> SubmittedCode:
        return SubmittedCode(
            "family",
            self.inbox,
            clock=self,
            wait=self.wait,
            announce=self.announce,
            timeout=timedelta(minutes=10),
        )


@pytest.fixture
def world() -> World:
    return World()


def test_code_submitted_during_the_wait_is_taken_once(world: World) -> None:
    world.hands_in("012345", after=timedelta(minutes=3))
    assert world.codes().code(asked_at=NOON) == "012345"
    assert world.inbox.expected == [NOON + timedelta(minutes=10), None]
    assert timedelta(minutes=3) <= world.time - NOON <= timedelta(minutes=3, seconds=2)
    assert world.inbox.take("family", not_before=NOON, now=world.now()) is None


def test_person_is_alerted_once_that_a_code_is_needed(world: World) -> None:
    world.hands_in("012345", after=timedelta(minutes=3))
    world.codes().code(asked_at=NOON)
    assert world.announced == 1


def test_code_from_before_the_request_is_not_submitted(world: World) -> None:
    world.inbox.put("family", "999999", at=NOON - timedelta(seconds=1))
    world.hands_in("012345", after=timedelta(seconds=30))
    assert world.codes().code(asked_at=NOON) == "012345"


def test_code_of_another_account_is_left_alone(world: World) -> None:
    world.inbox.put("other", "999999", at=NOON)
    with pytest.raises(CodeNeeded):
        world.codes().code(asked_at=NOON)
    assert world.inbox.take("other", not_before=NOON, now=world.now()) == "999999"


def test_timeout_error_says_what_to_do(world: World) -> None:
    with pytest.raises(CodeNeeded, match=r"within 10 minutes.*`watcher code family CODE`"):
        world.codes().code(asked_at=NOON)
    assert world.time == NOON + timedelta(minutes=10)


def test_wait_ends_with_the_daemon(world: World) -> None:
    world.ends_at = NOON + timedelta(seconds=5)
    with pytest.raises(PortalUnavailable, match="stopping"):
        world.codes().code(asked_at=NOON)
    assert world.time == NOON + timedelta(seconds=5)


def set_back(world: World, span: timedelta) -> None:
    world.time -= span


def test_clock_that_is_set_back_does_not_prolong_the_wait(world: World) -> None:
    world.plans.append((NOON + timedelta(minutes=4), lambda: set_back(world, timedelta(days=300))))
    with pytest.raises(CodeNeeded):
        world.codes().code(asked_at=NOON)
    assert world.time == NOON - timedelta(days=300) + timedelta(minutes=10)


def test_code_that_is_submitted_after_the_clock_was_set_back_is_taken(world: World) -> None:
    back = timedelta(days=300)
    submitted_at = NOON - back + timedelta(minutes=5)

    def correct_and_submit_later() -> None:
        set_back(world, back)
        world.plans.append((submitted_at, lambda: world.inbox.put("family", "012345", at=submitted_at)))

    world.plans.append((NOON + timedelta(minutes=4), correct_and_submit_later))
    assert world.codes().code(asked_at=NOON) == "012345"


def test_code_from_the_time_when_the_clock_was_ahead_is_not_submitted(world: World) -> None:
    world.inbox.put("family", "999999", at=NOON + timedelta(days=300))
    world.hands_in("012345", after=timedelta(seconds=30))
    assert world.codes().code(asked_at=NOON) == "012345"
