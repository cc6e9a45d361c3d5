"""A workspace with a case watched at a local Case Status API, and one channel."""

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
    """A watched case at a local Case Status API, and a channel that is a small web server."""

    api: CaseStatusApi
    origin: str
    phone: Webhook

    def configure(self, extra: str = "", *, secret: str = "made-up-secret", channel: str = "") -> None:
        """Write one account with one case, and one channel for every severity. `extra` is appended."""
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
        """Check once and deliver the alerts in this process, to prepare a test."""
        with self.app() as app:
            result = app.poll("family")
            app.outbox_worker().deliver_due()
        return result

    def ask_for_evidence(self) -> None:
        """Make the portal show a request for evidence."""
        self.api.cases[RECEIPT] = case_status(RECEIPT, "Request for Additional Evidence Was Sent")


@contextmanager
def api_workspace(folder: Path) -> Iterator[ApiWorkspace]:
    """Start everything and yield the workspace. The portal shows the case as received."""
    api = CaseStatusApi()
    api.add_cases(RECEIPT)
    with running(api) as portal, webhook() as phone:
        workspace = ApiWorkspace(folder=folder, api=api, origin=portal.origin, phone=phone)
        workspace.configure()
        yield workspace
