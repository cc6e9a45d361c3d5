"""`watcher alerts`, `ack`, `notify test`, run for real."""

import pytest

from tests.cli.api_workspace import ApiWorkspace
from tests.support.workspace import Workspace
from watcher.model.alert import AlertState


class TestAlerts:
    def test_what_was_sent_is_listed_as_the_contract_has_it(self, workspace: ApiWorkspace) -> None:
        workspace.check()
        (alert,) = workspace.run("alerts", "--json").json["alerts"]
        assert (alert["channel"], alert["state"], alert["attempts"]) == ("phone", "sent", 1)
        assert alert["change_ids"] == [1]
        assert alert["sent_at"].endswith("Z")
        assert alert["next_attempt_at"] is None
        assert alert["last_error"] is None
        assert len(workspace.phone.requests) == 1

    def test_a_person_sees_a_table(self, workspace: ApiWorkspace) -> None:
        workspace.check()
        said = workspace.run("alerts")
        assert said.out.splitlines()[0].split()[:2] == ["ALERT", "CREATED"]
        assert "phone" in said.out
        assert "\x1b" not in said.out

    def test_without_any_it_says_so(self, workspace: ApiWorkspace) -> None:
        assert workspace.run("alerts").out == "There are no alerts.\n"
        assert workspace.run("alerts", "--json").json == {"alerts": []}

    def test_they_can_be_chosen_by_state(self, workspace: ApiWorkspace) -> None:
        workspace.check()
        assert workspace.run("alerts", "--state", "failed", "--json").json == {"alerts": []}
        assert len(workspace.run("alerts", "--state", "sent", "--json").json["alerts"]) == 1


class TestRetry:
    def give_up(self, workspace: ApiWorkspace) -> None:
        """A URL that will never do: the alert is given up at once."""
        workspace.configure()
        workspace.write(workspace.sections.replace("json://", "no-such-service://"))
        workspace.check()
        with workspace.app() as app:
            assert app.store.outbox.counts()[AlertState.FAILED] == 1
        workspace.configure()

    def test_what_was_given_up_goes_out_once_the_channel_is_right(self, workspace: ApiWorkspace) -> None:
        self.give_up(workspace)
        workspace.run("alerts", "retry")
        assert len(workspace.phone.requests) == 1
        with workspace.app() as app:
            assert app.store.outbox.counts()[AlertState.SENT] == 1

    def test_one_of_them_alone_can_be_named(self, workspace: ApiWorkspace) -> None:
        self.give_up(workspace)
        workspace.run("alerts", "retry", "1")
        assert len(workspace.phone.requests) == 1

    def test_one_that_was_not_given_up_is_refused(self, workspace: ApiWorkspace) -> None:
        workspace.check()
        said = workspace.run("alerts", "retry", "1", expect=(2,))
        assert "neither given up nor queued" in said.err
        assert len(workspace.phone.requests) == 1

    def test_a_channel_that_still_fails_is_told_with_status_1(self, workspace: ApiWorkspace) -> None:
        self.give_up(workspace)
        workspace.phone.status = 500
        said = workspace.run("alerts", "retry", expect=(1,))
        assert "alert 1 to phone" in said.err

    def test_with_nothing_given_up_nothing_is_done(self, workspace: ApiWorkspace) -> None:
        said = workspace.run("alerts", "retry")
        assert said.out == "Nothing was given up, nothing is queued.\n"


class TestAcknowledging:
    def test_an_acknowledged_alert_is_not_escalated(self, workspace: ApiWorkspace) -> None:
        workspace.configure(
            extra=f'[channels.aunt]\nurl = "json://{workspace.phone.host}/aunt"\nescalate_after = "2h"\n'
        )
        workspace.check()
        workspace.ask_for_evidence()
        workspace.check()
        with workspace.app() as app:
            (held,) = app.store.outbox.list(state=AlertState.HELD)
            told = next(each for each in app.store.outbox.list() if each.id < held.id and each.channel == "phone")
        assert set(told.change_ids) == set(held.change_ids)
        workspace.run("ack", str(told.id))
        with workspace.app() as app:
            assert app.store.outbox.counts()[AlertState.HELD] == 0
        assert [path for path, _, _ in workspace.phone.requests] == ["/phone", "/phone"]

    def test_an_alert_that_is_not_there_is_wrong_usage(self, workspace: ApiWorkspace) -> None:
        said = workspace.run("ack", "7", expect=(2,))
        assert "there is no alert 7" in said.err


class TestNotifyTest:
    def test_every_channel_gets_one_message_past_the_outbox(self, workspace: ApiWorkspace) -> None:
        said = workspace.run("notify", "test", "--json")
        assert said.json == {"channels": [{"name": "phone", "sent": True, "error": None, "worth": None}]}
        (message,) = workspace.phone.messages
        assert "test" in message["title"]
        assert not workspace.database.exists()

    def test_a_failing_one_is_told_without_its_url(self, workspace: ApiWorkspace) -> None:
        workspace.phone.status = 500
        said = workspace.run("notify", "test", "phone", expect=(1,))
        assert "phone: not sent" in said.err
        assert workspace.phone.host not in said.err + said.out

    def test_what_success_is_worth_is_said_where_it_is_little(self, workspace: ApiWorkspace) -> None:
        workspace.write('[channels.log]\nurl = "rsyslog://127.0.0.1:9/user"\n')
        said = workspace.run("notify", "test")
        assert said.out == "log: sent. Nothing confirms that a log was written.\n"

    @pytest.mark.parametrize("arguments", [("notify", "test", "pager"), ("notify", "test")])
    def test_a_channel_that_is_not_there_is_wrong_usage(
        self, empty_workspace: Workspace, arguments: tuple[str, ...]
    ) -> None:
        empty_workspace.write("")
        said = empty_workspace.run(*arguments, expect=(2,))
        assert "channel" in said.err
