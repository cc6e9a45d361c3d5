"""Cookies of portals: read, kept, and sent back as browsers do."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.doubles.loopback import ReceivedRequest, serve
from tests.http.test_client import NOW, portal
from watcher.http.set_cookie import parse_cookie_date, parse_set_cookie, store_cookies
from watcher.model.cookie import Cookie, CookieJar
from watcher.sign_in.cookie_files import read_cookies
from watcher.sign_in.cookie_session import cookies_in, dump_cookies, exported

HOST = "my.portal.example"
MOMENT = NOW.timestamp()
DAY = 86_400


def parsed(line: bytes, host: str = HOST, path: str = "/account/cases", clock_error: float = 0.0) -> Cookie | None:
    return parse_set_cookie(line, host=host, path=path, now=MOMENT, clock_error=clock_error)


ODD = [
    (b"prefs[lang]=en; Path=/", b"prefs[lang]=en"),
    (b"a@b=c", b"a@b=c"),
    (b"a b=c d", b"a b=c d"),
    (b"  a = b=c=  ;Path=/", b"a=b=c="),
    (b'a="quoted; Path=/', b'a="quoted'),
    (b'a="q, r"; Version=1; Path=/', b'a="q, r"'),
    (b"no-name", b"no-name"),
    (b"=value", b"value"),
    (b"empty=", b"empty="),
    (b'{json}={"a":1,"b":[2]}', b'{json}={"a":1,"b":[2]}'),
    ("visitor_city=Bogot\u00e1".encode(), "visitor_city=Bogot\u00e1".encode()),
    (b"visitor_city=Bogot\xe1", b"visitor_city=Bogot\xe1"),
    (b"\xff\xfe=\x80\x81", b"\xff\xfe=\x80\x81"),
    (b"tab=a\tb", b"tab=a\tb"),
    (b"Path=x; Path=/", b"Path=x"),
    (b"long=" + b"x" * 4000, b"long=" + b"x" * 4000),
]


@pytest.mark.parametrize(("line", "pair"), ODD, ids=lambda value: value[:16].decode("latin-1"))
def test_odd_cookie_comes_back_byte_for_byte_after_a_save(line: bytes, pair: bytes) -> None:
    def answer(_: ReceivedRequest) -> bytes:
        cookies = b"".join(b"Set-Cookie: " + one + b"\r\n" for one in (b"session=1", line))
        return b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n" + cookies + b"\r\n"

    jar = CookieJar()
    with serve(answer) as server:
        with portal(cookies=jar) as http:
            http.send("GET", f"{server.origin}/")
        saved = json.dumps(json.loads(dump_cookies(cookies_in(jar)))).encode()
        loaded = CookieJar(read_cookies(saved, hosts=["127.0.0.1"], now=MOMENT).cookies)
        with portal(cookies=loaded) as http:
            http.send("GET", f"{server.origin}/")
    sent = server.requests[1].headers["cookie"].encode("latin-1")
    assert sorted(sent.split(b"; ", 1) if sent.startswith(b"session") else sent.rsplit(b"; ", 1)) == sorted(
        [b"session=1", pair]
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"=",
        b" ; Path=/",
        b"a=b\x01c",
        b"a\x7f=b",
        b"a=b; Path=/\x00",
        b"long=" + b"x" * 4093,
        b"a=b; Domain=other.example",
        b"a=b; Domain=portal.exampl",
        b"a=b; Domain=sub.my.portal.example",
        b"a=b; Domain=example",
        b"__Secure-a=b",
        b"__Host-a=b; Secure",
        b"__host-a=b; Secure; Path=/; Domain=my.portal.example",
        b"__Host-a",
    ],
)
def test_cookie_that_browsers_ignore_is_ignored(line: bytes) -> None:
    assert parsed(line) is None


def test_attributes_are_understood() -> None:
    assert parsed(b"a=b") == Cookie(name="a", value="b", domain=HOST, host_only=True, path="/account")
    assert parsed(b"a=b; path = /x ;SECURE; httponly=; SameSite=Lax; Odd; =; Domain=.Portal.EXAMPLE") == (
        Cookie(name="a", value="b", domain="portal.example", host_only=False, path="/x", secure=True, http_only=True)
    )
    assert parsed(b"__Host-a=b; Secure; Path=/") is not None


@pytest.mark.parametrize(
    ("path", "default"), [("/account/cases", "/account"), ("/account/", "/account"), ("/", "/"), ("/x", "/"), ("", "/")]
)
def test_path_is_by_default_the_folder_of_the_request(path: str, default: str) -> None:
    for line in (b"a=b", b"a=b; Path=", b"a=b; Path=relative", b"a=b; Path=/" + b"x" * 1024):
        cookie = parsed(line, path=path)
        assert cookie is not None
        assert cookie.path == default


def test_domain_that_is_the_host_itself_is_accepted() -> None:
    assert parsed(b"a=b; Domain=127.0.0.1", host="127.0.0.1") is not None
    assert parsed(b"a=b; Domain=0.0.1", host="127.0.0.1") is None
    local = parsed(b"a=b; Domain=localhost", host="localhost")
    assert local is not None
    assert local.host_only


@pytest.mark.parametrize(
    ("attributes", "expires"),
    [
        (b"", None),
        (b"; Max-Age=60", 60),
        (b"; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 60),
        (b"; Max-Age=0", 0),
        (b"; Max-Age=-5", 0),
        (b"; Max-Age=5; Max-Age=9", 9),
        (b"; Max-Age=soon", None),
        (b"; Max-Age=", None),
        (b"; Max-Age=" + b"9" * 50, 400 * DAY),
        (b"; Expires=Mon, 23 Nov 2026 12:00:00 GMT", DAY),
        (b"; Expires=Fri, 31 Dec 9999 23:59:59 GMT", 400 * DAY),
        (b"; Expires=never", None),
    ],
)
def test_expiry(attributes: bytes, expires: int | None) -> None:
    cookie = parsed(b"a=b" + attributes)
    assert cookie is not None
    assert cookie.expires == (expires if not expires else int(MOMENT) + expires)


@pytest.mark.parametrize(
    "text",
    [
        b"Sun, 22 Nov 2026 12:00:00 GMT",
        b"Sunday, 22-Nov-26 12:00:00 GMT",
        b"Sun Nov 22 12:00:00 2026",
        b"22 november 2026 12:00:00",
        b"2026 Nov 22 12:00:00",
        b"12:0:0 22-Nov-2026 +0500",
        b"Sun,22-Nov-2026/12:00:00x",
    ],
)
def test_date_in_any_form_of_browsers_is_understood(text: bytes) -> None:
    assert parse_cookie_date(text) == int(NOW.timestamp())


def test_two_digits_of_a_year_are_from_1970_to_2069() -> None:
    years = [parse_cookie_date(b"1 Jan %d 00:00:00" % year) for year in (70, 99)]
    assert years == [0, int(datetime(1999, 1, 1, tzinfo=UTC).timestamp())]
    assert parse_cookie_date(b"1 Jan 69 00:00:00") == int(datetime(2069, 1, 1, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "text", [b"", b"soon", b"22 Nov 2026", b"Nov 2026 12:00:00", b"32 Jan 2026 00:00:00", b"1 Jan 2026 25:00:00"]
)
def test_text_that_is_no_date_is_none(text: bytes) -> None:
    assert parse_cookie_date(text) is None


@given(st.binary(max_size=80))
@example("a=\u00a0b\u3000".encode())
@example(b"a=b; Path=/\xff\xa0")
def test_any_line_is_a_cookie_that_survives_a_save_or_nothing(line: bytes) -> None:
    cookie = parsed(line)
    if cookie is not None:
        pair = (cookie.name + cookie.value).encode("utf-8", "surrogateescape")
        assert pair
        assert not set(pair) & set(b";\r\n\0")
        saved = dump_cookies([exported(cookie)])
        loaded = [cookie] if cookie.expires is None or cookie.expires > MOMENT else []
        assert list(read_cookies(saved, hosts=[HOST], now=MOMENT).cookies) == loaded
        assert (cookie.domain, cookie.path[:1]) in ((HOST, "/"), ("portal.example", "/"))


def test_deleted_cookie_is_forgotten() -> None:
    jar = CookieJar()
    for line in (b"a=1", b"b=2", b"a=; Max-Age=0"):
        store_cookies(jar, [(b"Set-Cookie", line)], host=HOST, path="/", now=MOMENT)
    assert jar.header(HOST, "/", MOMENT) == b"b=2"


def test_expiry_is_read_by_the_portals_clock() -> None:
    headers = [
        (b"set-cookie", b"a=b; Expires=Sun, 22 Nov 2026 13:00:00 GMT"),
        (b"date", b"Sun, 22 Nov 2026 12:00:00 GMT"),
    ]
    jar = CookieJar()
    store_cookies(jar, headers, host=HOST, path="/", now=MOMENT + 5 * DAY)
    assert jar.header(HOST, "/", MOMENT + 5 * DAY + 3599) == b"a=b"
    assert jar.header(HOST, "/", MOMENT + 5 * DAY + 3600) is None


def test_request_with_its_own_cookie_header_gets_no_other() -> None:
    jar = CookieJar((Cookie(name="a", value="b", domain="127.0.0.1", host_only=True),))
    with serve(lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") as server, portal(cookies=jar) as http:
        http.send("GET", server.origin, headers={"Cookie": "own=1"})
    assert server.requests[0].headers["cookie"] == "own=1"


def test_header_in_one_charset_does_not_spoil_another() -> None:
    wire = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-name: Bogot\u00e1\r\n".encode() + b"x-city: Bogot\xe1\r\n\r\n"
    with serve(lambda _: wire) as server, portal() as http:
        headers = http.send("GET", server.origin).headers
    assert (headers["x-name"], headers["x-city"]) == ("Bogot\u00e1", "Bogot\u00e1")
