import json
from typing import Any
from urllib.request import Request

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.sign_in.cookie_files import BadCookieFile, BrowserCookie, CookieFileContent, cookie_jar, read_cookies

HOSTS = ("my.uscis.gov", "myaccount.uscis.gov")
NOW = 1_795_348_800.0
LATER = 4_102_444_800  # 2100: a jar asks the real clock what has expired

NETSCAPE = f"""# Netscape HTTP Cookie File
# This is a generated file! Do not edit.

#HttpOnly_my.uscis.gov\tFALSE\t/\tTRUE\t0\t_myuscis_session_rx\tsecret-value-1
.uscis.gov\tTRUE\t/\tTRUE\t{LATER}\taws-waf-token\tsecret-value-2==
.example.com\tTRUE\t/\tFALSE\t{LATER}\tforeign\t"strange \N{SNOWMAN}; value"
notmy.uscis.gov\tFALSE\t/\tTRUE\t{LATER}\tforeign\tx
my.uscis.gov\tFALSE\t/account\tTRUE\t1700000000.5\told\tsecret-value-3
.gov\tTRUE\t/\tTRUE\t{LATER}\tsuper\tx
my.uscis.gov\tFALSE\t/\tTRUE\t{LATER}\tempty\t
"""

JSON: list[dict[str, Any]] = [
    {
        "domain": "my.uscis.gov",
        "hostOnly": True,
        "httpOnly": True,
        "name": "_myuscis_session_rx",
        "path": "/",
        "sameSite": "lax",
        "secure": True,
        "session": True,
        "storeId": "0",
        "value": "secret-value-1",
    },
    {
        "domain": ".uscis.gov",
        "expirationDate": LATER + 0.25,
        "hostOnly": False,
        "httpOnly": False,
        "name": "aws-waf-token",
        "path": "/",
        "secure": True,
        "session": False,
        "value": "secret-value-2==",
    },
    {"domain": ".example.com", "name": "foreign", "value": "\N{SNOWMAN}", "path": "/", "expirationDate": LATER},
    {"domain": "my.uscis.gov", "name": "old", "value": "secret-value-3", "expirationDate": 1_700_000_000},
]

SESSION = BrowserCookie(
    name="_myuscis_session_rx",
    value="secret-value-1",
    domain="my.uscis.gov",
    host_only=True,
    secure=True,
    http_only=True,
)
WAF = BrowserCookie(
    name="aws-waf-token",
    value="secret-value-2==",
    domain="uscis.gov",
    host_only=False,
    secure=True,
    expires=LATER,
)


def _read(content: bytes | str | list[Any] | dict[str, Any]) -> CookieFileContent:
    if isinstance(content, list | dict):
        content = json.dumps(content)
    return read_cookies(content if isinstance(content, bytes) else content.encode(), hosts=HOSTS, now=NOW)


def test_cookies_txt_keeps_the_portals_own_and_counts_the_rest() -> None:
    taken = _read(NETSCAPE)
    empty = BrowserCookie(name="empty", value="", domain="my.uscis.gov", host_only=True, secure=True, expires=LATER)
    assert taken == CookieFileContent(cookies=(SESSION, WAF, empty), foreign=3, expired=1)


@pytest.mark.parametrize("wrap", [False, True], ids=["array", "storage-state"])
def test_json_keeps_the_portals_own_and_counts_the_rest(wrap: bool) -> None:  # noqa: FBT001 - a case of the table
    taken = _read({"cookies": JSON, "origins": []} if wrap else JSON)
    assert taken == CookieFileContent(cookies=(SESSION, WAF), foreign=1, expired=1)


def test_windows_line_ends_and_byte_order_mark_are_accepted() -> None:
    assert _read(b"\xef\xbb\xbf" + NETSCAPE.replace("\n", "\r\n").encode()) == _read(NETSCAPE)


def test_playwright_cookie_without_expiry_is_a_session_cookie() -> None:
    taken = _read({"cookies": [{"name": "a", "value": "b", "domain": ".uscis.gov", "path": "/", "expires": -1}]})
    assert taken.cookies[0].expires is None
    assert not taken.cookies[0].host_only


