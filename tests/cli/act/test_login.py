"""`watcher login`, `code`, and `resume` as real commands, at the practice portal and the local Case Status API."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.cli.api_workspace import ApiWorkspace
from tests.cli.practice_workspace import FIRST, SECOND, PracticeWorkspace, practice_workspace
from tests.doubles.loopback import reply
from tests.practice.visitor import Visitor
from tests.support.waiting import eventually
from watcher.model.account_health import AccountState


@pytest.fixture
def family(tmp_path: Path) -> Iterator[PracticeWorkspace]:
    with practice_workspace(tmp_path) as workspace:
        yield workspace


def account_state(workspace: ApiWorkspace | PracticeWorkspace) -> AccountState:
    with workspace.app() as app:
        health, _ = app.store.accounts.all()["family"]
    return health.state


def case_numbers(workspace: PracticeWorkspace) -> list[str]:
    with workspace.app() as app:
        return [case.case_number for case in app.store.tracked_cases()]


def opens_with(key: str, workspace: PracticeWorkspace) -> bool:
    """Return whether this key alone opens the session."""
    with workspace.app() as app:
        values = app.store.saved_values([SecretStr(key)], machine_key=workspace.folder / "none")
        return values.of("family").load() is not None


class TestStateKey:
    def test_session_is_encrypted_again_by_the_next_check_after_the_key_is_set_or_changed(
        self, family: PracticeWorkspace
    ) -> None:
        family.configure(totp_secret=family.portal.account.totp_secret)
        family.run("check")
        for keys in ("a-first-key-at-random", "a-second-key-at-random,a-first-key-at-random", "a-second-key-at-random"):
            family.environ = {"WATCHER_STATE_KEY": keys}
            family.run("check")
            assert opens_with(keys.split(",")[0], family)
        family.environ = {}
        assert "encrypted with a state_key that is no longer set" in family.run("doctor", "--offline").out
        assert family.sign_ins == 1

    def test_short_key_is_a_warning(self, family: PracticeWorkspace) -> None:
        family.environ = {"WATCHER_STATE_KEY": "short,a-first-key-at-random"}
        (warning,) = [line for line in family.run("doctor", "--offline").out.splitlines() if "state_key: has" in line]
        assert "fewer than 16 characters" in warning
        assert "short," not in warning


def waits_for_code(workspace: PracticeWorkspace) -> bool:
    with workspace.app() as app:
        return app.inbox.is_expected("family", now=app.clock.now())


class TestResume:
    def test_rejected_credential_is_submitted_again_only_after_resume(self, workspace: ApiWorkspace) -> None:
        workspace.api.client_secret = "changed at the portal"
        assert workspace.check().outcome.value == "rejected"
        workspace.api.client_secret = "made-up-secret"
        assert workspace.check().outcome.value == "paused"
        assert workspace.api.tokens_issued == 0
        result = workspace.run("resume", "family")
        assert "no longer paused (sign-in rejected)" in result.out
        assert workspace.check().outcome.value == "ok"
        assert workspace.api.tokens_issued == 1

    def test_running_daemon_notices_resume(self, workspace: ApiWorkspace) -> None:
        workspace.api.client_secret = "changed at the portal"
        assert workspace.check().outcome.value == "rejected"
        daemon = workspace.popen("run")
        try:
            workspace.api.client_secret = "made-up-secret"
            assert eventually((workspace.state / "locks" / "daemon.lock").exists)
            assert account_state(workspace) is AccountState.REJECTED
            workspace.run("resume", "family")
            assert eventually(lambda: workspace.api.tokens_issued == 1)
            assert eventually(lambda: account_state(workspace) is AccountState.OK)
        finally:
            daemon.terminate()
            daemon.communicate(timeout=30)
        assert daemon.returncode == 0

    def test_resume_reports_an_account_that_is_not_paused(self, workspace: ApiWorkspace) -> None:
        workspace.check()
        result = workspace.run("resume", "family")
        assert "was not paused (ok)" in result.out

    def test_resume_ends_the_wait_after_a_firewall(self, workspace: ApiWorkspace) -> None:
        workspace.api.override = lambda _receipt, _nth: reply(403, b"<title>Just a moment...</title>")
        refused = workspace.check()
        assert "the firewall of Cloudflare at 127.0.0.1 does not let programs in" in (refused.error or "")
        skipped = workspace.run("check", expect=(1,))
        assert "unless you run `watcher resume family`" in skipped.out + skipped.err
        workspace.api.override = lambda _receipt, _nth: None
        assert "no longer waits until" in workspace.run("resume", "family").out
        assert workspace.check().cases_read == 1

    @pytest.mark.parametrize("arguments", [("resume", "aunt"), ("code", "aunt", "123456"), ("login", "aunt")])
    def test_unknown_account_is_wrong_usage(self, workspace: ApiWorkspace, arguments: tuple[str, ...]) -> None:
        result = workspace.run(*arguments, expect=(2,))
        assert "There is no account 'aunt' in the configuration. Accounts: family." in result.err

    def test_mistyped_account_gets_a_suggestion(self, workspace: ApiWorkspace) -> None:
        assert "Did you mean 'family'?" in workspace.run("resume", "famly", expect=(2,)).err


class TestCode:
    def test_code_reaches_the_waiting_sign_in(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="prompt")
        check = family.popen("check")
        assert eventually(lambda: waits_for_code(family))
        assert "code received" in family.run("code", "family", family.code()).out
        _, err = check.communicate(timeout=60)
        assert check.returncode == 0, err
        assert case_numbers(family) == [FIRST, SECOND]
        assert "no sign-in is waiting for a code now" in family.run("code", "family", "012345").out

    @pytest.mark.parametrize("code", ["12", "12345x", "1234567890123"])
    def test_invalid_code_is_refused(self, workspace: ApiWorkspace, code: str) -> None:
        result = workspace.run("code", "family", code, expect=(2,))
        assert "4 to 10 digits" in result.err


class TestLogin:
    def test_login_prompts_for_the_code_and_saves_the_session(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="none")
        result = family.run("login", "family", stdin=f"{family.code()}\n")
        assert "One-time code:" in result.err
        assert "family: ok, 2 cases checked" in result.out
        with family.app() as app:
            assert app.poll("family").outcome.value == "ok"
        assert family.sign_ins == 1

    def test_login_without_a_code_exits_with_1(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="none")
        result = family.run("login", "family", expect=(1,))
        assert "No one-time code was entered" in result.err
        assert account_state(family) is AccountState.MFA_NEEDED

    def test_login_ends_the_pause_for_a_missing_code(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="none")
        with family.app() as app:
            assert app.poll("family").outcome.value == "mfa_needed"
        family.run("login", "family", stdin=f"{family.code()}\n")
        assert account_state(family) is AccountState.OK

    def test_login_does_not_submit_a_rejected_password_again(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="none", password="wrong")
        family.run("login", "family", expect=(1,))
        family.run("login", "family", expect=(1,))
        assert family.sign_ins == 1


class TestCookies:
    def browser_cookies(self, family: PracticeWorkspace) -> str:
        """Return a cookies.txt from a browser that signed in here and also visited another site."""
        with Visitor(family.portal) as visitor:
            assert visitor.sign_in(family.code_clock.unix_time()).url.path == "/cases"
            jar = list(visitor.http.cookies.jar)
        lines = [f"127.0.0.1\tFALSE\t{cookie.path}\tTRUE\t0\t{cookie.name}\t{cookie.value}" for cookie in jar]
        return "\n".join(["# Netscape HTTP Cookie File", *lines, ".example.org\tTRUE\t/\tTRUE\t0\ttracker\tsecret"])

    def test_browser_session_is_imported_and_used_without_signing_in(self, family: PracticeWorkspace) -> None:
        family.configure(mfa="none")
        file = family.folder / "cookies.txt"
        file.write_text(self.browser_cookies(family))
        family.portal.forget_requests()
        result = family.run("login", "family", "--cookies", str(file))
        assert "cookie imported" in result.out
        assert family.sign_ins == 0
        assert case_numbers(family) == [FIRST, SECOND]

    def test_file_without_cookies_of_the_portal_is_refused(self, family: PracticeWorkspace) -> None:
        file = family.folder / "cookies.txt"
        file.write_text(".example.org\tTRUE\t/\tTRUE\t0\ttracker\tsecret-value\n")
        result = family.run("login", "family", "--cookies", str(file), expect=(2,))
        assert "has no usable cookie for 127.0.0.1 (1 of other websites, 0 expired)" in result.err
        assert "secret-value" not in result.err

    def test_file_that_is_not_a_cookie_file_is_refused(self, family: PracticeWorkspace) -> None:
        file = family.folder / "cookies.txt"
        file.write_text("hello\n")
        family.run("login", "family", "--cookies", str(file), expect=(2,))

    def test_portal_without_cookies_is_reported(self, workspace: ApiWorkspace) -> None:
        file = workspace.folder / "cookies.txt"
        file.write_text("")
        result = workspace.run("login", "family", "--cookies", str(file), expect=(2,))
        assert "cannot use the session of a browser" in result.err


def test_forgotten_session_is_in_no_file_and_does_not_return(family: PracticeWorkspace) -> None:
    family.configure(totp_secret=family.portal.account.totp_secret)
    family.run("check")
    with closing(sqlite3.connect(family.database)) as database:
        (saved,) = database.execute("SELECT content FROM sealed WHERE purpose = 'session'").fetchone()
    old = family.state / "sessions" / "family.session"
    old.parent.mkdir()
    old.write_bytes(b"not to be read")
    assert "saved session deleted" in family.run("forget", "family").out
    assert not old.parent.exists()
    assert not [file for file in family.state.rglob("*") if file.is_file() and saved in file.read_bytes()]
    assert "there is no saved session" in family.run("forget", "family").out
    old.parent.mkdir()
    old.write_bytes(b"saved by an earlier version")
    assert "saved session deleted" in family.run("forget", "family").out
