import base64
import html
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from watcher.privacy.live_secrets import LiveSecrets
from watcher.privacy.redaction import (
    BLANK,
    redact,
    redact_secrets,
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
        "accounts.family.every: '4 hours' is not a duration",
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


def json_escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def js_escaped(text: str) -> str:
    return "".join(f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{{{ord(char):x}}}" for char in text)


ESCAPES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "html": html.escape,
    "html decimal": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "html hexadecimal": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "url": partial(quote, safe=""),
    "url path": quote,
    "form": quote_plus,
    "latin-1 url": lambda text: quote(text, safe="", encoding="cp1252", errors="xmlcharrefreplace"),
    "json": json_escaped,
    "json, not ascii": lambda text: json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    "script": js_escaped,
    "python": lambda text: repr(text)[1:-1],
    "python bytes": lambda text: repr(text.encode())[2:-1],
}
printable_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=30)


@given(
    secret=printable_texts,
    escapes=st.lists(st.sampled_from(sorted(ESCAPES)), max_size=3),
    as_windows_1252=st.booleans(),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
@example(
    secret="pw-S3cret&<x>\"'\xe9-CANARY", escapes=["json", "html", "url"], as_windows_1252=False, before="", after=""
)
@example(secret="a b+c%20d&amp;e", escapes=["form"], as_windows_1252=True, before="&", after="amp;")
def test_live_secret_is_blanked_in_any_spelling(
    secret: str, escapes: list[str], before: str, after: str, *, as_windows_1252: bool
) -> None:
    spelled = secret
    for name in escapes:
        spelled = ESCAPES[name](spelled)
    if as_windows_1252:  # as a body is read whose charset is not declared
        spelled = spelled.encode("cp1252", "xmlcharrefreplace").decode("utf-8", "surrogateescape")
    assume(spelled not in f"{before} {BLANK} {after}")
    redacted = redact_secrets(f"{before} {spelled} {after}", LiveSecrets([secret]))
    assert spelled not in redacted
    assert BLANK in redacted


@given(secret=printable_texts)
def test_live_secret_is_blanked_in_basic_authentication(secret: str) -> None:
    live = LiveSecrets([secret])
    for name in ("", "a", "someone", "\xe9", "ab:c"):
        encoded = base64.b64encode(f"{name}:{secret}".encode())
        url_safe = base64.urlsafe_b64encode(f"{name}:{secret}".encode())
        for text in (encoded.decode(), url_safe.decode()):
            rest = redact_secrets(f"<{text}>", live).replace(BLANK, "").strip("<>")
            assert len(rest) <= len(base64.b64encode(f"{name}:".encode())) + 4, "at most the ends are left"


@pytest.mark.parametrize("value", ["dark", "en-US", "1"])
def test_short_session_value_is_not_blanked(value: str) -> None:
    live = LiveSecrets()
    live.register_session_value(value)
    assert redact_secrets(f"theme {value}", live) == f"theme {value}"


def test_oldest_session_values_are_dropped() -> None:
    live = LiveSecrets()
    for number in range(1000):
        live.register_session_value(f"value-{number:04}")
    assert redact_secrets("value-0999", live) == BLANK
    assert redact_secrets("value-0001", live) == "value-0001"


@pytest.mark.parametrize(
    "page",
    [
        "<input type=hidden value='CANARY' name=csrf_token>",
        '<input value="CANARY" data-x=">" id="__RequestVerificationToken">',
        "<input value=CANARY type=password>",
        '<input type="hidden" name="next" value="CANARY0123456789abcdef">',
        "<meta content='CANARY' name='csrf-token'>",
        '<textarea class="x" name="id_token">CANARY</textarea>',
        '<body data-session-id="CANARY">',
        "<div data-token=CANARY>",
        "<script>var accessToken : 'CANARY'</script>",
        "<script>localStorage.setItem('refresh_token', 'CANARY')</script>",
        '<div data-state="{&quot;accessToken&quot;:&quot;CANARY&quot;}">',
        '{"name": "XSRF-TOKEN", "value": "CANARY"}',
        '{"state": "{\\"id_token\\": \\"CANARY\\"}"}',
        '<a href="/logout?page=1&amp;sid=CANARY">',
        '<a href="/cb#id_token=CANARY">',
        "location = '/go?next=%2Fcb%3Fcode%3DCANARY%26page%3D2'",
        'document.cookie = "ASP.NET_SessionId=CANARY; path=/"',
        "/page;jsessionid=CANARY?x=1",
        "eyJhbGciOiJub25lIn0.eyJDQU5BUlkiOjF9.CANARY",
        "curl -H 'X: Bearer CANARY0123456789'",
    ],
)
def test_token_is_blanked_by_its_name_or_form(page: str) -> None:
    redacted = redact_secrets(page)
    assert "CANARY" not in redacted
    assert BLANK in redacted


def test_token_is_blanked_where_the_page_repeats_it() -> None:
    page = '<input name=csrf value="made-up-7"><a href="/made-up-7">required</a><input type=password value="required">'
    assert redact_secrets(page) == (
        f'<input name=csrf value="{BLANK}"><a href="/{BLANK}">required</a><input type=password value="{BLANK}">'
    )


@pytest.mark.parametrize(
    "page",
    [
        '{"code": "IAF", "status": "Card Was Mailed", "statusCode": 7, "tokenType": "Bearer"}',
        "<td>Employment Authorization: Card Was Mailed</td><td>Basic information</td>",
        '<input name="number" value="IOE0000000001"><meta name="description" content="Secretary of state">',
        '<input type="hidden" name="case" value="IOE0000000001"><label>Password:</label><input type="text">',
        '<a href="/cases?page=2&amp;sort=date">',
        "if (a<b && c == 'x') { state = 'open' }",
    ],
)
def test_page_without_secrets_is_unchanged(page: str) -> None:
    assert redact_secrets(page) == page


@pytest.mark.parametrize(
    "document",
    [
        {"html": '<a title="token: ">x</a>', "b": "c"},
        {"html": "<a title='token: '>x</a>", "b": "it's"},
        {"a": 'secret = "', "password": "x", "b": '"'},
        {"text": "?code=", "next": ["token", "a"], "pin": [12345]},
    ],
)
def test_json_document_stays_one(document: dict[str, Any]) -> None:
    assert json.loads(redact_secrets(json.dumps(document))).keys() == document.keys()
    page = html.escape(json.dumps(document))
    assert json.loads(html.unescape(redact_secrets(page))).keys() == document.keys()


def test_number_in_json_becomes_a_text() -> None:
    redacted = redact_secrets('{"otp": 246810, "page": 246811, "a": "{\\"otp\\": 246812}"}')
    assert json.loads(redacted) == {"otp": BLANK, "page": 246811, "a": f'{{"otp": {BLANK}}}'}


def test_longer_live_secret_is_blanked_first() -> None:
    live = LiveSecrets()
    live.register("abcd")
    live.register("abcdefgh")
    assert redact_secrets("abcdefgh", live) == BLANK


def test_overlapping_secrets_are_both_blanked() -> None:
    assert redact_secrets("x abcdefgh y", LiveSecrets(["abcd", "cdefgh"])) == f"x {BLANK} y"


def test_text_of_three_letters_is_not_blanked() -> None:
    assert redact_secrets("the end", LiveSecrets(["the"])) == "the end"


def test_registered_secrets_are_blanked_everywhere() -> None:
    register_secret("correct horse battery staple")
    assert redact_text("it was correct horse battery staple!") == f"it was {BLANK}!"
    assert redact(["correct%20horse%20battery%20staple"]) == [BLANK]


def test_host_of_a_registered_url_stays_readable() -> None:
    register_url("ntfys://reader:pa55w0rd@ntfy.example.org:8443/t0pic-name?auth=abcdef123")
    redacted = redact_text("https://ntfy.example.org:8443/t0pic-name refused reader with pa55w0rd and abcdef123")
    assert redacted == f"https://ntfy.example.org:8443/{BLANK} refused {BLANK} with {BLANK} and {BLANK}"


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("postgresql://books-user:pa55.w0rd.a@db.example.org/books-name", "pa55.w0rd.a"),
        ("postgresql+psycopg://books-user:55555501@db.example.org:5432/books-name?sslmode=require", "55555501"),
        ("postgres://books-user@db.example.org/books-name?user=books-user&password=pa55%23w0rd-b", "pa55#w0rd-b"),
        ("mailtos://mail-user:pa55.w0rd.c@mail.example.org", "pa55.w0rd.c"),
    ],
)
def test_password_of_a_url_is_blanked_and_the_user_name_of_a_database_is_not(url: str, password: str) -> None:
    register_secrets([url])
    assert redact_text(f"it was {password}!") == f"it was {BLANK}!"
    if url.startswith("postgres"):
        assert redact_text("books-user of books-name") == "books-user of books-name"


