"""Every moment that the database stores, and what becomes of it after the clock was ahead. Pure.

No moment is right because it is stored: the clock may have been ahead when it was written (a dead battery, a resumed
virtual machine), and then it lies in the future until the clock gets there. `RULES` names every column with a moment or
day. A test fails for a column that is missing here.

Moments outside the database have their rules where they are used:

- A session lasts until the portal ends it, whatever the expiry of its cookies. A saved token of `uscis-api` is used for
  a day at most and replaced once the API refuses it. The expiry in a token of `ircc` is its issuer's.
- A TOTP step in the future delays one code by one period when its time comes.
- `watcher.sign_in.code_inbox` does not return a code that was handed in in the future.
- `watcher.store.backup.rotation` renames backups from the future, so that they count as made now.
- `watcher.privacy.private_file` removes temporary files from the future as it does old ones.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count


class Rule(StrEnum):
    """What becomes of a moment that lies in the future.

    `happened`: it becomes now. `reminded`: the reminder counts as not sent, if the clock was ahead by enough to make it
    wrong. `planned`: it becomes the latest moment that can be planned now. `first_day`: it becomes today, unless it is
    the portal's. `given`: it stays, because a person entered it.
    """

    HAPPENED = "happened"
    REMINDED = "reminded"
    PLANNED = "planned"
    FIRST_DAY = "first_day"
    GIVEN = "given"


RULES: Mapping[str, Mapping[str, Rule]] = {
    "account": {
        "first_seen_at": Rule.HAPPENED,
        "last_attempt_at": Rule.HAPPENED,
        "last_read_at": Rule.HAPPENED,
        "next_read_at": Rule.PLANNED,
        "failing_since": Rule.HAPPENED,
        "not_before": Rule.PLANNED,
    },
    "case": {
        "first_seen_at": Rule.HAPPENED,
        "last_read_at": Rule.HAPPENED,
        "stage_since": Rule.FIRST_DAY,
        "silent_update_at": Rule.HAPPENED,
    },
    "user_case": {"finished_at": Rule.HAPPENED, "priority_on": Rule.GIVEN},
    "published_list": {"tried_at": Rule.HAPPENED, "fetched_at": Rule.HAPPENED},
    "change": {"at": Rule.HAPPENED},
    "item": {"first_seen_at": Rule.HAPPENED, "letter_due_on": Rule.GIVEN, "date_changed_at": Rule.HAPPENED},
    "notice": {"first_seen_at": Rule.HAPPENED},
    "alert": {
        "created_at": Rule.HAPPENED,
        "next_attempt_at": Rule.PLANNED,
        "sent_at": Rule.HAPPENED,
        "acknowledged_at": Rule.HAPPENED,
        "first_attempt_at": Rule.HAPPENED,
        "claimed_until": Rule.PLANNED,
        "service_rests_until": Rule.PLANNED,
    },
    "answer": {"at": Rule.HAPPENED},
    "reminder": {"at": Rule.REMINDED},
    "submission": {"at": Rule.HAPPENED},
    "web_key": {"created_at": Rule.HAPPENED, "last_seen_at": Rule.HAPPENED},
    "passkey": {"created_at": Rule.HAPPENED, "last_used_at": Rule.HAPPENED},
    "push_subscription": {"created_at": Rule.HAPPENED},
}
"""The rule of each column, by table. The days of `quota` are text: requests of future days count as sent today."""


def columns_with(*rules: Rule) -> Iterable[tuple[str, str]]:
    """Yield table and column of every moment with one of these rules."""
    for table, columns in RULES.items():
        for column, rule in columns.items():
            if rule in rules:
                yield table, column


def moved_to(now: datetime, moments: Iterable[datetime]) -> dict[datetime, datetime]:
    """Return for each moment what it becomes if it must not be later than `now`.

    The last one becomes `now` and each earlier one a microsecond less, so that they keep their order: whether a channel
    accepted a message before or after it refused one decides whether it is failing.
    """
    return {
        moment: now - timedelta(microseconds=before)
        for before, moment in zip(count(), sorted(set(moments), reverse=True), strict=False)
    }
