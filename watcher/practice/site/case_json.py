"""The portal's own JSON for the scripts of its front end: the same cases as on its pages."""

from typing import Any

from watcher.clock.timestamps import iso_text
from watcher.practice.state.case_record import ActionItem, CaseRecord, local_date


def case_list(records: tuple[CaseRecord, ...], *, next_href: str | None) -> dict[str, Any]:
    """Return one page of the list; `next` is the path of the following page or null."""
    return {"cases": [_summary(record) for record in records], "next": next_href}


def case_detail(record: CaseRecord) -> dict[str, Any]:
    """Return everything that the portal shows of one case.

    Moments are UTC; appointments are in the portal's local time.
    """
    return {
        "case": {
            **_summary(record),
            "title": record.title,
            "status_text": record.status.text_en,
            "status_date": record.status.on.isoformat(),
            "filed_on": local_date(record.submitted_at).isoformat(),
            "updated_at": record.updated_at.isoformat(timespec="seconds"),
            "action_items": [_action_item(item) for item in record.items],
            "notices": [
                {
                    "id": notice.key,
                    "title": notice.title,
                    "date": notice.dated.isoformat(),
                    "url": f"/notices/{notice.key}.pdf",
                }
                for notice in record.notices
            ],
            "history": [
                {"id": event.key, "date": event.on.isoformat(), "text": event.text_en} for event in record.events
            ],
        }
    }


def _summary(record: CaseRecord) -> dict[str, Any]:
    return {"receipt_number": record.number, "form_type": record.form, "status": record.status.title_en}


def _action_item(item: ActionItem) -> dict[str, Any]:
    return {
        "id": item.key,
        "kind": item.kind,
        "title": item.title,
        "due_on": iso_text(item.due_on),
        "starts_at": item.starts_at.isoformat(timespec="minutes") if item.starts_at else None,
        "place": item.place,
        "answered": item.answered,
    }
