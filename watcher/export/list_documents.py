"""JSON documents of what published lists say about a case."""

from typing import Any

from watcher.clock.timestamps import iso_text
from watcher.model.priority import Priority
from watcher.reference.inquiry_dates import InquiryStanding
from watcher.reference.lists import BULLETIN_PAGE, INQUIRY_PAGE, CaseLists
from watcher.reference.place_in_line import PlaceInLine


def lists_document(of_case: CaseLists) -> dict[str, Any]:
    """Return the keys `inquiry` and `place_in_line` of a case as in `watcher status --json`."""
    return {
        "inquiry": of_case.inquiry and _inquiry_document(of_case.inquiry),
        "place_in_line": of_case.place and _place_document(of_case.place),
    }


def priority_document(priority: Priority | None) -> dict[str, Any] | None:
    """Return the priority date of a case as in `watcher status --json`."""
    if priority is None:
        return None
    return {"category": priority.category, "country": priority.country, "date": iso_text(priority.day)}


def _inquiry_document(standing: InquiryStanding) -> dict[str, Any]:
    return {
        "state": standing.state.value,
        "received_on": iso_text(standing.received_on),
        "inquiry_date": iso_text(standing.day),
        "as_of": iso_text(standing.as_of),
        "source": standing.source,
        "old": standing.is_old,
        "page": INQUIRY_PAGE,
    }


def _place_document(place: PlaceInLine) -> dict[str, Any]:
    return {
        "bulletin": place.bulletin,
        "accepted_chart": place.accepted and place.accepted.value,
        "source": place.source,
        "old": place.is_old,
        "page": BULLETIN_PAGE,
        "charts": [
            {
                "chart": one.chart.value,
                "column": one.column,
                "cutoff": one.cutoff.kind.value,
                "cutoff_on": iso_text(one.cutoff.day),
                "current": one.is_current,
                "days_behind": one.days_behind,
                "moved_days_in_12_bulletins": one.moved_days,
                "months_at_this_pace": one.months_at_this_pace,
            }
            for one in place.charts
        ],
    }
