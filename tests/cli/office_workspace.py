"""A workspace whose cases are recorded as by a check, but without a portal, for commands that show what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.workspace import Workspace
from watcher.model.case import Snapshot
from watcher.model.change import RecordedChange
from watcher.portal import CaseRead
from watcher.reading.recorder import ReadRecorder

_ACCOUNT = """
[accounts."{name}"]
portal = "uscis"
sign_in = "session"
"""


@dataclass(slots=True, kw_only=True)
class OfficeWorkspace(Workspace):
    """Accounts at USCIS, and one channel that nothing is sent to."""

    accounts: Sequence[str] = ("family",)

    def configure(self, extra: str = "") -> None:
        """Write the accounts and the channel. `extra` is appended."""
        accounts = "".join(_ACCOUNT.format(name=name) for name in self.accounts)
        self.write(f'{accounts}\n[channels.phone]\nurl = "json://127.0.0.1:9/phone"\n{extra}')

    def check(self, *snapshots: Snapshot, account: str = "family") -> Sequence[RecordedChange]:
        """Record a complete check of an account that returned these cases."""
        with self.app() as app:
            recorder = ReadRecorder(app.settings.accounts[account], app.portal_of(account), app.context)
            for snapshot in snapshots:
                recorder.record(CaseRead(snapshot=snapshot))
            return recorder.finish().changes
