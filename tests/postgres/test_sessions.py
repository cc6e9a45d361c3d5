"""Accounts with a session, checked by several machines with one database, each with a state folder of its own."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from tests.doubles.ircc import CLIENT_ID, PASSWORD, UCI, Cognito, Tracker, TrackerServers, immigration, run_tracker
from tests.doubles.uscis import FakeUscis, running_uscis
from tests.postgres.installations import running_daemon
from tests.postgres.server import rows_in
from tests.servers.webhook import webhook
from tests.support.waiting import eventually
from tests.support.webhook_workspace import WebhookWorkspace, page_account
from watcher.clock import SystemClock
from watcher.model.account_health import AccountState, ReadOutcome
from watcher.model.alert import AlertState
from watcher.practice import Account, PracticePortal
from watcher.practice.state.terms import Terms
from watcher.sign_in.totp import StoredUsedSteps, TotpCodes, parse_totp_secret

NUMBER = "EAC9999000001"


@contextmanager
def machines(
    folder: Path, url: str, accounts: str, *, keys: Iterable[str] = ("", "")
) -> Iterator[list[WebhookWorkspace]]:
    """Set up a machine for each state key. An empty key is not set."""
    with webhook() as phone:
        made = []
        for index, key in enumerate(keys):
            machine = WebhookWorkspace(folder=folder / f"machine{index}", phone=phone, accounts=accounts)
            machine.folder.mkdir(parents=True)
            state_key = f'state_key = "{key}"\n' if key else ""
            machine.schedule = f'database_url = "{url}"\n{state_key}[schedule]\njitter = "0"'
            machine.configure()
            made.append(machine)
        yield made


@pytest.fixture
def portal() -> Iterator[PracticePortal]:
    """A portal that allows one session at a time, with a password alone."""
    with PracticePortal(SystemClock(), account=Account(totp_secret=None), terms=Terms(one_session=True)) as portal:
        portal.cases.add(NUMBER).set_status("Case Was Received", in_history=True)
        yield portal


def sign_ins(portal: PracticePortal) -> int:
    return sum((request.method, request.path) == ("POST", "/login") for request in portal.requests)


@pytest.fixture
def uscis() -> Iterator[FakeUscis]:
    with running_uscis() as running:
        yield running


def uscis_account(uscis: FakeUscis, more: str = "") -> str:
    return (
        f'[accounts.family]\nportal = "uscis"\nusername = "someone@example.org"\nbase_url = "{uscis.origin}"\n'
        f'auth_url = "{uscis.auth}"\n{more}\n'
    )


def ircc_account(servers: TrackerServers, name: str) -> str:
    return (
        f'[accounts.{name}]\nportal = "ircc"\nprogram = "immigration"\nusername = "{UCI}"\n'
        f'password = "{PASSWORD}"\nclient_id = "{CLIENT_ID}"\n'
        f'base_url = "{servers.api.origin}"\nauth_url = "{servers.auth.origin}"\n'
    )


def imports_cookies(machine: WebhookWorkspace, uscis: FakeUscis, *, expect: Iterable[int] = (0,)) -> str:
    """Hand over a browser's session with `watcher login --cookies`. Return what the command said."""
    file = machine.folder / "cookies.json"
    file.write_bytes(uscis.cookie_file())
    ran = machine.run("login", "family", "--cookies", str(file), expect=tuple(expect))
    return ran.out + ran.err


def state_of(machine: WebhookWorkspace) -> AccountState:
    with machine.app() as app:
        return app.store.accounts.all()["family"][0].state


def test_session_imported_on_one_machine_serves_the_others(tmp_path: Path, url: str, uscis: FakeUscis) -> None:
    with machines(tmp_path, url, uscis_account(uscis)) as (one, other):
        imports_cookies(one, uscis)
        (account,) = other.check()["accounts"]
        assert (account["outcome"], account["cases_read"]) == ("ok", 1)
        assert state_of(one) is AccountState.OK
        assert not (one.state / "sessions").exists()
        other.run("forget", "family")
        (account,) = one.check(expect=(1,))["accounts"]
        assert account["outcome"] == "session_ended"


