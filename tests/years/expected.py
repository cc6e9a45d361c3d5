"""The messages of the five years, derived from the story and the contract only, without the program.

Every row has the changes that one check finds for one case: the day, the hour (UTC), and the changes, each with its
severity (`!` urgent, `*` important, `.` routine) and the number of the case. `+` marks the first contact, which goes to
every channel at once.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from tests.years.in_memory import Message

_NEW_YORK = ZoneInfo("America/New_York")

_CHANGES = """
2026-02-02 17  +1 case_added, +2 case_added
2026-02-02 17  *2 item_added
2026-02-06 17  !2 deadline_near 14d
2026-02-10 17  !2 deadline_near 18d
2026-02-14 17  !2 deadline_near 14d
2026-02-21 17  !2 deadline_near 7d
2026-02-25 17  !2 deadline_near 3d
2026-02-27 17  !2 deadline_near 1d
2026-03-01 17  !2 deadline_passed -1d
2026-03-02 17  !1 appointment_scheduled, *1 stage_changed
2026-03-03 17  .2 item_closed
2026-03-10 05  !1 appointment_changed
2026-03-31 17  !1 deadline_near 7d
2026-04-06 17  !1 deadline_near 1d
2026-04-08 17  .1 item_closed, *1 stage_changed
2026-04-15 17  *2 stalled 90d
2026-05-15 17  *2 stalled 120d
2026-05-16 05  !2 appointment_scheduled, *2 stage_changed
2026-07-07 17  *1 stalled 90d
2026-08-06 17  *1 stalled 120d
2026-08-13 17  *2 stalled 90d
2026-08-15 17  !2 appointment_cancelled, *2 stage_changed
2026-08-20 17  .1 silent_update
2026-09-05 17  *1 stalled 150d
2026-10-05 17  *1 stalled 180d
2026-10-12 17  !1 rfe_received, *1 stage_changed
2026-11-13 17  *2 stalled 90d
2026-12-08 17  !1 deadline_near 30d
2026-12-13 17  *2 stalled 120d
2026-12-24 17  !1 deadline_near 14d
2026-12-31 17  !1 deadline_near 7d
2027-01-10 17  *1 stalled 90d
2027-01-12 17  *2 stalled 150d
2027-01-20 17  .1 item_closed, *1 stage_changed
2027-02-11 17  *2 stalled 180d
2027-02-20 11  !2 stage_changed
2027-04-20 17  *1 stalled 90d
2027-05-03 17  .3 case_added
2027-05-20 17  *1 stalled 120d
2027-06-19 17  *1 stalled 150d
2027-07-19 17  *1 stalled 180d
2027-08-18 17  *1 stalled 210d
2027-08-31 17  *3 stalled 120d
2027-09-17 17  *1 stalled 240d
2027-09-30 17  *3 stalled 150d
2027-10-05 17  !3 rfe_received, *3 stage_changed
2027-10-17 17  *1 stalled 270d
2027-11-15 17  !1 appointment_scheduled, *1 stage_changed
2027-11-28 17  !3 deadline_near 30d
2027-12-13 05  !1 appointment_changed
2027-12-13 11  !1 appointment_changed
2027-12-14 17  !3 deadline_near 14d
2027-12-21 17  !3 deadline_near 7d
2027-12-25 17  !3 deadline_near 3d
2027-12-27 17  !3 deadline_near 1d
2027-12-29 17  !3 deadline_passed -1d
2028-01-10 17  .3 item_closed, *3 stage_changed
2028-01-26 17  !1 deadline_near 7d
2028-02-01 17  !1 deadline_near 1d
2028-02-03 17  .1 item_closed, *1 stage_changed
2028-05-03 17  *1 stalled 90d
2028-05-09 17  *3 stalled 120d
2028-05-25 17  *3 item_added
2028-05-29 17  !3 deadline_near 14d
2028-06-20 17  *1 stalled 138d
2028-06-20 17  !3 deadline_passed -8d, *3 stalled 162d
2028-06-28 17  .3 item_closed, *3 stage_changed
2028-07-20 17  *1 stalled 168d
2028-08-19 17  *1 stalled 198d
2028-09-18 17  *1 stalled 228d
2028-09-25 17  *1 stage_changed
"""

_SUPERSEDED = {
    # An urgent alert about a later change was sent before the Sunday digest.
    ("brother", "2026-05-15", "2 stalled 120d"),
    ("brother", "2026-08-13", "2 stalled 90d"),
    # The interview moved twice in one night; at seven only the second change is sent.
    ("grandma", "2027-12-13 05", "1 appointment_changed"),
}


def expected_messages() -> list[Message]:
    """Return every expected message, ordered by time."""
    messages = [message for row in _CHANGES.strip().splitlines() for message in _messages(row)]
    sundays = [message for message in messages if message.channel == "brother" and _is_sunday_at_nine(message.at)]
    others = [message for message in messages if message not in sundays]
    for at, group in groupby(sundays, key=lambda message: message.at):
        others.append(
            Message(at, "brother", tuple(description for message in group for description in message.contents))
        )
    return sorted(others)


def _messages(row: str) -> list[Message]:
    time, _, changes_text = row.partition("  ")
    at = datetime.strptime(time, "%Y-%m-%d %H").replace(tzinfo=UTC)
    changes = [(change[0], change[1:]) for change in changes_text.strip().split(", ")]
    if changes[0][0] == "+":
        contents = tuple(description for _, description in changes)
        return [Message(at, channel, contents) for channel in ("phone", "grandma", "brother", "lawyer")]
    urgent = any(severity == "!" for severity, _ in changes)
    notable = tuple(description for severity, description in changes if severity in "!*")
    all_changes = tuple(description for _, description in changes)
    messages = [Message(at if urgent else _next_sunday_at_nine(at), "brother", all_changes)]
    if notable:
        messages += [
            Message(at if urgent else _outside_quiet_hours(at), "phone", notable),
            Message(_outside_quiet_hours(at), "grandma", notable),
        ]
    if urgent:
        messages.append(Message(at + timedelta(hours=2), "lawyer", notable))
    return [
        message for message in messages if not any(_matches(message, time, superseded) for superseded in _SUPERSEDED)
    ]


def _matches(message: Message, time: str, superseded: tuple[str, str, str]) -> bool:
    channel, from_time, description = superseded
    return message.channel == channel and time.startswith(from_time) and message.contents == (description,)


def _outside_quiet_hours(at: datetime) -> datetime:
    """Return seven in the morning for a change before that. This story has no change after ten in the evening."""
    wall = at.astimezone(_NEW_YORK)
    return at if wall.hour >= 7 else _new_york(wall.date(), 7)


def _next_sunday_at_nine(at: datetime) -> datetime:
    day = at.astimezone(_NEW_YORK).date()
    while day.isoweekday() != 7 or _new_york(day, 9) <= at:
        day += timedelta(days=1)
    return _new_york(day, 9)


def _is_sunday_at_nine(at: datetime) -> bool:
    wall = at.astimezone(_NEW_YORK)
    return (wall.isoweekday(), wall.hour) == (7, 9)


def _new_york(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=_NEW_YORK).astimezone(UTC)
