"""Submitted codes, stored until the daemon takes them, whichever machine it runs on."""

import json
from datetime import UTC, datetime, timedelta

from watcher.clock.timestamps import iso_text, parse_utc
from watcher.sign_in.shared_value import SharedValues
from watcher.text.json import load_or_none

CODE, EXPECTED = "code", "code expected"
"""The purposes of the values."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_LONGEST_WAIT = timedelta(minutes=30)
"""No wait lasts longer, also by another machine's clock. What is further in the future is from a wrong clock."""


class StoredInbox:
    """A `CodeInbox` in the database, through which `watcher code` reaches a daemon in another process."""

    def __init__(self, values: SharedValues) -> None:
        """Keep codes beside the sessions."""
        self._values = values

    def put(self, account: str, code: str, *, at: datetime) -> None:
        """Store a code for the account, replacing an earlier one. `at` is aware, UTC.

        A sign-in that waits takes it, although this machine's clock may be behind that of the other.
        """
        asked_at, _ = self._wait(account)
        stored_at = asked_at if at < asked_at <= at + _LONGEST_WAIT else at
        content = json.dumps({"code": code, "at": iso_text(stored_at)}).encode()
        self._values.of(account, CODE).update(lambda _: content)

    def begin_wait(self, account: str, *, asked_at: datetime, until: datetime) -> None:
        """Record that a sign-in waits for a code that was asked for at `asked_at` (both aware, UTC)."""
        content = json.dumps({"asked_at": iso_text(asked_at), "until": iso_text(until)}).encode()
        self._values.of(account, EXPECTED).update(lambda _: content)

    def end_wait(self, account: str) -> None:
        """Record that no sign-in waits for a code."""
        self._values.of(account, EXPECTED).update(lambda _: None)

    def is_expected(self, account: str, *, now: datetime) -> bool:
        """Return whether a sign-in waits for a code of the account."""
        _, until = self._wait(account)
        return now < until <= now + _LONGEST_WAIT

    def take(self, account: str, *, not_before: datetime, now: datetime) -> str | None:
        """Remove the account's code and return it if it was stored at `not_before` or later; else None.

        A code dated much later than `now` is from a clock that was wrong.
        """
        value = self._values.of(account, CODE)
        if value.load() is None:
            return None
        taken: list[bytes | None] = []

        def take(content: bytes | None) -> None:
            taken.append(content)

        value.update(take)
        try:
            entry = load_or_none(taken[0])
            code, at = str(entry["code"]), parse_utc(entry["at"])
        except (ValueError, KeyError, TypeError):
            return None  # not written by `put`: wait for another code
        return code if not_before <= at <= now + _LONGEST_WAIT else None

    def _wait(self, account: str) -> tuple[datetime, datetime]:
        """Return when the code was asked for that a sign-in waits for, and until when; long ago if none waits."""
        try:
            entry = load_or_none(self._values.of(account, EXPECTED).load())
            return parse_utc(entry["asked_at"]), parse_utc(entry["until"])
        except (ValueError, KeyError, TypeError):
            return _LONG_AGO, _LONG_AGO