def test_daemons_share_the_one_session_that_a_portal_allows(tmp_path: Path, url: str, portal: PracticePortal) -> None:
    with machines(tmp_path, url, page_account(portal)) as both, ExitStack() as stack:
        app = stack.enter_context(both[0].app())
        for machine in both:
            stack.enter_context(running_daemon(machine))
        for turn in range(1, 3):
            assert eventually(lambda turn=turn: lists(portal) >= turn)  # type: ignore[misc]
            assert eventually(lambda: is_ahead(app.store.accounts.next_read("family")))
            app.store.accounts.set_next_read("family", app.clock.now())
        assert sign_ins(portal) == 1
        assert app.store.accounts.all()["family"][0].state is AccountState.OK


def lists(portal: PracticePortal) -> int:
    return sum((request.method, request.path) == ("GET", "/cases") for request in portal.requests)


def is_ahead(moment: datetime | None) -> bool:
    return moment is not None and moment > datetime.now(UTC) + timedelta(hours=1)


def test_each_machine_uses_the_session_that_the_other_one_renewed(
    tmp_path: Path, url: str, portal: PracticePortal
) -> None:
    with machines(tmp_path, url, page_account(portal)) as (one, other), one.app() as app, other.app() as app2:
        for index, current in enumerate((app, app2, app, app2)):
            if index == 2:
                portal.desk.revoke_sessions()
            assert current.poll("family").outcome is ReadOutcome.OK
        assert sign_ins(portal) == 2


def test_sign_ins_are_counted_across_machines(tmp_path: Path, url: str, portal: PracticePortal) -> None:
    accounts = page_account(portal) + "max_sign_ins_per_day = 3\n"
    with machines(tmp_path, url, accounts) as (one, other), one.app() as app, other.app() as app2:
        outcomes = []
        for _ in range(3):
            for current in (app, app2):
                portal.desk.revoke_sessions()
                outcomes.append(current.poll("family").outcome)
        assert outcomes[:3] == [ReadOutcome.OK] * 3
        assert set(outcomes[3:]) == {ReadOutcome.FAILED}
        assert sign_ins(portal) == 3


def test_tokens_of_ircc_are_shared(tmp_path: Path, url: str) -> None:
    tracker = Tracker(program="immigration", cognito=Cognito(now=SystemClock().now))
    tracker.applications["E000000001"] = immigration("E000000001")
    with run_tracker(tracker) as servers:
        with (
            machines(tmp_path, url, ircc_account(servers, "family")) as (one, other),
            one.app() as app,
            other.app() as app2,
        ):
            assert app.poll("family").outcome is ReadOutcome.OK
            assert app2.poll("family").outcome is ReadOutcome.OK
            tracker.cognito.id_tokens.clear()
            assert app2.poll("family").outcome is ReadOutcome.OK
            assert app.poll("family").outcome is ReadOutcome.OK
        assert (len(tracker.cognito.submitted_passwords), len(tracker.cognito.refreshes)) == (1, 1)


def test_one_time_code_is_used_by_one_machine_only(tmp_path: Path, url: str) -> None:
    accounts = (
        '[accounts.family]\nportal = "uscis"\nusername = "someone@example.org"\npassword = "made-up"\n'
        'sign_in = "browser"\nmfa = "totp"\ntotp_secret = "JBSWY3DPEHPK3PXP"\n'
    )
    codes: list[str] = []
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    with machines(tmp_path, url, accounts) as (one, other), one.app() as app, other.app() as app2:

        def sign_in(steps: StoredUsedSteps) -> None:
            times = [now]

            def wait(seconds: float) -> bool:
                times[0] += timedelta(seconds=seconds)
                return False

            secret = parse_totp_secret("JBSWY3DPEHPK3PXP")
            codes.append(TotpCodes(secret, used=steps, wait=wait, now=lambda: times[0]).code(asked_at=now))

        steps = [StoredUsedSteps(a.sealed_values(a.settings.accounts["family"])[1]) for a in (app, app2)]
        threads = [Thread(target=sign_in, args=(each,)) for each in steps * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(codes)) == len(codes) == 4


