"""JSON documents for `--json`, made from the data classes."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from watcher.clock.timestamps import iso_text, utc_text
from watcher.export.list_documents import lists_document, priority_document
from watcher.language.due_estimates import extended_day
from watcher.model.account_health import AccountHealth
from watcher.model.alert import Alert
from watcher.model.appointment_time import time_json
from watcher.model.change import RecordedChange
from watcher.model.ledger import DueSource, TrackedCase, TrackedItem, TrackedNotice
from watcher.reference.lists import CaseLists
from watcher.settings import AccountSettings

if TYPE_CHECKING:
    from watcher.model.account_health import ReadResult


def account_document(
    account: AccountSettings,
    health: AccountHealth | None,
    next_read_at: Any,
    *,
    caution: str = "",
    session_ends_at: datetime | None = None,
) -> dict[str, Any]:
    """Return an account as in `watcher status --json`. `caution` is what a portal says of it, such as `sandbox`."""
    return {
        "name": account.name,
        "portal": account.portal,
        "state": health.state.value if health else "never_read",
        "last_attempt_at": utc_text(health.last_attempt_at) if health else None,
        "last_read_at": utc_text(health.last_read_at) if health else None,
        "next_read_at": utc_text(next_read_at),
        "session_ends_at": utc_text(session_ends_at),
        "last_error": health.last_error if health else None,
        "caution": caution or None,
    }


def case_document(case: TrackedCase, *, stalled: bool, lists: CaseLists) -> dict[str, Any]:
    """Return a case as in `watcher status --json`. `lists` is what published lists say about it."""
    snapshot = case.snapshot
    return {
        "account": case.account,
        "case_number": case.case_number,
        "label": case.label,
        "person": case.person,
        "finished": case.finished,
        "priority": priority_document(case.priority),
        "form": snapshot.form if snapshot else None,
        "title": snapshot.title if snapshot else None,
        "stage": snapshot.stage.value if snapshot else "unknown",
        "status": snapshot.status if snapshot else None,
        "description": snapshot.description if snapshot else None,
        "status_since": iso_text(snapshot.status_since) if snapshot else None,
        "stage_since": iso_text(case.stage_since),
        "submitted_on": iso_text(snapshot.submitted_on) if snapshot else None,
        "last_read_at": utc_text(case.last_read_at),
        "stalled": stalled,
        "missing": case.missing_reads > 0,
        **lists_document(lists),
        "parts": [
            {"key": part.key, "title": part.title, "status": part.status}
            for part in (snapshot.parts or () if snapshot else ())
        ],
        "pending": [item_document(item) for item in case.items],
        "notices": [notice_document(notice) for notice in case.notices],
    }


def item_document(item: TrackedItem, *, with_case: bool = False) -> dict[str, Any]:
    """Return a pending item as in `watcher status --json`, or `with_case` as in `watcher pending --json`."""
    case = {"account": item.account, "case_number": item.case_number} if with_case else {}
    return case | {
        "id": str(item.id),
        "kind": item.item.kind.value,
        "title": item.item.title,
        "due_on": iso_text(item.letter_due_on or item.item.due_on),
        "due_by_estimate": iso_text(item.item.due_by_estimate),
        "due_from": item.due[1].value if item.due else None,
        "estimate_runs_until": iso_text(_runs_until(item)),
        **time_json(item.item.starts_at),
        "place": item.item.place,
        "state": item.state.value,
        "first_seen_at": utc_text(item.first_seen_at),
    }


def _runs_until(item: TrackedItem) -> date | None:
    """Return the business day until which a computed period runs; None if it ends on one, or does not count."""
    if item.due is None or item.due[1] is not DueSource.ESTIMATE:
        return None
    return extended_day(item.item.kind, item.due[0])


def notice_document(tracked: TrackedNotice, *, with_case: bool = False) -> dict[str, Any]:
    """Return a notice as in `watcher status --json`, or `with_case` as in `watcher notices --json`."""
    case = {"account": tracked.account, "case_number": tracked.case_number} if with_case else {}
    return case | {
        "id": str(tracked.id),
        "title": tracked.notice.title,
        "dated": iso_text(tracked.notice.dated),
        "saved_as": tracked.saved_as,
        "sha256": tracked.sha256,
    }


def change_document(recorded: RecordedChange) -> dict[str, Any]:
    """Return a change as in `watcher history --json`."""
    change = recorded.change
    return {
        "id": recorded.id,
        "at": utc_text(recorded.at),
        "account": recorded.account or None,
        "case_number": change.case_number,
        "kind": change.kind.value,
        "severity": change.severity.value,
        "summary": recorded.summary,
        "old": change.old,
        "new": change.new,
    }


def alert_document(alert: Alert) -> dict[str, Any]:
    """Return an alert as in `watcher alerts --json`."""
    return {
        "id": alert.id,
        "change_ids": list(alert.change_ids),
        "channel": alert.channel,
        "state": alert.state.value,
        "severity": alert.severity.value,
        "title": alert.title,
        "attempts": alert.attempts,
        "created_at": utc_text(alert.created_at),
        "next_attempt_at": utc_text(alert.next_attempt_at),
        "sent_at": utc_text(alert.sent_at),
        "last_error": alert.last_error,
        "note": alert.note,
        "covered_by": alert.covered_by,
    }


def read_result_document(result: "ReadResult") -> dict[str, Any]:
    """Return the result of a check as in `watcher check --json`."""
    return {
        "name": result.account,
        "outcome": result.outcome.value,
        "cases_read": result.cases_read,
        "changes": [change_document(change) for change in result.changes],
        "error": result.error,
    }
