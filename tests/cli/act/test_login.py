"""`watcher login`, `code`, `resume`, run for real at the practice portal and the Case Status API on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.api_workspace import ApiWorkspace
from tests.cli.practice_workspace import FIRST, SECOND, PracticeWorkspace, practice_workspace
from tests.practice.visitor import Visitor
from tests.support.waiting import eventually
from watcher.model.account_health import AccountState
from watcher.model.change import ChangeKind


@pytest.fixture
def family(tmp_path: Path) -> Iterator[PracticeWorkspace]:
    with practice_workspace(tmp_path) as made:
        yield made


def state_of(workspace: ApiWorkspace | PracticeWorkspace) -> AccountState:
    with workspace.app() as app:
        health, _ = app.store.accounts.all()["family"]
    return health.state


def cases_of(workspace: PracticeWorkspace) -> list[str]:
    with workspace.app() as app:
        return [case.case_number for case in app.store.tracked_cases()]


def kept(workspace: PracticeWorkspace) -> bytes:
    """All that lies in the folder of the sessions."""
    return b"".join(file.read_bytes() for file in sorted((workspace.state / "sessions").iterdir()))


class TestKeys:
    def test_a_session_is_sealed_at_the_read_after_a_key_was_set_and_after_it_was_changed(
        self, family: PracticeWorkspace
    ) -> None:
        family.configure(totp_secret=family.portal.account.totp_secret)
        family.run("check")
        assert b" plain " in kept(family)
        for keys in ("a-first-key-at-random", "a-second-key-at-random,a-first-key-at-random", "a-second-key-at-random"):
            family.environ = {"WATCHER_STATE_KEY": keys}
            family.run("check")
            assert b" plain " not in kept(family)
        family.environ = {}
        assert "no state_key is set" in family.run("doctor", "--offline").out
        assert family.sign_ins == 1

    def test_a_key_that_can_be_guessed_is_warned_of(self, family: PracticeWorkspace) -> None:
        family.environ = {"WATCHER_STATE_KEY": "short,a-first-key-at-random"}
        (line,) = [each for each in family.run("doctor", "--offline").out.splitlines() if "state_key: has" in each]
        assert "fewer than 16 characters" in line
        assert "short," not in line


def waits_for_code(workspace: PracticeWorkspace) -> bool:
    with workspace.app() as app:
        known = app.store.accounts.all()
    return "family" in known and ChangeKind.MFA_NEEDED in known["family"][0].notified


class TestResuming:
    def test_a_refused_credential_is_submitted_again_only_after_it(self, workspace: ApiWorkspace) -> None:
        workspace.api.client_secret = "changed at the portal"
        assert workspace.check().outcome.value == "rejected"
        workspace.api.client_secret = "made-up-secret"
        assert workspace.check().outcome.value == "paused"
        assert workspace.api.tokens_issued == 0
        said = workspace.run("resume", "family")
        assert "the pause (rejected) is lifted" in said.out
        assert workspace.check().outcome.value == "ok"
        assert workspace.api.tokens_issued == 1

    def test_a_running_daemon_takes_it_up(self, workspace: ApiWorkspace) -> None:
        workspace.api.client_secret = "changed at the portal"
        assert workspace.check().outcome.value == "rejected"
        daemon = workspace.popen("run")
        try:
            workspace.api.client_secret = "made-up-secret"
            assert eventually((workspace.state / "locks" / "daemon.lock").exists)
            assert state_of(workspace) is AccountState.REJECTED
            workspace.run("resume", "family")
            assert eventually(lambda: workspace.api.tokens_issued == 1)
            assert eventually(lambda: state_of(workspace) is AccountState.OK)
        finally:
            daemon.terminate()
            daemon.communicate(timeout=30)
        assert daemon.returncode == 0

    def test_an_account_that_is_not_paused_is_told_so(self, workspace: ApiWorkspace) -> None:
        workspace.check()
        said = workspace.run("resume", "family")
        assert "it was not paused (ok)" in said.out

    @pytest.mark.parametrize("arguments", [("resume", "aunt"), ("code", "aunt", "123456"), ("login", "aunt")])
    def test_an_account_that_is_not_there_is_wrong_usage(
        self, workspace: ApiWorkspace, arguments: tuple[str, ...]
    ) -> None:
        said = workspace.run(*arguments, expect=(2,))
        assert "no account aunt in the configuration; there are: family" in said.err


class TestCodes:
    def test_a_code_reaches_the_sign_in_that_waits_for_it(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="prompt")
        check = family.popen("check")
        assert eventually(lambda: waits_for_code(family))
        family.run("code", "family", family.code())
        _, err = check.communicate(timeout=60)
        assert check.returncode == 0, err
        assert cases_of(family) == [FIRST, SECOND]

    @pytest.mark.parametrize("code", ["12", "12345x", "1234567890123"])
    def test_what_cannot_be_a_code_is_refused(self, workspace: ApiWorkspace, code: str) -> None:
        said = workspace.run("code", "family", code, expect=(2,))
        assert "4 to 10 digits" in said.err


class TestLogin:
    def test_the_code_is_asked_for_here_and_the_session_kept(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="none")
        said = family.run("login", "family", stdin=f"{family.code()}\n")
        assert "One-time code:" in said.err
        assert "family: ok, 2 cases read" in said.out
        with family.app() as app:
            assert app.poll("family").outcome.value == "ok"
        assert family.sign_ins == 1

    def test_without_a_code_nothing_goes_on_and_status_is_1(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="none")
        said = family.run("login", "family", expect=(1,))
        assert "No one-time code was typed" in said.err
        assert state_of(family) is AccountState.MFA_NEEDED

    def test_a_person_who_signs_in_ends_the_wait_for_one(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="none")
        with family.app() as app:
            assert app.poll("family").outcome.value == "mfa_needed"
        family.run("login", "family", stdin=f"{family.code()}\n")
        assert state_of(family) is AccountState.OK

    def test_a_refused_password_is_not_submitted_again_by_it(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="none", password="wrong")
        family.run("login", "family", expect=(1,))
        family.run("login", "family", expect=(1,))
        assert family.sign_ins == 1


class TestCookies:
    def browser_cookies(self, family: PracticeWorkspace) -> str:
        """cookies.txt of somebody who signed in with a browser, and was on another site too."""
        with Visitor(family.portal) as visitor:
            assert visitor.sign_in(family.codes.unix_time()).url.path == "/cases"
            jar = list(visitor.http.cookies.jar)
        lines = [f"127.0.0.1\tFALSE\t{one.path}\tTRUE\t0\t{one.name}\t{one.value}" for one in jar]
        return "\n".join(["# Netscape HTTP Cookie File", *lines, ".example.org\tTRUE\t/\tTRUE\t0\ttracker\tsecret"])

    def test_a_browsers_session_is_taken_over_and_used_without_signing_in(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="none")
        file = family.folder / "cookies.txt"
        file.write_text(self.browser_cookies(family))
        family.portal.forget_requests()
        said = family.run("login", "family", "--cookies", str(file))
        assert "cookies taken over" in said.out
        assert family.sign_ins == 0
        assert cases_of(family) == [FIRST, SECOND]

    def test_a_file_with_none_of_the_portals_cookies_is_refused(self, family: PracticeWorkspace) -> None:
        file = family.folder / "cookies.txt"
        file.write_text(".example.org\tTRUE\t/\tTRUE\t0\ttracker\tsecret-value\n")
        said = family.run("login", "family", "--cookies", str(file), expect=(2,))
        assert "holds no cookie for 127.0.0.1 (1 of other sites, 0 that have run out)" in said.err
        assert "secret-value" not in said.err

    def test_a_file_that_is_none_is_refused(self, family: PracticeWorkspace) -> None:
        file = family.folder / "cookies.txt"
        file.write_text("hello\n")
        family.run("login", "family", "--cookies", str(file), expect=(2,))

    def test_a_portal_without_cookies_says_so(self, workspace: ApiWorkspace) -> None:
        file = workspace.folder / "cookies.txt"
        file.write_text("")
        said = workspace.run("login", "family", "--cookies", str(file), expect=(2,))
        assert "no session that a browser could lend" in said.err
