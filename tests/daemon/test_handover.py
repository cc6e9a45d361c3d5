"""The reminder to hand over comes from a real daemon in the evening, on a clock that is set; never at night."""

from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.daemon.running_daemon import running_daemon
from tests.doubles.set_clock import set_clock
from tests.doubles.uscis_answers import body, case
from tests.servers.webhook import webhook
from tests.support.waiting import eventually
from tests.support.workspace import Workspace
from watcher.model.change import ChangeKind

ZONE = ZoneInfo("America/New_York")  # of the workspace
ACCOUNT = """
[accounts.family]
portal = "uscis"
sign_in = "handover"
remind_at = "{at}"
[channels.phone]
url = "json://{host}/phone"
"""


def test_late_machine_reminds_in_the_next_evening(tmp_path: Path) -> None:
    clock, begin = set_clock(tmp_path), datetime.now(ZONE)
    at = time((begin.hour + 6) % 24)
    evening = datetime.combine(begin.date() + timedelta(days=3), at, ZONE)
    with webhook() as phone:
        workspace = Workspace(folder=tmp_path, environ=clock.environ)
        workspace.write(ACCOUNT.format(at=f"{at:%H:%M}", host=phone.host))
        Path(tmp_path, "case.json").write_bytes(body(case()))
        workspace.run("import", "family", "case.json")
        phone.requests.clear()
        with running_daemon(workspace) as daemon:
            daemon.until_it_rests()
            clock.move(evening + timedelta(hours=3) - datetime.now(ZONE))
            assert eventually(lambda: daemon.log.count("account_checked") == 1), daemon.log
            daemon.until_it_rests()
            assert phone.messages == []
            clock.move(evening + timedelta(days=1, minutes=1) - datetime.now(ZONE))
            assert eventually(lambda: phone.messages), daemon.log
            (message,) = phone.messages
            assert message["title"] == "USCIS: Not handed over for 4 days"
            daemon.until_it_rests()
    with workspace.app() as app:
        assert [change.change.kind for change in app.store.history(accounts=["family"])] == [
            ChangeKind.LOOK_REMINDER,
            ChangeKind.CASE_ADDED,
        ]
