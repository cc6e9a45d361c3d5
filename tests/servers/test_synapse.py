"""Matrix through Synapse (https://github.com/element-hq/synapse), read back through the client API."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from tests.servers.running import free_port, program, running
from watcher.delivery.apprise_notifier import AppriseNotifier
from watcher.delivery.channel_url import delivery_caveat
from watcher.errors import DeliveryFailed

pytestmark = pytest.mark.servers

BIN = Path("synapse/bin")
CONFIGURATION = """
server_name: localhost
report_stats: false
pid_file: {folder}/synapse.pid
signing_key_path: {folder}/signing.key
media_store_path: {folder}/media
registration_shared_secret: only-for-tests
macaroon_secret_key: only-for-tests
form_secret: only-for-tests
trusted_key_servers: []
federation_domain_whitelist: []
database: {{name: sqlite3, args: {{database: "{folder}/synapse.db"}}}}
listeners: [{{port: {port}, type: http, bind_addresses: ["127.0.0.1"], resources: [{{names: [client]}}]}}]
rc_login: {{address: {{per_second: 100, burst_count: 100}}, account: {{per_second: 100, burst_count: 100}},
            failed_attempts: {{per_second: 100, burst_count: 100}}}}
"""


@dataclass
class Synapse:
    port: int
    token: str = ""
    room: str = field(default="", init=False)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/_matrix/client/v3{path}",
            method=method,
            data=json.dumps(body or {}).encode() if method != "GET" else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            found: dict[str, Any] = json.load(answer)
        return found

    def messages(self) -> list[dict[str, Any]]:
        found = self.ask("GET", f"/rooms/{quote(self.room)}/messages?dir=b&limit=20")
        return [event["content"] for event in found["chunk"] if event["type"] == "m.room.message"]


@pytest.fixture(scope="module")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    python, register = program("python", under=BIN), program("register_new_matrix_user", under=BIN)
    folder = tmp_path_factory.mktemp("synapse")
    server = Synapse(port=free_port())
    config = folder / "homeserver.yaml"
    config.write_text(CONFIGURATION.format(folder=folder, port=server.port))
    run = [python, "-m", "synapse.app.homeserver", "--config-path", str(config)]
    subprocess.run([*run, "--generate-keys"], cwd=folder, check=True, capture_output=True)
    with running(run, port=server.port, folder=folder):
        person = [register, "-u", "bot", "-p", "botpw", "--no-admin", "-c", str(config)]
        subprocess.run([*person, f"http://127.0.0.1:{server.port}"], check=True, capture_output=True)
        who = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": "bot"}, "password": "botpw"}
        server.token = server.ask("POST", "/login", who)["access_token"]
        server.room = server.ask("POST", "/createRoom", {"room_alias_name": "cases"})["room_id"]
        yield server


def send(url: str) -> None:
    AppriseNotifier().send(
        SecretStr(url), title="Case moved", body="Approved, *not* bold", html="<p>x</p>", short="short"
    )


def test_message_is_visible_in_the_room(synapse: Synapse) -> None:
    send(f"matrix://bot:botpw@127.0.0.1:{synapse.port}/#cases")
    assert any("Approved, *not* bold" in message["body"] for message in synapse.messages())


def test_wrong_password_is_a_failure(synapse: Synapse) -> None:
    with pytest.raises(DeliveryFailed) as failed:
        send(f"matrix://bot:canary-password@127.0.0.1:{synapse.port}/#cases")
    assert "canary-password" not in str(failed.value)


def test_missing_room_is_created_and_the_caveat_says_so(synapse: Synapse) -> None:
    url = f"matrix://bot:botpw@127.0.0.1:{synapse.port}/#mistyped"
    send(url)
    assert synapse.ask("GET", f"/directory/room/{quote('#mistyped:localhost')}")["room_id"] != synapse.room
    assert "creates a room that does not exist" in (delivery_caveat(SecretStr(url)) or "")
