import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.model.cookie import Cookie, CookieJar
from watcher.sign_in.cookie_files import CookieFileContent, read_cookies
from watcher.sign_in.cookie_formats import BadCookieFile

HOSTS = ("my.uscis.gov", "myaccount.uscis.gov")
NOW = 1_795_348_800.0
LATER = 4_102_444_800  # 2100

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

SESSION = Cookie(
    name="_myuscis_session_rx",
    value="secret-value-1",
    domain="my.uscis.gov",
    host_only=True,
    secure=True,
    http_only=True,
)
WAF = Cookie(
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
    empty = Cookie(name="empty", value="", domain="my.uscis.gov", host_only=True, secure=True, expires=LATER)
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
        (b"", "no cookies in the file"),
        (b"# only a comment\n", "no cookies in the file"),
        (b"\xff\xfe\x00", "not text"),
        (b"SQLite format 3\x00\x10", "the browser's own database; export the cookies as"),
        (b"cook\x00\x00\x00\x01", "Safari's own file; export"),
        ("#LWP-Cookies-2.0\nSet-Cookie3: x=secret-value; path=/\n", "the format of libwww-perl; export"),
        ("curl 'https://my.uscis.gov/' -b 'a=secret-value'", "a curl command; export"),
        ("<html>secret-value</html>", "a web page; export"),
        ('{"log": {"entries": [{"request": {"url": "https://my.uscis.gov/", "headers": []}}]}}', "with sensitive data"),
        ('{"log": {"entries": 5}}', "this HAR file has no cookies"),
        (b"my.uscis.gov TRUE / TRUE 0 name secret-value", "line 1 has 1 fields"),
        ("my.uscis.gov\tFALSE\t/\tTRUE\t0", "line 1 has 5 fields"),
        ("my.uscis.gov\tYES\t/\tTRUE\t0\tname\tsecret-value", "line 1: the second and fourth"),
        ("my.uscis.gov\tTRUE\t/\tTRUE\tnever\tname\tsecret-value", "line 1: the fifth"),
        ("my.uscis.gov\tTRUE\t/\tTRUE\t0\tna;me\tsecret-value", "line 1: the name"),
        ("my.uscis.gov\tTRUE\t/\tTRUE\t0\tname\t" + "secret-value" * 2000, "line 1: the value"),
        ("my.uscis.gov\tTRUE\t/\tTRUE\t0\tname\tsecret-value;x", "line 1: the value"),
        ("my.uscis.gov\tTRUE\tnopath\tTRUE\t0\tname\tsecret-value", "line 1: the path"),
        (json.dumps(JSON)[:-30], "may be incomplete"),
        ("[" * 100_000, "may be incomplete"),
        ("[]", "not a list of cookies"),
        ("{}", "not a list of cookies"),
        ('{"cookies": {}}', "not a list of cookies"),
        ("[3]", "entry 1 is not a cookie"),
        ([{"domain": "my.uscis.gov", "name": "x"}], 'entry 1 has no text in "value"'),
        ([{**JSON[0], "value": "secret-value\ud800"}], "entry 1: the value"),
        ([{"domain": "my.uscis.gov", "name": 3, "value": "secret-value"}], 'entry 1 has no text in "name"'),
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
    jar = CookieJar(_read(NETSCAPE).cookies)

    assert (
        jar.header("my.uscis.gov", "/account", NOW)
        == b"_myuscis_session_rx=secret-value-1; aws-waf-token=secret-value-2==; empty="
    )
    assert jar.header("myaccount.uscis.gov", "/", NOW) == b"aws-waf-token=secret-value-2=="
    assert jar.header("evil.example", "/", NOW) is None
    assert jar.header("uscis.gov.evil.example", "/", NOW) is None


ODD = [
    {**JSON[0], "name": name, "value": value}
    for name, value in [
        ("prefs[lang]", "en"),
        ("a@b", '"quoted, with spaces" \t and a tab'),
        ("", "no-name"),
        ("visitor_city", "Bogot\N{LATIN SMALL LETTER A WITH ACUTE}"),
        ("latin-1", "Bogot\udce1"),
        ("long", "x" * 10_000),
    ]
]
BROKEN: list[Any] = [{**JSON[0], "value": "a\nb"}, {**JSON[0], "path": "x"}, {"name": "x"}, 3, {**JSON[0], "name": 3}]


def test_odd_cookies_are_kept_and_broken_ones_do_not_cost_the_others() -> None:
    taken = _read([*ODD, *BROKEN, *JSON])
    names = [(cookie.name, cookie.value) for cookie in taken.cookies]
    assert names == [
        *((cookie["name"], cookie["value"]) for cookie in ODD),
        *((cookie.name, cookie.value) for cookie in (SESSION, WAF)),
    ]
    assert [fault.partition(":")[0].partition(" has")[0].partition(" is")[0] for fault in taken.faults] == [
        f"entry {number}" for number in range(7, 12)
    ]
    assert (taken.foreign, taken.expired) == (1, 1)


def test_broken_line_of_cookies_txt_does_not_cost_the_others() -> None:
    taken = _read(f"{NETSCAPE}my.uscis.gov\tFALSE\t/\tTRUE\t0\n")
    assert (taken.cookies[:2], taken.faults) == (
        (SESSION, WAF),
        ("line 11 has 5 fields separated by tabs, but a cookie in cookies.txt has 7",),
    )


def test_bytes_that_are_not_utf_8_are_sent_back_as_they_are() -> None:
    taken = _read(b"my.uscis.gov\tFALSE\t/\tTRUE\t0\tcity\tBogot\xe1\n")
    assert CookieJar(taken.cookies).header("my.uscis.gov", "/", NOW) == b"city=Bogot\xe1"


def test_file_of_windows_in_utf_16_is_accepted() -> None:
    assert _read(b"\xff\xfe" + NETSCAPE.encode("utf-16-le")) == _read(NETSCAPE)


def test_json_of_cookie_quick_manager_is_accepted() -> None:
    def entry(host: str, name: str, expires: str, only: str) -> dict[str, str]:
        return {
            "Host raw": host,
            "Name raw": name,
            "Path raw": "/",
            "Content raw": "secret-value-1" if only == "true" else "secret-value-2==",
            "Expires": "At the end of the session",
            "Expires raw": expires,
            "Send for": "Encrypted connections only",
            "Send for raw": "true",
            "HTTP only raw": only,
            "SameSite raw": "no_restriction",
            "This domain only raw": only,
            "Store raw": "firefox-default",
            "First Party Domain": "",
        }

    taken = _read(
        [
            entry("https://my.uscis.gov/", SESSION.name, "0", "true"),
            entry("https://.uscis.gov/", WAF.name, str(LATER), "false"),
            entry("https://.example.com/", "foreign", "0", "false"),
        ]
    )
    assert taken == CookieFileContent(cookies=(SESSION, WAF), foreign=1)


@pytest.mark.parametrize("name", ["isSecure", "secure"])
def test_json_of_firefox_and_selenium_is_accepted(name: str) -> None:
    firefox = {"host": ".uscis.gov", "name": WAF.name, "value": WAF.value, "path": "/", name: True, "expiry": LATER}
    assert _read([firefox]).cookies == (WAF,)


@pytest.mark.parametrize("expires", [str(LATER), f"{LATER}.25", "2100-01-01T00:00:00.000Z"])
def test_expiry_may_be_text(expires: str) -> None:
    assert _read([{**JSON[1], "expirationDate": expires}]).cookies == (WAF,)


@pytest.mark.parametrize(
    "text",
    [
        "a=1; session=secret==; \u00e1=\u00e9",
        "a=1;session=secret==;\u00e1=\u00e9;\n",
        "Cookie: a=1; session=secret==; \u00e1=\u00e9",
        "GET / HTTP/1.1\r\nHost: my.uscis.gov\r\ncookie: a=1; session=secret==; \u00e1=\u00e9\r\nAccept: */*\r\n",
    ],
)
def test_header_string_belongs_to_the_accounts_own_hosts(text: str) -> None:
    jar = CookieJar(_read(text).cookies)
    for host in HOSTS:
        assert jar.header(host, "/any/path", NOW) == "a=1; session=secret==; \u00e1=\u00e9".encode()
    assert jar.header("uscis.gov", "/", NOW) is None


def test_last_cookies_of_a_har_file_count() -> None:
    def entry(url: str, cookie: str) -> dict[str, Any]:
        return {"request": {"url": url, "headers": [{"name": "cookie", "value": cookie}], "cookies": [{"name": "z"}]}}

    listed = {
        "request": {"url": "https://myaccount.uscis.gov/", "headers": [], "cookies": [{"name": "b", "value": "2"}]}
    }
    entries = [
        entry("https://my.uscis.gov/sign-in", "session=old; a=1"),
        entry("https://example.com/", "foreign=1"),
        entry("https://my.uscis.gov/account", "session=new; a=1"),
        listed,
        {},
        {"request": {"url": "https://[::1", "headers": 3}},
    ]
    taken = _read({"log": {"entries": entries}})
    jar = CookieJar(taken.cookies)
    assert jar.header("my.uscis.gov", "/", NOW) == b"session=new; a=1"
    assert jar.header("myaccount.uscis.gov", "/", NOW) == b"b=2"
    assert taken.foreign == 1


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
        assert cookie.name + cookie.value
        assert not set(cookie.name + cookie.value + cookie.path) & set("\r\n;\0")
        assert cookie.expires is None or NOW < cookie.expires <= 253402300799
    header = CookieJar(taken.cookies).header("my.uscis.gov", "/", NOW)
    assert header is None or header == header.strip()


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