def test_values_do_not_show_in_the_repr() -> None:
    assert "secret-value" not in repr(_read(NETSCAPE))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "no cookie in the file"),
        (b"# only a comment\n", "no cookie in the file"),
        (b"\xff\xfe\x00", "not text"),
        (b"my.uscis.gov TRUE / TRUE 0 name secret-value", "line 1 has 1 fields"),
        (f"{NETSCAPE}my.uscis.gov\tFALSE\t/\tTRUE\t0", "line 11 has 5 fields"),
        ("my.uscis.gov\tYES\t/\tTRUE\t0\tname\tsecret-value", "line 1: the second and fourth"),
        ("my.uscis.gov\tTRUE\t/\tTRUE\tnever\tname\tsecret-value", "line 1: the fifth"),
        ("my.uscis.gov\tTRUE\t/\tTRUE\t0\tna me\tsecret-value", "line 1: the name"),
        ("my.uscis.gov\tTRUE\t/\tTRUE\t0\tname\tsecret-value;x", "line 1: the value"),
        ("my.uscis.gov\tTRUE\tnopath\tTRUE\t0\tname\tsecret-value", "line 1: the path"),
        (json.dumps(JSON)[:-30], "cut off"),
        ("[" * 100_000, "cut off"),
        ("[]", "no list of cookies"),
        ("{}", "no list of cookies"),
        ('{"cookies": {}}', "no list of cookies"),
        ("[3]", "entry 1 is not a cookie"),
        ([JSON[0], {"domain": "my.uscis.gov", "name": "x"}], 'entry 2 has no "value"'),
        ([{"domain": "my.uscis.gov", "name": 3, "value": "secret-value"}], 'entry 1 has no "name"'),
        ([{**JSON[0], "session": False, "expirationDate": "soon"}], 'entry 1: "expirationDate"'),
        ([{**JSON[0], "value": "secret-value\r\nX-Header: 1"}], "entry 1: the value"),
    ],
)
def test_invalid_cookie_file_is_reported_by_line_or_entry_and_never_by_value(content: Any, what: str) -> None:
    with pytest.raises(BadCookieFile, match=what) as caught:
        _read(content)
    assert "secret-value" not in str(caught.value)


def test_file_of_endless_cookies_is_refused() -> None:
    with pytest.raises(BadCookieFile, match="more than 20000"):
        _read("my.uscis.gov\tFALSE\t/\tTRUE\t0\tn\tv\n" * 20_001)


def test_jar_sends_them_to_their_own_hosts_only() -> None:
    jar = cookie_jar(_read(NETSCAPE).cookies)

    def sent_to(url: str) -> str | None:
        request = Request(url)  # noqa: S310 - nothing is opened
        jar.add_cookie_header(request)
        return request.get_header("Cookie")

    assert (
        sent_to("https://my.uscis.gov/account")
        == "_myuscis_session_rx=secret-value-1; empty=; aws-waf-token=secret-value-2=="
    )
    assert sent_to("https://myaccount.uscis.gov/") == "aws-waf-token=secret-value-2=="
    assert sent_to("http://my.uscis.gov/") is None
    assert sent_to("https://evil.example/") is None
    assert sent_to("https://uscis.gov.evil.example/") is None


@given(st.binary(max_size=300))
def test_any_bytes_are_cookies_or_a_clear_fault(content: bytes) -> None:
    try:
        taken = read_cookies(content, hosts=HOSTS, now=NOW)
    except BadCookieFile:
        return
    assert all(cookie.domain.endswith("uscis.gov") for cookie in taken.cookies)


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
_entries = st.dictionaries(
    st.sampled_from(
        ["name", "value", "domain", "path", "expirationDate", "expires", "hostOnly", "secure", "httpOnly", "session"]
    ),
    _scalars | st.sampled_from(["my.uscis.gov", ".uscis.gov", "/", "a"]),
)


@given(st.lists(_entries, max_size=4))
def test_any_json_is_cookies_that_an_http_client_can_send_or_a_clear_fault(entries: list[dict[str, Any]]) -> None:
    try:
        taken = _read(entries)
    except BadCookieFile:
        return
    for cookie in taken.cookies:
        assert cookie.name
        assert not set(cookie.name + cookie.value + cookie.path) & set("\r\n;\0")
        assert cookie.expires is None or NOW < cookie.expires <= 253402300799
    request = Request("https://my.uscis.gov/")
    cookie_jar(taken.cookies).add_cookie_header(request)


@given(st.lists(st.sampled_from(NETSCAPE.split("\n")), max_size=12), st.integers(0, 10_000), st.integers(0, 255))
def test_damaged_cookies_txt_never_crashes_and_never_adds_a_foreign_cookie(
    lines: list[str], at: int, wrong: int
) -> None:
    content = bytearray("\n".join(lines).encode())
    if content:
        content[at % len(content)] = wrong
    try:
        taken = _read(bytes(content))
    except BadCookieFile as fault:
        message = str(fault)
        taken = CookieFileContent(cookies=())
        assert "secret-value" not in message
    assert all(cookie.domain in ("my.uscis.gov", "uscis.gov") for cookie in taken.cookies)
