from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.practice.visitor import HandClock, Visitor
from watcher.practice import Account, PracticePortal, Terms
from watcher.practice.state.totp import STEP_SECONDS, code_at

WRONG = "Invalid user name or password"
UNIX_TIME = 1_800_000_000.0


@pytest.fixture
def strict_portal(clock: HandClock) -> Iterator[PracticePortal]:
    """A portal on which one-time codes are checked against a time that does not pass."""
    with PracticePortal(clock, terms=Terms(unix_time=lambda: UNIX_TIME)) as portal:
        yield portal


def test_password_and_code_lead_to_the_cases(visitor: Visitor) -> None:
    page = visitor.sign_in()

    assert page.url.path == "/cases"
    assert 'id="cases"' in page.text


def test_code_is_asked_for_after_the_password(visitor: Visitor) -> None:
    page = visitor.password()

    assert page.url.path == "/otp"
    assert 'name="otp"' in page.text


def test_correct_password_alone_does_not_sign_in(visitor: Visitor) -> None:
    visitor.password()

    assert visitor.http.get("/cases").url.path == "/login"
    assert visitor.http.get("/api/cases").status_code == 401


def test_without_a_totp_secret_the_password_is_enough(clock: HandClock) -> None:
    with PracticePortal(clock, account=Account(totp_secret=None)) as portal, Visitor(portal) as visitor:
        assert visitor.password().url.path == "/cases"


def test_code_page_redirects_anonymous_visitors(visitor: Visitor) -> None:
    assert visitor.http.get("/otp").url.path == "/login"


@pytest.mark.parametrize("path", ["/login", "/otp", "/sign-out"])
@pytest.mark.parametrize("token", ["", "made-up", "\N{SNOWMAN}"])
def test_form_without_its_csrf_token_is_forbidden(visitor: Visitor, path: str, token: str) -> None:
    visitor.password()

    answer = visitor.http.post(path, data={"csrf_token": token, "otp": "000000"})

    assert answer.status_code == 403


def test_csrf_token_without_its_cookie_is_forbidden(portal: PracticePortal, visitor: Visitor) -> None:
    with Visitor(portal) as other:
        token = portal.desk.visit(visitor.http.get("/login").cookies["session"]).csrf
        answer = other.http.post("/login", data={"csrf_token": token, "username": "x", "password": "x"})

    assert answer.status_code == 403


def test_session_cookie_is_for_this_site_over_https_only_and_changes_at_sign_in(visitor: Visitor) -> None:
    first = visitor.http.get("/login")
    header = first.headers["set-cookie"]
    visitor.sign_in()

    assert all(word in header for word in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/"))
    assert visitor.http.cookies["session"] != first.cookies["session"]


def test_over_plain_http_the_cookie_is_not_secure_and_works(clock: HandClock) -> None:
    with PracticePortal(clock, tls=False) as portal, Visitor(portal) as visitor:
        assert "Secure" not in visitor.http.get("/login").headers["set-cookie"]
        assert visitor.sign_in().url.path == "/cases"


def test_wrong_password_is_shown_as_an_error_with_the_form(visitor: Visitor) -> None:
    page = visitor.password("not this one")

    assert page.status_code == 200
    assert f'class="error" role="alert">{WRONG}' in page.text
    assert 'form id="login"' in page.text


def test_five_wrong_passwords_lock_the_account_for_a_time_on_the_clock(clock: HandClock, visitor: Visitor) -> None:
    for _ in range(4):
        assert WRONG in visitor.password("wrong").text
    fifth = visitor.password("wrong")
    clock.pass_by(timedelta(minutes=19, seconds=59))
    still = visitor.password()
    clock.pass_by(timedelta(seconds=1))

    assert "temporarily locked" in fifth.text
    assert "temporarily locked" in still.text
    assert visitor.sign_in().url.path == "/cases"


def test_help_desk_can_lift_the_lock(portal: PracticePortal, visitor: Visitor) -> None:
    for _ in range(5):
        visitor.password("wrong")
    portal.desk.unlock()

    assert visitor.password().url.path == "/otp"


def test_correct_password_resets_the_failures(visitor: Visitor) -> None:
    for _ in range(3):
        for _ in range(4):
            visitor.password("wrong")
        assert visitor.password().url.path == "/otp"


def test_unknown_user_gets_the_same_error_and_locks_no_account(visitor: Visitor) -> None:
    for _ in range(6):
        assert WRONG in visitor.password("wrong", username="somebody@example.org").text

    assert visitor.password().url.path == "/otp"


def test_used_code_is_refused_and_a_newer_one_taken(strict_portal: PracticePortal) -> None:
    with Visitor(strict_portal) as first, Visitor(strict_portal) as second:
        assert first.sign_in(UNIX_TIME).url.path == "/cases"
        again = second.sign_in(UNIX_TIME)
        newer = second.sign_in(UNIX_TIME + STEP_SECONDS)

    assert again.url.path == "/otp"
    assert "Invalid code" in again.text
    assert newer.url.path == "/cases"


@pytest.mark.parametrize(("steps", "onward"), [(-2, "/otp"), (-1, "/cases"), (0, "/cases"), (1, "/cases"), (2, "/otp")])
def test_code_may_be_one_step_early_or_late(strict_portal: PracticePortal, steps: int, onward: str) -> None:
    with Visitor(strict_portal) as visitor:
        assert visitor.sign_in(UNIX_TIME + steps * STEP_SECONDS).url.path == onward


def test_wrong_code_can_be_followed_by_a_right_one(strict_portal: PracticePortal) -> None:
    right = code_at(strict_portal.account.totp_secret or "", int(UNIX_TIME) // STEP_SECONDS)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    with Visitor(strict_portal) as visitor:
        page = visitor.code(wrong, visitor.password())
        assert "Invalid code" in page.text
        assert visitor.code(right, page).url.path == "/cases"


def test_session_expires_by_the_portals_clock(clock: HandClock, member: Visitor) -> None:
    clock.pass_by(timedelta(hours=8) - timedelta(seconds=1))
    last = member.http.get("/cases")
    clock.pass_by(timedelta(seconds=1))

    assert last.url.path == "/cases"
    assert member.http.get("/cases").url.path == "/login"
    assert member.http.get("/api/cases").status_code == 401


def test_signing_out_ends_the_session(member: Visitor) -> None:
    cookie = member.http.cookies["session"]
    page = member.http.get("/cases")
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    goodbye = member.http.post("/sign-out", data={"csrf_token": token})
    member.http.cookies.set("session", cookie, domain="127.0.0.1")

    assert goodbye.url.path == "/login"
    assert member.http.get("/cases").url.path == "/login"


def test_revoked_session_must_sign_in_again(portal: PracticePortal, member: Visitor) -> None:
    portal.desk.revoke_sessions()

    assert member.http.get("/cases").url.path == "/login"


def test_after_a_change_of_password_only_the_new_one_is_good(portal: PracticePortal, member: Visitor) -> None:
    portal.desk.change_password("another one")

    assert member.http.get("/cases").url.path == "/login"
    assert WRONG in member.password().text
    assert member.password("another one").url.path == "/otp"


def test_signed_in_visitor_is_not_asked_again(member: Visitor) -> None:
    assert member.http.get("/login").url.path == "/cases"
    assert member.http.get("/").url.path == "/cases"