def test_code_given_on_one_machine_reaches_the_daemon_on_the_other(tmp_path: Path, url: str, uscis: FakeUscis) -> None:
    with machines(tmp_path, url, uscis_account(uscis)) as (one, other), one.app() as app:
        asked_at = app.clock.now() + timedelta(minutes=2)  # its clock is ahead of that of the other
        app.inbox.begin_wait("family", asked_at=asked_at, until=asked_at + timedelta(minutes=10))
        assert "code received" in other.run("code", "family", "012345").out
        assert b"012345" not in b"".join(bytes(row[0]) for row in rows_in(url, "SELECT content FROM sealed"))
        assert app.inbox.take("family", not_before=asked_at, now=app.clock.now()) == "012345"
        assert app.inbox.take("family", not_before=asked_at, now=app.clock.now()) is None
        app.inbox.end_wait("family")
        assert not app.inbox.is_expected("family", now=app.clock.now())


def test_letter_is_attached_by_the_machine_that_saved_it_and_said_to_be_elsewhere_on_the_others(
    tmp_path: Path, url: str, portal: PracticePortal
) -> None:
    with machines(tmp_path, url, page_account(portal)) as both:
        for machine in both:
            machine.write(f"{machine.sections}attach_notices = true\n")
        with both[0].app() as app, both[1].app() as other:
            app.poll("family")
            app.outbox_worker().deliver_due()
            portal.cases[NUMBER].add_notice("Interview")
            app.poll("family")
            assert other.outbox_worker().deliver_due() == 0  # in its place it waits for the one with the letter
            (alert,) = app.store.outbox.list(state=AlertState.QUEUED)
            assert eventually(lambda: app.outbox_worker().deliver_due() == 1)
            assert both[0].phone.messages[-1]["attachments"]
            assert app.store.outbox.list(state=AlertState.SENT)[0].id == alert.id
        assert "not on this machine" not in both[0].run("notices").out
        assert "(not on this machine)" in both[1].run("notices").out
        (notice,) = both[1].run("notices", "--json").json["notices"]
        assert "not on this machine" in both[1].run("notices", "open", notice["id"], expect=(1,)).err
        assert "is not on this machine" in both[1].run("export", "--notices", "letters.zip").err


