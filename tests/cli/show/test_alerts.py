"""`watcher alerts`, `ack`, `notify test`, run for real."""

import pytest

from tests.cli.workspace import Bench
from tests.support.watching import Watching
from watcher.model.alert import AlertState


class TestAlerts:
    def test_what_was_sent_is_listed_as_the_contract_has_it(self, world: Bench) -> None:
        world.check()
        (alert,) = world.run("alerts", "--json").json["alerts"]
        assert (alert["channel"], alert["state"], alert["attempts"]) == ("phone", "sent", 1)
        assert alert["change_ids"] == [1]
        assert alert["sent_at"].endswith("Z")
        assert alert["next_attempt_at"] is None
        assert alert["last_error"] is None
        assert len(world.phone.requests) == 1

    def test_a_person_sees_a_table(self, world: Bench) -> None:
        world.check()
        said = world.run("alerts")
        assert said.out.splitlines()[0].split()[:2] == ["ALERT", "CREATED"]
        assert "phone" in said.out
        assert "\x1b" not in said.out

    def test_without_any_it_says_so(self, world: Bench) -> None:
        assert world.run("alerts").out == "There are no alerts.\n"
        assert world.run("alerts", "--json").json == {"alerts": []}

    def test_they_can_be_chosen_by_state(self, world: Bench) -> None:
        world.check()
        assert world.run("alerts", "--state", "failed", "--json").json == {"alerts": []}
        assert len(world.run("alerts", "--state", "sent", "--json").json["alerts"]) == 1


class TestRetry:
    def give_up(self, world: Bench) -> None:
        """A URL that will never do: the alert is given up at once."""
        world.configure()
        world.write(world.sections.replace("json://", "no-such-service://"))
        world.check()
        with world.app() as app:
            assert app.store.outbox.counts()[AlertState.FAILED] == 1
        world.configure()

    def test_what_was_given_up_goes_out_once_the_channel_is_right(self, world: Bench) -> None:
        self.give_up(world)
        world.run("alerts", "retry")
        assert len(world.phone.requests) == 1
        with world.app() as app:
            assert app.store.outbox.counts()[AlertState.SENT] == 1

    def test_one_of_them_alone_can_be_named(self, world: Bench) -> None:
        self.give_up(world)
        world.run("alerts", "retry", "1")
        assert len(world.phone.requests) == 1

    def test_one_that_was_not_given_up_is_refused(self, world: Bench) -> None:
        world.check()
        said = world.run("alerts", "retry", "1", expect=(2,))
        assert "neither given up nor queued" in said.err
        assert len(world.phone.requests) == 1

    def test_a_channel_that_still_fails_is_told_with_status_1(self, world: Bench) -> None:
        self.give_up(world)
        world.phone.status = 500
        said = world.run("alerts", "retry", expect=(1,))
        assert "alert 1 to phone" in said.err

    def test_with_nothing_given_up_nothing_is_done(self, world: Bench) -> None:
        said = world.run("alerts", "retry")
        assert said.out == "Nothing was given up, nothing is queued.\n"


class TestAcknowledging:
    def test_an_acknowledged_alert_is_not_escalated(self, world: Bench) -> None:
        world.configure(extra=f'[channels.aunt]\nurl = "json://{world.phone.host}/aunt"\nescalate_after = "2h"\n')
        world.check()
        world.ask_for_evidence()
        world.check()
        with world.app() as app:
            (held,) = app.store.outbox.list(state=AlertState.HELD)
            told = next(each for each in app.store.outbox.list() if each.id < held.id and each.channel == "phone")
        assert set(told.change_ids) == set(held.change_ids)
        world.run("ack", str(told.id))
        with world.app() as app:
            assert app.store.outbox.counts()[AlertState.HELD] == 0
        assert [path for path, _, _ in world.phone.requests] == ["/phone", "/phone"]

    def test_an_alert_that_is_not_there_is_wrong_usage(self, world: Bench) -> None:
        said = world.run("ack", "7", expect=(2,))
        assert "there is no alert 7" in said.err


class TestNotifyTest:
    def test_every_channel_gets_one_message_past_the_outbox(self, world: Bench) -> None:
        said = world.run("notify", "test", "--json")
        assert said.json == {"channels": [{"name": "phone", "sent": True, "error": None, "worth": None}]}
        (message,) = world.phone.messages
        assert "test" in message["title"]
        assert not world.database.exists()

    def test_a_failing_one_is_told_without_its_url(self, world: Bench) -> None:
        world.phone.status = 500
        said = world.run("notify", "test", "phone", expect=(1,))
        assert "phone: not sent" in said.err
        assert world.phone.host not in said.err + said.out

    def test_what_success_is_worth_is_said_where_it_is_little(self, world: Bench) -> None:
        world.write('[channels.log]\nurl = "rsyslog://127.0.0.1:9/user"\n')
        said = world.run("notify", "test")
        assert said.out == "log: sent. Nothing confirms that a log was written.\n"

    @pytest.mark.parametrize("arguments", [("notify", "test", "pager"), ("notify", "test")])
    def test_a_channel_that_is_not_there_is_wrong_usage(self, watching: Watching, arguments: tuple[str, ...]) -> None:
        watching.write("")
        said = watching.run(*arguments, expect=(2,))
        assert "channel" in said.err
