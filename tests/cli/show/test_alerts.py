"""`watcher alerts`, `ack`, and `notify test` as real commands."""

import pytest

from tests.cli.api_workspace import ApiWorkspace
from tests.support.workspace import Workspace
from watcher.model.alert import AlertState


class TestAlerts:
    def test_sent_alert_is_listed_as_documented(self, workspace: ApiWorkspace) -> None:
        workspace.check()
        (alert,) = workspace.run("alerts", "--json").json["alerts"]
        assert (alert["channel"], alert["state"], alert["attempts"]) == ("phone", "sent", 1)
        assert alert["change_ids"] == [1]
        assert alert["sent_at"].endswith("Z")
        assert alert["next_attempt_at"] is None
        assert alert["last_error"] is None
        assert len(workspace.phone.requests) == 1

    def test_alerts_are_shown_as_a_table(self, workspace: ApiWorkspace) -> None:
        workspace.check()
        result = workspace.run("alerts")
        assert result.out.splitlines()[0].split()[:2] == ["ALERT", "CREATED"]
        assert "phone" in result.out
        assert "\x1b" not in result.out

    def test_no_alerts_is_reported(self, workspace: ApiWorkspace) -> None:
        assert workspace.run("alerts").out == "There are no alerts.\n"
        assert workspace.run("alerts", "--json").json == {"alerts": []}

    def test_alerts_are_filtered_by_state(self, workspace: ApiWorkspace) -> None:
        workspace.check()
        assert workspace.run("alerts", "--state", "failed", "--json").json == {"alerts": []}
        assert len(workspace.run("alerts", "--state", "sent", "--json").json["alerts"]) == 1


class TestRetry:
    def create_failed_alert(self, workspace: ApiWorkspace) -> None:
        """Make an alert fail permanently with a URL that no service supports."""
        workspace.configure()
        workspace.write(workspace.sections.replace("json://", "no-such-service://"))
        workspace.check()
        with workspace.app() as app:
            assert app.store.outbox.counts()[AlertState.FAILED] == 1
        workspace.configure()

    def test_failed_alert_is_sent_after_the_channel_is_corrected(self, workspace: ApiWorkspace) -> None:
        self.create_failed_alert(workspace)
        workspace.run("alerts", "retry")
        assert len(workspace.phone.requests) == 1
        with workspace.app() as app:
            assert app.store.outbox.counts()[AlertState.SENT] == 1

    def test_one_alert_can_be_retried(self, workspace: ApiWorkspace) -> None:
        self.create_failed_alert(workspace)
        workspace.run("alerts", "retry", "1")
        assert len(workspace.phone.requests) == 1

    def test_sent_alert_cannot_be_retried(self, workspace: ApiWorkspace) -> None:
        workspace.check()
        result = workspace.run("alerts", "retry", "1", expect=(2,))
        assert "has not failed and is not waiting" in result.err
        assert len(workspace.phone.requests) == 1

    def test_channel_that_still_fails_exits_with_1(self, workspace: ApiWorkspace) -> None:
        self.create_failed_alert(workspace)
        workspace.phone.status = 500
        result = workspace.run("alerts", "retry", expect=(1,))
        assert "alert 1 to phone" in result.err

    def test_nothing_to_retry_is_reported(self, workspace: ApiWorkspace) -> None:
        result = workspace.run("alerts", "retry")
        assert result.out == "No alert has failed, and none is waiting.\n"


class TestAck:
    def test_acknowledged_alert_is_not_escalated(self, workspace: ApiWorkspace) -> None:
        workspace.configure(
            extra=f'[channels.aunt]\nurl = "json://{workspace.phone.host}/aunt"\nescalate_after = "2h"\n'
        )
        workspace.check()
        workspace.ask_for_evidence()
        workspace.check()
        with workspace.app() as app:
            (held_alert,) = app.store.outbox.list(state=AlertState.HELD)
            sent = next(
                alert for alert in app.store.outbox.list() if alert.id < held_alert.id and alert.channel == "phone"
            )
        assert set(sent.change_ids) == set(held_alert.change_ids)
        workspace.run("ack", str(sent.id))
        with workspace.app() as app:
            assert app.store.outbox.counts()[AlertState.HELD] == 0
        first_contact = ["/aunt", "/phone"]
        assert sorted(path for path, _, _ in workspace.phone.requests) == [*first_contact, "/phone"]

    def test_unknown_alert_is_wrong_usage(self, workspace: ApiWorkspace) -> None:
        result = workspace.run("ack", "7", expect=(2,))
        assert "There is no alert 7" in result.err


class TestNotifyTest:
    def test_every_channel_gets_one_message_without_the_outbox(self, workspace: ApiWorkspace) -> None:
        result = workspace.run("notify", "test", "--json")
        assert result.json == {"channels": [{"name": "phone", "sent": True, "error": None, "worth": None}]}
        (message,) = workspace.phone.messages
        assert "test" in message["title"]
        assert not workspace.database.exists()

    def test_failing_channel_is_reported_without_its_url(self, workspace: ApiWorkspace) -> None:
        workspace.phone.status = 500
        result = workspace.run("notify", "test", "phone", expect=(1,))
        assert "phone: not sent" in result.err
        assert workspace.phone.host not in result.err + result.out

    def test_caveat_of_an_unconfirmed_delivery_is_shown(self, workspace: ApiWorkspace) -> None:
        workspace.write('[channels.log]\nurl = "rsyslog://127.0.0.1:9/user"\n')
        result = workspace.run("notify", "test")
        assert result.out == "log: sent. Nothing confirms that a log was written.\n"

    @pytest.mark.parametrize("arguments", [("notify", "test", "pager"), ("notify", "test")])
    def test_unknown_channel_is_wrong_usage(self, empty_workspace: Workspace, arguments: tuple[str, ...]) -> None:
        empty_workspace.write("")
        result = empty_workspace.run(*arguments, expect=(2,))
        assert "channel" in result.err


def test_one_alert_is_shown_with_its_text_and_changes(workspace: ApiWorkspace) -> None:
    workspace.check()
    workspace.ask_for_evidence()
    workspace.check()
    sent = workspace.phone.messages[-1]
    shown = workspace.run("alerts", "show", "2").out
    for part in (sent["title"], *sent["message"].splitlines(), "phone", "SMS: ", "USCIS asks for evidence"):
        assert part in shown
    document = workspace.run("alerts", "show", "#2", "--json").json
    assert (document["id"], document["state"], document["attempts"], document["channel"]) == (2, "sent", 1, "phone")
    assert (document["title"], document["body"]) == (sent["title"], sent["message"])
    assert [change["id"] for change in document["changes"]] == document["change_ids"]
    assert "There is no alert 99" in workspace.run("alerts", "show", "99", expect=(2,)).err
