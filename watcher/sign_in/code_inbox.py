"""Submitted codes, stored until the daemon takes them, whichever machine it runs on."""

import json
from datetime import datetime

from watcher.clock.timestamps import iso_text, parse_utc
from watcher.sign_in.shared_value import SharedValues
from watcher.text.json import load_or_none

_PURPOSE = "code"


class StoredInbox:
    """A `CodeInbox` in the database, through which `watcher code` reaches a daemon in another process."""

    def __init__(self, values: SharedValues) -> None:
        """Keep codes beside the sessions."""
        self._values = values

    def put(self, account: str, code: str, *, at: datetime) -> None:
        """Store a code for the account, replacing an earlier one. `at` is aware, UTC."""
        content = json.dumps({"code": code, "at": iso_text(at)}).encode()
        self._values.of(account, _PURPOSE).update(lambda _: content)

    def take(self, account: str, *, not_before: datetime) -> str | None:
        """Remove the account's code and return it if it was stored at `not_before` or later; else None."""
        value = self._values.of(account, _PURPOSE)
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