def test_each_of_several_keys_in_one_text_is_blanked() -> None:
    register_secrets(["new-state-key-1,old-state-key-2\n0ldest-state-key", "ntfys://ntfy.example.org/t0pic-other"])
    assert redact_text("old-state-key-2 at ntfy.example.org t0pic-other") == f"{BLANK} at ntfy.example.org {BLANK}"
    assert redact_text("0ldest-state-key") == BLANK


def test_words_of_a_passphrase_are_no_secrets() -> None:
    register_secrets(["rehearsal makes perfection"])
    assert redact_text("account=rehearsal") == "account=rehearsal"
    assert redact_text("password=rehearsal makes perfection") == f"password={BLANK}"


@pytest.mark.parametrize(
    "piece",
    [
        "a.",
        "-_",
        "eyJaaaaaaaa-",
        "a@",
        "://",
        "1-",
        "+1 ",
        "&a_",
        "password ",
        "IOE0 ",
        '<a "',
        "<a'",
        'a="\\',
        "%25",
        "\\u0026",
        "a=",
    ],
)
def test_redaction_takes_linear_time(piece: str) -> None:
    started = time.thread_time()
    redact_text(piece * (200_000 // len(piece)))
    assert time.thread_time() - started < 10, "a pattern that backtracks would take minutes"
