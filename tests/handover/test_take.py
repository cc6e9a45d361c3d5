"""A hand-over is one check of the account, or a refusal that says why and changes nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from tests.doubles.uscis_answers import RECEIPT, request
from tests.handover.payloads import SERVICE, answer, case_answers, denied, payload
from tests.portals.test_manual_saved import CEAC
from tests.support.workspace import Workspace
from watcher.actions import Refused
from watcher.actions.hand_over import take
from watcher.app import App
from watcher.model.account_health import ReadOutcome

ACCOUNT = '[stall]\nafter = "0"\n[accounts.family]\nportal = "uscis"\n'
DAMAGED: tuple[object, ...] = (None, [], "", "x", -1)
SPOUSE, STRANGER = "IOE0000000002", "IOE0000000009"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    workspace = Workspace(folder=tmp_path)
    workspace.write(ACCOUNT)
    with workspace.app() as app:
        yield app


@pytest.fixture
def both(tmp_path: Path) -> Iterator[App]:
    """Return an account that watches the cases of two people, each with an account of their own at the portal."""
    workspace = Workspace(folder=tmp_path)
    workspace.write(f'{ACCOUNT}cases = ["{RECEIPT}", "{SPOUSE}"]\n')
    with workspace.app() as app:
        yield app


def now() -> datetime:
    return datetime.now(UTC)


def refusal(app: App, content: bytes) -> str:
    """Return why a hand-over is refused, after which nothing has changed."""
    before = app.store.history()
    with pytest.raises(Refused) as error:
        take(app, "family", content)
    assert app.store.history() == before
    return str(error.value)


def test_first_hand_over_is_the_baseline_for_the_second(app: App) -> None:
    first = take(app, "family", payload(now(), *case_answers()))
    assert [change.change.kind for change in first.result.changes] == ["case_added"]
    second = take(app, "family", payload(now(), *case_answers(evidenceRequests=[request(1)])))
    assert "rfe_received" in [change.change.kind for change in second.result.changes]
    third = take(app, "family", payload(now(), *case_answers(evidenceRequests=[request(1)])))
    assert (third.result.cases_read, third.result.changes) == (1, ())


def test_hand_over_counts_as_the_check_of_the_account(app: App) -> None:
    take(app, "family", payload(now(), *case_answers()))
    health = app.store.accounts.health("family", now())
    assert health.last_read_at is not None


def test_case_of_another_person_is_named_and_the_others_are_read(both: App) -> None:
    taken = take(both, "family", payload(now(), *case_answers(), *denied(SPOUSE)))
    assert (taken.result.outcome, taken.result.cases_read, taken.elsewhere) == (ReadOutcome.OK, 1, (SPOUSE,))
    taken = take(both, "family", payload(now(), *denied(RECEIPT, 500), *case_answers(SPOUSE)))
    assert (taken.result.outcome, taken.result.cases_read, taken.elsewhere) == (ReadOutcome.OK, 1, (RECEIPT,))


@pytest.mark.parametrize("empty", ["", "null", '{"data": null, "error": {}}'])
def test_empty_answer_is_a_case_of_another_person_too(both: App, empty: str) -> None:
    nothing = answer(f"{SERVICE}/cases/{SPOUSE}", empty, number=SPOUSE)
    assert take(both, "family", payload(now(), *case_answers(), nothing)).elsewhere == (SPOUSE,)


def test_half_an_answer_does_not_keep_the_other_case_from_being_read(both: App) -> None:
    half = answer(f"{SERVICE}/cases/{SPOUSE}", '{"data": {"receiptNumber": "IOE00', number=SPOUSE)
    taken = take(both, "family", payload(now(), *case_answers(), half))
    assert taken.result.outcome is ReadOutcome.PARTIAL
    assert [failure.case_number for failure in taken.unreadable] == [SPOUSE]


def test_half_an_answer_alone_is_refused(app: App) -> None:
    half = answer(f"{SERVICE}/cases/{RECEIPT}", '{"data": {"receiptNumber": "IOE00')
    assert refusal(app, payload(now(), half)).startswith(RECEIPT)


def test_unwatched_case_is_left_out(both: App) -> None:
    taken = take(both, "family", payload(now(), *case_answers(), *case_answers(STRANGER)))
    assert (taken.result.cases_read, taken.elsewhere, taken.unreadable) == (1, (), ())


def test_account_of_another_person_is_refused(both: App) -> None:
    assert "cannot see the cases of family" in refusal(
        both, payload(now(), *denied(RECEIPT), *denied(SPOUSE, 404), *case_answers(STRANGER))
    )


def test_ended_session_is_refused_with_what_to_do(app: App) -> None:
    assert "You are not signed in" in refusal(app, payload(now(), *denied(RECEIPT, 401)))
    assert "You are not signed in" in refusal(app, payload(now()))


def test_answers_of_another_website_are_refused(app: App) -> None:
    assert "another website" in refusal(app, payload(now(), *case_answers(), site="https://my.uscis.example"))
    foreign = [entry | {"url": "https://my.uscis.example/x"} for entry in case_answers()]
    assert "You are not signed in" in refusal(app, payload(now(), *foreign))


def test_replay_is_refused(app: App) -> None:
    content = payload(now(), *case_answers())
    take(app, "family", content)
    assert "handed over before" in refusal(app, content)


def test_hand_over_during_a_check_can_be_sent_again(app: App) -> None:
    content = payload(now(), *case_answers())
    app.context.stop.set()  # it is not waited for the check
    with app.store.locks.acquire("account family"):
        assert "is being checked at this moment" in refusal(app, content)
    app.context.stop.clear()
    assert take(app, "family", content).result.cases_read == 1


@pytest.mark.parametrize("days", [-2, 2])
def test_hand_over_with_a_time_of_another_day_is_refused(app: App, days: int) -> None:
    assert "Correct the clock" in refusal(app, payload(now() + timedelta(days=days), *case_answers()))


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"[]",
        b"<html>",
        payload(datetime(2026, 7, 9, tzinfo=UTC))[:-2],
        payload(datetime(2026, 7, 9, tzinfo=UTC), version=2),
        payload(datetime(2026, 7, 9, tzinfo=UTC), nonce="short"),
        payload(datetime(2026, 7, 9, tzinfo=UTC), answers=[{"url": 1}]),
    ],
)
def test_damaged_hand_over_is_refused(app: App, damage: bytes) -> None:
    assert "incomplete or damaged" in refusal(app, damage)


def test_every_damaged_value_is_refused_or_harmless(app: App) -> None:
    """Each value of a hand-over in turn is replaced; nothing is recorded that the portal did not say."""
    take(app, "family", payload(now(), *case_answers()))
    sound = json.loads(payload(now(), *case_answers()))
    for number, entry in enumerate(sound["answers"]):
        for key, value in product(entry, DAMAGED):
            answers = [*sound["answers"]]
            answers[number] = {**entry, key: value}
            try:
                taken = take(app, "family", payload(now(), *answers))
            except Refused:
                continue
            kinds = {change.change.kind for change in taken.result.changes}
            assert kinds <= {"portal_unreadable", "recovered"}, (key, value)


def test_portal_without_a_plan_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(folder=tmp_path)
    workspace.write('[accounts.family]\nportal = "manual"\nsite = "nvc"\ncases = ["ABC0000000001"]\n')
    with workspace.app() as app, pytest.raises(Refused, match="nothing can be handed over"):
        take(app, "family", b"{}")


def ceac(tmp_path: Path, case_number: str = "AA00000001") -> Workspace:
    workspace = Workspace(folder=tmp_path)
    workspace.write(f'[accounts.family]\nportal = "manual"\nsite = "ceac"\ncases = ["{case_number}"]\n')
    return workspace


def page(text: str) -> bytes:
    """Return a hand-over of the page that a person sees."""
    site = "https://ceac.state.gov"
    shown = {"url": f"{site}/CEACStatTracker/Status.aspx", "status": 200, "type": "text/html", "text": text}
    return payload(now(), shown, site=site)


def test_page_that_a_person_sees_after_a_captcha_is_one_check(tmp_path: Path) -> None:
    with ceac(tmp_path).app() as app:
        taken = take(app, "family", page(CEAC))
        assert [change.change.kind for change in taken.result.changes] == ["case_added"]
        later = take(app, "family", page(CEAC.replace("Administrative Processing", "Issued")))
        assert "stage_changed" in [change.change.kind for change in later.result.changes]


def test_other_page_of_the_site_is_refused(tmp_path: Path) -> None:
    with ceac(tmp_path).app() as app:
        assert "Nothing was changed" in refusal(app, page("<html><body><h1>Enter the code</h1></body></html>"))


def test_page_of_another_case_is_refused(tmp_path: Path) -> None:
    with ceac(tmp_path, "AA00000002").app() as app:
        assert "shows no case that family watches" in refusal(app, page(CEAC))
