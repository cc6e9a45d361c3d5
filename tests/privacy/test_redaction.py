import json
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from watcher.privacy.redaction import (
    BLANK,
    LiveSecrets,
    redact,
    redact_text,
    register_secret,
    register_secrets,
    register_url,
)

CANARY = "canary-Tk9QRVJTWg"


@pytest.mark.parametrize(
    "text",
    [
        f"https://someone:{CANARY}@example.org/x",
        f"postgresql+psycopg://watcher:{CANARY}@db/watcher",
        f"GET https://example.org/x?access_token={CANARY}&page=1",
        f"https://example.org/cb?state=x&code={CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"'authorization': 'Basic {CANARY}='",
        f"Cookie: a=b; session={CANARY}; theme=dark",
        f"https://api.telegram.org/bot123456:{CANARY}/sendMessage",
        f"password={CANARY}",
        f"{{'totp_secret': '{CANARY}'}}",
        f'"client_secret": "{CANARY} with spaces",',
        f"id eyJhbGciOiJIUzI1NiJ9.{CANARY}.x",
        f"X-Api-Key: {CANARY}",
        f"mfa_code = {CANARY}",
    ],
)
def test_text_that_looks_like_a_secret_is_blanked(text: str) -> None:
    assert CANARY not in redact_text(text)
    assert BLANK in redact_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("case IOE0000000001 moved", "case IOE••••••0001 moved"),
        ("case ioe0000000001", "case IOE••••••0001"),
        ("EAC*999000001, EAC-99-990-00001", "EAC••••••0001, EAC••••••0001"),
        ("/case-status/LIN9999000001?x", "/case-status/LIN••••••0001?x"),
        ("E000000001 C000000001", "E•••••0001 C•••••0001"),
        ("the UCI is 1100000001", "the UCI is ••••••0001"),
        ("uci:11-0000-0001", "uci:••••••0001"),
        ("uci=11000001.", "uci=••••••0001."),
        ("someone.else@example.org wrote", "s•••@example.org wrote"),
        ("call +1 555 010 0123", "call +••••••23"),
    ],
)
def test_personal_numbers_keep_only_enough_to_distinguish_two(text: str, expected: str) -> None:
    assert redact_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T20:06:59.164349Z",
        "backup of 20261122 kept",
        "listening on 127.0.0.1:8787",
        "I-485 under_review, HTTP 503, 3 of 12 cases in 0.4 s",
        "https://example.org/account?page=2",
        "the password was rejected; the token ended",
        "accounts.family.every: '4 hours' is no duration",
    ],
)
def test_other_text_stays_readable(text: str) -> None:
    assert redact_text(text) == text


@given(text=st.text())
def test_redaction_is_idempotent(text: str) -> None:
    assert redact_text(redact_text(text)) == redact_text(text)


def test_value_of_a_secret_key_is_blanked() -> None:
    redacted = redact(
        {"password": CANARY, "auth_token": [CANARY], "Set-Cookie": {"a": CANARY}, "otp": 123456, "pin": None}
    )
    assert redacted == {"password": BLANK, "auth_token": BLANK, "Set-Cookie": BLANK, "otp": BLANK, "pin": None}


def test_value_of_a_similar_key_is_unchanged() -> None:
    harmless = {"status_code": 200, "event_code": "FTA0", "exit_code": 2, "secrets_dir": "/run/secrets"}
    assert redact(harmless) == harmless


class LeakyText:
    def __str__(self) -> str:
        return f"password={CANARY}"


@pytest.mark.parametrize(
    "value", [LeakyText(), [LeakyText()], {"a": {"b": (LeakyText(),)}}, ValueError(f"token={CANARY}"), {LeakyText()}]
)
def test_any_object_is_redacted_as_its_text(value: object) -> None:
    assert CANARY not in str(redact(value))


def test_numbers_stay_numbers_unless_they_are_personal() -> None:
    assert redact({"count": 3, "share": 0.25, "uci": 1100000001, "on": True}) == {
        "count": 3,
        "share": 0.25,
        "uci": "••••••0001",
        "on": True,
    }


@given(
    secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_live_secret_is_blanked_in_any_quoting(secret: str, before: str, after: str) -> None:
    assume(secret not in before + BLANK + after)
    live = LiveSecrets()
    live.register(secret)
    for quoted in (secret, json.dumps(secret), repr(secret)):
        assert secret not in live.blank(f"{before} {quoted} {after}")


@pytest.mark.parametrize(
    "quoted",
    [
        "p%C3%A4ss%22w%C3%B6rd+%2F1",
        "p%C3%A4ss%22w%C3%B6rd%20/1",
        'p\\u00e4ss\\"w\\u00f6rd /1',
        "cMOkc3MiDwE=",
        "päss&quot;wörd /1",
    ],
)
def test_other_quotings_of_a_live_secret_are_blanked(quoted: str) -> None:
    live = LiveSecrets()
    live.register('päss"wörd /1')
    blanked = live.blank(f"<{quoted}>")
    assert blanked == f"<{BLANK}>" or quoted.startswith("cMOk")


def test_longer_live_secret_is_blanked_first() -> None:
    live = LiveSecrets()
    live.register("abcd")
    live.register("abcdefgh")
    assert live.blank("abcdefgh") == BLANK


def test_text_of_three_letters_is_not_blanked() -> None:
    live = LiveSecrets()
    live.register("the")
    assert live.blank("the end") == "the end"


def test_registered_secrets_are_blanked_everywhere() -> None:
    register_secret("correct horse battery staple")
    assert redact_text("it was correct horse battery staple!") == f"it was {BLANK}!"
    assert redact(["correct%20horse%20battery%20staple"]) == [BLANK]


def test_host_of_a_registered_url_stays_readable() -> None:
    register_url("ntfys://reader:pa55w0rd@ntfy.example.org:8443/t0pic-name?auth=abcdef123")
    redacted = redact_text("https://ntfy.example.org:8443/t0pic-name refused reader with pa55w0rd and abcdef123")
    assert redacted == f"https://ntfy.example.org:8443/{BLANK} refused {BLANK} with {BLANK} and {BLANK}"


def test_each_of_several_keys_in_one_text_is_blanked() -> None:
    register_secrets(["new-state-key-1,old-state-key-2", "ntfys://ntfy.example.org/t0pic-other"])
    assert redact_text("old-state-key-2 at ntfy.example.org t0pic-other") == f"{BLANK} at ntfy.example.org {BLANK}"


@pytest.mark.parametrize("piece", ["a.", "-_", "eyJaaaaaaaa-", "a@", "://", "1-", "+1 ", "&a_", "password ", "IOE0 "])
def test_redaction_takes_linear_time(piece: str) -> None:
    started = time.monotonic()
    redact_text(piece * (200_000 // len(piece)))
    assert time.monotonic() - started < 10, "a pattern that backtracks would take minutes"
