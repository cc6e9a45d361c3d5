import json

from pydantic import SecretStr

from tests.servers.webhook import webhook
from watcher.delivery.apprise_notifier import AppriseNotifier


def test_webhook_receives_title_and_body_as_json() -> None:
    with webhook() as hook:
        AppriseNotifier().send(
            SecretStr(f"json://reader:letmein@{hook.host}/hooks/cases"), title="T", body="B", html="<p>B</p>", short="S"
        )
        ((path, headers, body),) = hook.requests
    assert path == "/hooks/cases"
    assert headers["Authorization"].startswith("Basic ")
    assert {key: json.loads(body)[key] for key in ("title", "message")} == {"title": "T", "message": "B"}