class TestDifferentKeys:
    KEYS = ("the-key-of-one-machine", "the-key-of-the-other")

    def test_machine_without_the_key_leaves_the_account_to_the_others_and_says_so(
        self, tmp_path: Path, url: str, uscis: FakeUscis
    ) -> None:
        with machines(tmp_path, url, uscis_account(uscis), keys=self.KEYS) as (one, other):
            imports_cookies(one, uscis)
            sent, asked = len(one.phone.messages), len(uscis.requests)
            refused = other.run("check", expect=(1,))
            assert "et the same state_key on every machine" in refused.err
            assert "et the same state_key on every machine" in imports_cookies(other, uscis, expect=(1,))
            assert "et the same state_key on every machine" in other.run("code", "family", "012345", expect=(1,)).err
            (finding,) = [
                finding
                for finding in other.run("doctor", "--offline", "--json", expect=(1,)).json["findings"]
                if finding["verdict"] == "failed"
            ]
            assert "et the same state_key on every machine" in finding["told"]
            assert (len(one.phone.messages), len(uscis.requests)) == (sent, asked)
            one.check()
            assert state_of(one) is AccountState.OK

    def test_lost_key_is_overcome_by_forgetting_the_session(self, tmp_path: Path, url: str, uscis: FakeUscis) -> None:
        with machines(tmp_path, url, uscis_account(uscis), keys=self.KEYS) as (one, other):
            imports_cookies(one, uscis)
            assert "deleted" in other.run("forget", "family").out
            imports_cookies(other, uscis)
            other.check()

    def test_account_that_no_machine_has_checked_for_an_hour_is_taken_over(
        self, tmp_path: Path, url: str, portal: PracticePortal
    ) -> None:
        with machines(tmp_path, url, page_account(portal), keys=self.KEYS) as (one, other):
            with one.app() as app:
                app.poll("family")
            with other.app() as app:
                now = app.clock.now()
                app.store.accounts.set_next_read("family", now - timedelta(minutes=59))
                left = app.poll("family")
                assert (left.outcome, left.read_elsewhere) == (ReadOutcome.FAILED, True)
                app.store.accounts.set_next_read("family", now - timedelta(minutes=61))
                assert app.poll("family").outcome is ReadOutcome.OK
            assert sign_ins(portal) == 2

    def test_key_is_rotated_machine_by_machine_without_a_sign_in(
        self, tmp_path: Path, url: str, portal: PracticePortal
    ) -> None:
        """First the new key is added everywhere, then it comes first, then the old one is removed."""
        steps = [("old-key", "old-key")]
        steps += [("old-key,new-key", "old-key"), ("old-key,new-key", "old-key,new-key")]
        steps += [("new-key,old-key", "old-key,new-key"), ("new-key,old-key", "new-key,old-key")]
        steps += [("new-key", "new-key,old-key"), ("new-key", "new-key")]
        for index, keys in enumerate(steps):
            with machines(tmp_path / str(index), url, page_account(portal), keys=keys) as both:
                for machine in both:
                    with machine.app() as app:
                        assert app.poll("family").outcome is ReadOutcome.OK
        assert sign_ins(portal) == 1

    def test_doctor_warns_of_machines_without_a_common_key(
        self, tmp_path: Path, url: str, portal: PracticePortal
    ) -> None:
        def warnings(machine: WebhookWorkspace) -> list[str]:
            findings = machine.run("doctor", "--offline", "--json", expect=(0, 1)).json["findings"]
            return [finding["told"] for finding in findings if finding["about"] == "secret state_key"]

        without_password = re.sub(r":[^:@/]+@", "@", url)
        with machines(tmp_path, url, page_account(portal)) as (one, _):
            with one.app():
                pass
            assert warnings(one) == []
            one.environ = {"PGPASSWORD": re.findall(r":([^:@/]+)@", url)[0]}
            one.schedule = one.schedule.replace(url, without_password)
            one.configure()
            assert any("none is set" in text for text in warnings(one))


def test_no_column_holds_a_secret_in_the_clear(tmp_path: Path, url: str, uscis: FakeUscis) -> None:
    cognito = Cognito(now=SystemClock().now)
    tracker = Tracker(program="immigration", cognito=cognito)
    tracker.applications["E000000001"] = immigration("E000000001")
    account = Account()
    with PracticePortal(SystemClock(), account=account) as portal, run_tracker(tracker) as servers:
        portal.cases.add(NUMBER)
        accounts = (
            uscis_account(uscis)
            + page_account(portal, name="pages")
            + ircc_account(servers, "ircc")
            + f'[accounts.api]\nportal = "uscis-api"\nbase_url = "{portal.base_url}"\nca_file = "{portal.ca_file}"\n'
            f'client_id = "{account.client_id}"\nclient_secret = "{account.client_secret}"\ncases = ["{NUMBER}"]\n'
        )
        with machines(tmp_path, url, accounts, keys=("the-key-of-all-machines",)) as (machine,):
            imports_cookies(machine, uscis)
            machine.check()
            machine.run("code", "pages", "918273")
            with machine.app() as app:
                values = {name: app.sessions.of(name).load() for name in app.settings.accounts}
            assert all(values.values())
        secrets = [account.password, account.totp_secret, account.client_secret, PASSWORD, "918273", *uscis.sessions]
        secrets += [*cognito.id_tokens, *cognito.refresh_tokens, "the-key-of-all-machines"]
        api, pages = json.loads(values["api"] or b""), json.loads(values["pages"] or b"")
        secrets += [api["token"], *(cookie["value"] for cookie in pages["cookies"])]
    columns = everything_in(url)
    assert len(columns) > 100
    for secret in filter(None, secrets):
        assert not [name for name, content in columns if secret.encode() in content], secret


def everything_in(url: str) -> list[tuple[str, bytes]]:
    """Return every value of every table: its column, and its text or bytes."""
    found = []
    tables = rows_in(
        url, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    )
    for table, column in tables:
        for (value,) in rows_in(url, f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL'):  # noqa: S608
            content = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
            found.append((f"{table}.{column}", content))
    return found
