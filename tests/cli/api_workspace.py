"""A case watched at the Case Status API on loopback, for commands to speak of, and a phone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.doubles.case_status_api import CaseStatusApi, case_status, running
from tests.servers.webhook import Webhook, webhook
from tests.support.workspace import Workspace
from watcher.model.account_health import ReadResult

RECEIPT = "IOE0000000001"


@dataclass(slots=True, kw_only=True)
class ApiWorkspace(Workspace):
    """A watched case at the Case Status API on loopback, and a phone that is a small web server."""

    api: CaseStatusApi
    origin: str
    phone: Webhook

    def configure(self, extra: str = "", *, secret: str = "made-up-secret", channel: str = "") -> None:
        """One account with one case, and one channel that wants everything; `extra` goes below."""
        self.write(f"""
[schedule]
jitter = "0"

[stall]
after = "0"

[accounts.family]
portal = "uscis-api"
client_id = "made-up-id"
client_secret = "{secret}"
cases = ["{RECEIPT}"]
base_url = "{self.origin}"
every = "4h"

[channels.phone]
url = "json://{self.phone.host}/phone"
min_severity = "routine"
{channel}
{extra}
""")

    def check(self) -> ReadResult:
        """One read and its alerts, within this process: what a test begins with, not what it is about."""
        with self.app() as app:
            done = app.poll("family")
            app.outbox_worker().deliver_due()
        return done

    def ask_for_evidence(self) -> None:
        """From now on the portal shows a request for evidence."""
        self.api.cases[RECEIPT] = case_status(RECEIPT, "Request for Additional Evidence Was Sent")


@contextmanager
def api_workspace(folder: Path) -> Iterator[ApiWorkspace]:
    """Everything running; the case is known to the portal as received."""
    api = CaseStatusApi()
    api.add_cases(RECEIPT)
    with running(api) as portal, webhook() as phone:
        made = ApiWorkspace(folder=folder, api=api, origin=portal.origin, phone=phone)
        made.configure()
        yield made
