"""Made-up lists in the shapes of the published ones."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from watcher.model.priority import Priority
from watcher.reference.inquiry_dates import InquiryDates, parse_inquiry_dates
from watcher.reference.rows import Origin
from watcher.reference.visa_bulletin import Bulletins, parse_bulletins

TODAY = date(2026, 9, 10)
ORIGIN = Origin(name="data.example.org", saved_on=TODAY)
MINE = Priority(category="EB2", country="IN", day=date(2014, 1, 15))
INQUIRY = """form,subtype,office,inquiry_date,as_of
I-485,Employment-based,NBC,2025-02-01,2026-09-01
I-485,Family-based,NBC,2025-06-01,2026-09-01
I-765,,,2026-01-10,2026-09-01
I-130,,California Service Center,2024-05-05,2026-09-01
I-90,,,,2026-09-01
"""


def cell(
    month: str, value: str, *, chart: str = "final_action", category: str = "EB2", country: str = "IN"
) -> dict[str, str]:
    """Return one row of the open data set. `value` is a day, `C`, or `U`."""
    status = {"C": "current", "U": "unavailable"}.get(value, "date")
    day = value if status == "date" else ""
    kind = "family" if category.startswith("F") else "employment"
    place = {"bulletin": month, "chart": chart, "kind": kind, "category": category, "country": country}
    return place | {"status": status, "date": day}


def months(last: str, values: Mapping[str, str], **place: str) -> list[dict[str, str]]:
    """Return rows for the months in `values`; `last` is the newest one."""
    assert max(values) == last
    return [cell(month, value, **place) for month, value in values.items()]


def data_set(*rows: dict[str, str]) -> bytes:
    return json.dumps(list(rows)).encode()


def bulletins(*rows: dict[str, str]) -> Bulletins:
    return parse_bulletins(data_set(*rows), ORIGIN)


def inquiry_dates(text: str = INQUIRY) -> InquiryDates:
    return parse_inquiry_dates(text.encode(), ORIGIN)


def damaged_copies(value: Any) -> list[Any]:
    """Return the value with each of its nodes replaced by something of no use, one at a time, and removed."""
    junk: tuple[Any, ...] = (None, True, 0, -1, 1e300, "", "?", "\ud83d\ude00" * 50, [], {}, [[]], {"rows": 5})
    copies: list[Any] = list(junk)
    if isinstance(value, dict):
        for key in value:
            copies.append({name: entry for name, entry in value.items() if name != key})
            copies += [{**value, key: copy} for copy in damaged_copies(value[key])]
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            copies.append(value[:index] + value[index + 1 :])
            copies += [[*value[:index], copy, *value[index + 1 :]] for copy in damaged_copies(entry)]
    return copies
