"""Submitted codes, stored until the daemon takes them, whichever machine it runs on."""

import json
from datetime import datetime

from watcher.clock.timestamps import iso_text, parse_utc
from watcher.sign_in.shared_value import SharedValues
from watcher.text.json import load_or_none

CODE, EXPECTED = "code", "code expected"
"""The purposes of the values."""


class StoredInbox:
    """A `CodeInbox` in the database, through which `watcher code` reaches a daemon in another process."""

    def __init__(self, values: SharedValues) -> None:
        """Keep codes beside the sessions."""
        self._values = values

    def put(self, account: str, code: str, *, at: datetime) -> None:
        """Store a code for the account, replacing an earlier one. `at` is aware, UTC."""
        content = json.dumps({"code": code, "at": iso_text(at)}).encode()
        self._values.of(account, CODE).update(lambda _: content)

    def expect(self, account: str, *, until: datetime | None) -> None:
        """Record that a sign-in waits for a code until then (aware, UTC), or with None that it no longer does."""
        content = None if until is None else iso_text(until).encode()
        self._values.of(account, EXPECTED).update(lambda _: content)

    def is_expected(self, account: str, *, now: datetime) -> bool:
        """Return whether a sign-in waits for a code of the account."""
        try:
            return parse_utc((self._values.of(account, EXPECTED).load() or b"").decode()) > now
        except ValueError:
            return False

    def take(self, account: str, *, not_before: datetime) -> str | None:
        """Remove the account's code and return it if it was stored at `not_before` or later; else None."""
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
        return code if at >= not_before else None
