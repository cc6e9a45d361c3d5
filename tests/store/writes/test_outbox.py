"""Alerts wait in the books until a channel has taken them."""

from datetime import timedelta
from threading import Thread

from sqlalchemy import Connection, event

from tests.store.temporary_store import NOW, NUMBER, TemporaryStore, a_change, a_draft, record_alerts
from watcher.model.alert import Alert, AlertState, HoldReason
from watcher.model.change import ChangeKind

LATER = NOW + timedelta(hours=2)


def states(kept: TemporaryStore) -> list[str]:
    return [alert.state.value for alert in reversed(kept.store.outbox.list())]


def held(kept: TemporaryStore) -> list[Alert]:
    return list(kept.store.outbox.list(state=AlertState.HELD))


def only(kept: TemporaryStore) -> Alert:
    (alert,) = kept.store.outbox.list()
    return alert


def test_what_is_due_comes_oldest_first_and_nothing_before_its_time(kept: TemporaryStore) -> None:
    record_alerts(kept.store, a_draft("one"), a_draft("two", at=LATER, hold=HoldReason.QUIET))
    record_alerts(kept.store, a_draft("three"))
    outbox = kept.store.outbox
    assert [waiting.alert.title for waiting in outbox.due(NOW)] == ["one", "three"]
    assert [waiting.alert.title for waiting in outbox.due(LATER)] == ["one", "two", "three"]
    assert states(kept) == ["queued", "held", "queued"]
    assert outbox.next_due() == NOW


def test_what_was_sent_is_never_due_again(kept: TemporaryStore) -> None:
    record_alerts(kept.store, a_draft())
    kept.store.outbox.mark_sent([1], NOW)
    alert = only(kept)
    assert (alert.state, alert.attempts, alert.sent_at) == (AlertState.SENT, 1, NOW)
    assert kept.store.outbox.due(LATER) == []
    assert kept.store.outbox.next_due() is None
    assert kept.store.outbox.sent_since("phone", NOW) == 1


def test_what_channels_take_while_one_is_written_down_takes_one_transaction_more(kept: TemporaryStore) -> None:
    record_alerts(kept.store, a_draft("one"), a_draft("two", channel="aunt"), a_draft("three", channel="lawyer"))
    outbox, engine = kept.store.outbox, kept.store._database.engine
    others = [Thread(target=outbox.mark_sent, args=([alert_id], NOW)) for alert_id in (2, 3)]
    commits = 0

    def meanwhile(_: Connection) -> None:
        nonlocal commits
        commits += 1
        if commits == 1:
            for other in others:
                other.start()
            while len(outbox._unsaved) < 3:
                others[0].join(0.01)

    event.listen(engine, "commit", meanwhile)
    outbox.mark_sent([1], NOW)
    for other in others:
        other.join()
    assert states(kept) == ["sent", "sent", "sent"]
    assert commits == 2


def test_a_failed_attempt_waits_for_the_next_and_says_why(kept: TemporaryStore) -> None:
    record_alerts(kept.store, a_draft())
    kept.store.outbox.mark_failed([1], "no", next_attempt_at=LATER)
    alert = only(kept)
    assert (alert.state, alert.attempts, alert.last_error) == (AlertState.QUEUED, 1, "no")
    assert kept.store.outbox.due(NOW) == []


def test_what_was_given_up_is_seen_and_taken_up_again_from_the_start(kept: TemporaryStore) -> None:
    record_alerts(kept.store, a_draft())
    kept.store.outbox.mark_failed([1], "no", next_attempt_at=None)
    assert kept.store.outbox.counts()[AlertState.FAILED] == 1
    assert kept.store.outbox.due(LATER) == []
    assert kept.store.outbox.retry(NOW) == 1
    assert (only(kept).state, only(kept).attempts) == (AlertState.QUEUED, 0)


def test_what_was_sent_or_is_held_back_cannot_be_retried(kept: TemporaryStore) -> None:
    record_alerts(kept.store, a_draft(), a_draft(hold=HoldReason.QUIET, at=LATER))
    kept.store.outbox.mark_sent([1], NOW)
    assert kept.store.outbox.retry(NOW) == 0
    assert kept.store.outbox.retry(NOW, 7) == 0


def test_waiting_longer_is_no_attempt(kept: TemporaryStore) -> None:
    record_alerts(kept.store, a_draft())
    kept.store.outbox.postpone([1], LATER)
    assert (only(kept).attempts, only(kept).next_attempt_at) == (0, LATER)


def test_what_need_not_go_out_any_more_counts_as_told(kept: TemporaryStore) -> None:
    record_alerts(kept.store, a_draft(hold=HoldReason.DIGEST, at=LATER))
    kept.store.outbox.drop([1], NOW, note="came untrue")
    assert only(kept).state is AlertState.SENT
    assert kept.rows("SELECT note FROM alert") == [("came untrue",)]


def test_an_alert_that_somebody_has_seen_is_not_escalated_and_others_are(kept: TemporaryStore) -> None:
    record_alerts(kept.store, a_draft("a"), a_draft("a again", channel="aunt", at=LATER, hold=HoldReason.ESCALATION))
    record_alerts(kept.store, a_draft("b"), a_draft("b again", channel="aunt", at=LATER, hold=HoldReason.ESCALATION))
    assert kept.store.outbox.acknowledge(1, NOW)
    assert [alert.title for alert in held(kept)] == ["b again"]
    assert kept.store.outbox.acknowledge(9, NOW) is False


def test_quiet_hours_are_not_shortened_by_having_seen_it_elsewhere(kept: TemporaryStore) -> None:
    record_alerts(kept.store, a_draft("a"), a_draft("a later", channel="aunt", at=LATER, hold=HoldReason.QUIET))
    kept.store.outbox.acknowledge(1, NOW)
    assert len(held(kept)) == 1


def test_an_item_that_is_done_is_not_escalated(kept: TemporaryStore) -> None:
    change = a_change(ChangeKind.RFE_RECEIVED, subject="rfe")
    record_alerts(kept.store, a_draft(), a_draft(channel="aunt", at=LATER, hold=HoldReason.ESCALATION), change=change)
    kept.store.outbox.acknowledge_subject("family", NUMBER, "another", NOW)
    assert len(held(kept)) == 1
    kept.store.outbox.acknowledge_subject("family", NUMBER, "rfe", NOW)
    assert held(kept) == []
