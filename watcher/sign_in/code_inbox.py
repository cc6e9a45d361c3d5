"""Submitted codes, kept until the daemon takes them: one small file per account, sealed like its session."""

import json
from datetime import datetime

from watcher.clock.timestamps import iso_text, parse_utc
from watcher.sign_in.session_files import SessionFiles
from watcher.text.json import load_or_none

_PURPOSE = "code"


class FileInbox:
    """A `CodeInbox` of files, through which `watcher code` reaches a daemon in another process."""

    def __init__(self, files: SessionFiles) -> None:
        """Keep codes in the folder of the sessions."""
        self._files = files

    def put(self, account: str, code: str, *, at: datetime) -> None:
        """Store a code for the account, replacing an earlier one. `at` is aware, UTC."""
        self._files.of(account, _PURPOSE).save(json.dumps({"code": code, "at": iso_text(at)}).encode())

    def take(self, account: str, *, not_before: datetime) -> str | None:
        """Remove the account's code and return it if it was stored at `not_before` or later; else None."""
        file = self._files.of(account, _PURPOSE)
        content = file.load()
        if content is None:
            return None
        file.delete()
        try:
            entry = load_or_none(content)
            code, at = str(entry["code"]), parse_utc(entry["at"])
        except (ValueError, KeyError, TypeError):
            return None  # not written by `put`: wait for another code
        return code if at >= not_before else None
