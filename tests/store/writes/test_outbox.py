"""Alerts wait in the outbox until a channel has delivered them."""

from datetime import timedelta
from threading import Thread

from sqlalchemy import Connection, event

from tests.store.temporary_store import NOW, NUMBER, TemporaryStore, a_change, a_draft, record_alerts
from watcher.model.alert import Alert, AlertState, HoldReason
from watcher.model.change import ChangeKind, Severity

LATER = NOW + timedelta(hours=2)


def states(temporary: TemporaryStore) -> list[str]:
    return [alert.state.value for alert in reversed(temporary.store.outbox.list())]


def held_alerts(temporary: TemporaryStore) -> list[Alert]:
    return list(temporary.store.outbox.list(state=AlertState.HELD))


def only_alert(temporary: TemporaryStore) -> Alert:
    (alert,) = temporary.store.outbox.list()
    return alert


def test_due_alerts_are_oldest_first_and_not_early(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft("one"), a_draft("two", at=LATER, hold=HoldReason.QUIET))
    record_alerts(temporary.store, a_draft("three"))
    outbox = temporary.store.outbox
    assert [queued.alert.title for queued in outbox.due(NOW)] == ["one", "three"]
    assert [queued.alert.title for queued in outbox.due(LATER)] == ["one", "two", "three"]
    assert states(temporary) == ["queued", "held", "queued"]
    assert outbox.next_due() == NOW


def test_sent_alert_is_never_due_again(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft())
    temporary.store.outbox.mark_sent([1], NOW)
    alert = only_alert(temporary)
    assert (alert.state, alert.attempts, alert.sent_at) == (AlertState.SENT, 1, NOW)
    assert temporary.store.outbox.due(LATER) == []
    assert temporary.store.outbox.next_due() is None
    assert temporary.store.outbox.messages_since("phone", NOW) == 1


def test_alerts_sent_during_a_transaction_take_one_more_transaction(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft("one"), a_draft("two", channel="aunt"), a_draft("three", channel="lawyer"))
    outbox, engine = temporary.store.outbox, temporary.store._database.engine
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
    assert states(temporary) == ["sent", "sent", "sent"]
    assert commits == 2


def test_failed_attempt_waits_for_the_next_with_its_reason(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft())
    temporary.store.outbox.mark_failed([1], "no", now=NOW, next_attempt_at=LATER)
    alert = only_alert(temporary)
    assert (alert.state, alert.attempts, alert.last_error) == (AlertState.QUEUED, 1, "no")
    assert temporary.store.outbox.due(NOW) == []


def test_failed_alert_is_counted_and_retried_from_the_start(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft())
    temporary.store.outbox.mark_failed([1], "no", now=NOW, next_attempt_at=None)
    assert temporary.store.outbox.counts()[AlertState.FAILED] == 1
    assert temporary.store.outbox.due(LATER) == []
    assert temporary.store.outbox.retry(NOW) == 1
    assert (only_alert(temporary).state, only_alert(temporary).attempts) == (AlertState.QUEUED, 0)


def test_sent_or_held_alert_cannot_be_retried(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft(), a_draft(hold=HoldReason.QUIET, at=LATER))
    temporary.store.outbox.mark_sent([1], NOW)
    assert temporary.store.outbox.retry(NOW) == 0
    assert temporary.store.outbox.retry(NOW, 7) == 0


def test_postponing_does_not_count_as_an_attempt(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft())
    temporary.store.outbox.postpone([1], LATER)
    assert (only_alert(temporary).attempts, only_alert(temporary).next_attempt_at) == (0, LATER)


def test_dropped_alert_is_not_sent_and_names_the_one_that_made_it_untrue(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft(hold=HoldReason.DIGEST, at=LATER))
    temporary.store.outbox.drop({1: 7}, note="came untrue")
    alert = only_alert(temporary)
    assert (alert.state, alert.sent_at, alert.covered_by, alert.note) == (AlertState.DROPPED, None, 7, "came untrue")
    assert temporary.store.outbox.due(LATER) == []


def test_several_alerts_are_dropped_at_once(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft("a"), a_draft("b"), a_draft("c"))
    temporary.store.outbox.drop({1: 3, 2: 3}, note="came untrue")
    assert [alert.covered_by for alert in reversed(temporary.store.outbox.list())] == [3, 3, None]


def test_messages_are_counted_not_the_alerts_in_them(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, *(a_draft(title) for title in "abcd"))
    temporary.store.outbox.mark_sent([1, 2, 3], NOW)
    temporary.store.outbox.drop({4: 1}, note="came untrue")
    assert temporary.store.outbox.messages_since("phone", NOW) == 1
    assert [alert.covered_by for alert in reversed(temporary.store.outbox.list())] == [None, 1, 1, 1]


def test_urgent_alerts_are_due_first(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft("a"), a_draft("b", severity=Severity.URGENT), a_draft("c"))
    assert [queued.alert.title for queued in temporary.store.outbox.due(NOW)] == ["b", "a", "c"]
    assert temporary.store.outbox.has_urgent("phone", NOW, after=1)
    assert not temporary.store.outbox.has_urgent("phone", NOW, after=2)


def test_channel_fails_since_its_first_refusal_after_the_last_accepted_message(temporary: TemporaryStore) -> None:
    outbox, minute = temporary.store.outbox, timedelta(minutes=1)
    record_alerts(temporary.store, *(a_draft(title) for title in "abc"))
    assert outbox.failing_since("phone") is None
    outbox.mark_failed([1], "no", now=NOW, next_attempt_at=LATER)
    outbox.mark_failed([1], "no", now=NOW + minute, next_attempt_at=LATER)
    assert outbox.failing_since("phone") == NOW
    outbox.mark_sent([2], NOW + 2 * minute)
    assert outbox.failing_since("phone") is None
    assert outbox.last_accepted_at("phone") == NOW + 2 * minute
    outbox.mark_failed([3], "no", now=NOW + 3 * minute, next_attempt_at=None)
    assert outbox.failing_since("phone") == NOW + 3 * minute


def test_acknowledged_alert_is_not_escalated_and_others_are(temporary: TemporaryStore) -> None:
    record_alerts(
        temporary.store, a_draft("a"), a_draft("a again", channel="aunt", at=LATER, hold=HoldReason.ESCALATION)
    )
    record_alerts(
        temporary.store, a_draft("b"), a_draft("b again", channel="aunt", at=LATER, hold=HoldReason.ESCALATION)
    )
    assert temporary.store.outbox.acknowledge(1, NOW)
    assert [alert.title for alert in held_alerts(temporary)] == ["b again"]
    assert temporary.store.outbox.acknowledge(9, NOW) is False


def test_acknowledging_does_not_shorten_quiet_hours(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft("a"), a_draft("a later", channel="aunt", at=LATER, hold=HoldReason.QUIET))
    temporary.store.outbox.acknowledge(1, NOW)
    assert len(held_alerts(temporary)) == 1


def test_done_item_is_not_escalated(temporary: TemporaryStore) -> None:
    change = a_change(ChangeKind.RFE_RECEIVED, subject="rfe")
    record_alerts(
        temporary.store, a_draft(), a_draft(channel="aunt", at=LATER, hold=HoldReason.ESCALATION), change=change
    )
    temporary.store.outbox.acknowledge_subject("family", NUMBER, "another", NOW)
    assert len(held_alerts(temporary)) == 1
    temporary.store.outbox.acknowledge_subject("family", NUMBER, "rfe", NOW)
    assert held_alerts(temporary) == []
