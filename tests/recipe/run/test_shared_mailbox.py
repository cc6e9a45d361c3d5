"""Four accounts of a household, whose codes come to one mailbox, signed in at once."""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.doubles.loopback import ReceivedRequest, reply, serve
from tests.doubles.mail_server import MailServer, serving
from tests.doubles.notifier import FakeNotifier
from tests.sign_in.code_mails import letter
from watcher.app import open_app
from watcher.context.opening import read_settings
from watcher.model.account_health import ReadOutcome

NAMES = ("ann", "bob", "carl", "dora")
RECIPE = """
name = "Office"
base_url = "ORIGIN"
page_end = ""
[links]
sign_in = "https://office.example/"
help = "https://office.example/"
[[sign_in]]
post = "/login"
json = { user = "{username}", password = "{password}" }
rejected = ["status:401"]
[[sign_in]]
post = "/otp"
json = { user = "{username}", code = "{code}" }
rejected = ["status:401"]
take = { token = "json:token" }
[signed_out]
any = ["status:403"]
[cases]
get = "/cases"
headers = { Authorization = "{token}" }
each = "json:cases[*]"
case_number = "json:number"
expect = "json:cases"
[case.fields]
status = "json:status"
"""


@dataclass
class Office:
    """A portal that mails a code for every sign-in and refuses the code of another one."""

    mails: MailServer
    codes: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def handle(self, request: ReceivedRequest) -> bytes:
        if request.target == "/cases":
            number = f"IOE090000{request.headers['authorization']}"
            return _json({"cases": [{"number": number, "status": "Case Was Received"}]})
        sent = json.loads(request.body)
        user = sent["user"]
        if request.target == "/login":
            self.codes[user] = f"{len(self.codes) + 1}" * 6
            now = datetime.now(UTC)
            self.mails.deliver(letter(self.codes[user], dated=now), arrived=now)
            return _json({})
        if sent["code"] != self.codes[user]:
            self.refused.append(user)
            return reply(401)
        return _json({"token": sent["code"][:4]})


def _json(value: object) -> bytes:
    return reply(200, json.dumps(value).encode(), content_type="application/json")


def test_each_account_gets_its_own_code(tmp_path: Path) -> None:
    with serving(tmp_path) as mails, serve((office := Office(mails)).handle) as portal:
        (tmp_path / "office.toml").write_text(RECIPE.replace("ORIGIN", portal.origin))
        mailbox = (
            f'{{host = "127.0.0.1", port = {mails.port}, username = "{mails.username}", '
            f'password = "{mails.password}", ca_file = "{mails.ca_file}"}}'
        )
        accounts = (
            f'[accounts.{name}]\nportal = "recipe"\nrecipe = "office.toml"\nusername = "{name}"\n'
            f'password = "portal-pass"\nmfa = "email"\nmailbox = {mailbox}\n'
            for name in NAMES
        )
        (tmp_path / "watcher.toml").touch(mode=0o600)
        (tmp_path / "watcher.toml").write_text(
            'timezone = "UTC"\nstate_dir = "state"\n[channels.phone]\nurl = "json://phone"\n' + "".join(accounts)
        )
        outcomes = {}
        with open_app(read_settings(tmp_path / "watcher.toml", {}), notifier=FakeNotifier()) as app:

            def check(name: str) -> None:
                with suppress(BaseException):
                    outcomes[name] = app.poll(name).outcome

            threads = [threading.Thread(target=check, args=(name,)) for name in NAMES]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        assert office.refused == []
        assert outcomes == dict.fromkeys(NAMES, ReadOutcome.OK)
        assert mails.logins == len(NAMES)
