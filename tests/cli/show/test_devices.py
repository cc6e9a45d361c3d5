"""Commands show a device that gets alerts like a channel of the configuration, and name one that is gone."""

from pathlib import Path

from tests.delivery.test_web_push import add_device, subscribed
from tests.doubles.push_service import push_service
from tests.store.temporary_store import TemporaryStore
from tests.support.workspace import Workspace

ACCOUNT = (
    '[accounts.embassy]\nportal = "manual"\nsite = "ceac"\ncases = ["AA00EXAMPL"]\n[web]\nlisten = "127.0.0.1:8788"\n'
)


def test_commands_see_a_device_and_name_it_when_it_is_gone(tmp_path: Path) -> None:
    with push_service(tmp_path) as push:
        workspace = Workspace(folder=tmp_path, environ={"REQUESTS_CA_BUNDLE": str(push.ca_file)})
        workspace.write(ACCOUNT)
        with workspace.app() as app:
            browser, target = subscribed(push, app.settings)
            store = TemporaryStore(url=f"sqlite:///{workspace.database}", store=app.store, folder=tmp_path)
            add_device(store, app.settings, target)
        assert "phone" in workspace.run("notify", "plan").out
        assert workspace.run("notify", "test", "--json").json["channels"][0]["name"] == "phone"
        assert browser.received[0].alert["title"] == "case-watcher: test alert"
        assert "no longer gets alerts" not in workspace.run("status").out
        push.end(browser)
        workspace.run("check", expect=(1,))
        assert "phone no longer gets alerts." in workspace.run("status").out
        assert "phone" not in workspace.run("notify", "plan").out
