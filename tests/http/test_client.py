import gzip
import json
import ssl
import time
import tracemalloc
import zlib
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server
from threading import Event, Thread, Timer
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.disk import no_free_descriptor
from tests.doubles.loopback import ReceivedRequest, reply, serve
from watcher import __version__
from watcher.errors import ForeignHost, PortalUnavailable, ReadFailed, SessionEnded, UnexpectedAnswer
from watcher.http.client import PortalHttp
from watcher.http.hosts import check_base_url, host_of, is_loopback
from watcher.http.response import Response, decompress, parse_retry_after
from watcher.model.cookie import Cookie, CookieJar
from watcher.text.charset import read_text
from watcher.text.json import read_json

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def seconds_until(self, moment: datetime) -> float:
        return (moment - NOW).total_seconds()


def portal(*hosts: str, **options: Any) -> PortalHttp:
    stop = options.pop("stop", Event())
    return PortalHttp(portal="A portal", hosts=hosts or ("127.0.0.1",), clock=FixedClock(), stop=stop, **options)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def server_tls(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_response_has_status_case_insensitive_headers_and_body() -> None:
    with serve(lambda _: reply(404, b'{"a": 1}', Content_Type="application/json")) as server, portal() as http:
        response = http.send("GET", f"{server.origin}/x")
    assert (response.status, response.headers["CONTENT-type"], response.json()) == (404, "application/json", {"a": 1})


def test_requests_have_a_user_agent_and_ask_for_no_compression() -> None:
    with serve(lambda _: reply()) as server, portal() as http:
        http.send("GET", server.origin, headers={"Accept-Language": "es"})
    headers = server.requests[0].headers
    assert headers["user-agent"] == f"case-watcher/{__version__} (+self-hosted)"
    assert (headers["accept-encoding"], headers["accept-language"]) == ("identity", "es")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_process_without_free_descriptors_is_not_the_portals_fault(host: str) -> None:
    with serve(lambda _: reply()) as server, portal(host) as http:
        with no_free_descriptor(), pytest.raises(OSError, match="Too many open files"):
            http.send("GET", server.origin.replace("127.0.0.1", host))
        assert http.send("GET", server.origin.replace("127.0.0.1", host)).status == 200


def test_form_and_json_bodies_are_sent() -> None:
    with serve(lambda _: reply()) as server, portal() as http:
        http.send("POST", server.origin, form={"a": "b c"}, params={"q": "1"})
        http.send("POST", server.origin, json={"a": 1})
    assert (server.requests[0].form, server.requests[0].target) == ({"a": "b c"}, "/?q=1")
    assert json.loads(server.requests[1].body) == {"a": 1}


def test_connection_is_reused() -> None:
    with serve(lambda _: reply()) as server, portal() as http:
        for _ in range(5):
            http.send("GET", server.origin)
    assert server.connections == 1


def test_threads_can_share_the_client() -> None:
    statuses: list[int] = []
    with serve(lambda _: reply(204)) as server, portal() as http:
        threads = [
            Thread(target=lambda: statuses.extend(http.send("GET", server.origin).status for _ in range(10)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [204] * 40


class TestHosts:
    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/",
            "https://127.0.0.1.evil.example/",
            "https://127.0.0.1@evil.example/",
            "https://127.0.0.1\\@evil.example/",
            "//evil.example/",
            "/relative",
            "",
        ],
    )
    def test_request_to_a_foreign_host_is_refused(self, url: str) -> None:
        with portal() as http, pytest.raises((ForeignHost, UnexpectedAnswer)):
            http.send("GET", url)

    def test_plain_http_is_allowed_only_on_loopback(self) -> None:
        with portal("my.example.gov") as http, pytest.raises(ForeignHost, match=r"my\.example\.gov.*without TLS"):
            http.send("GET", "http://my.example.gov/")

    def test_other_schemes_are_refused(self) -> None:
        with portal() as http, pytest.raises(ForeignHost):
            http.send("GET", "ftp://127.0.0.1/")

    def test_another_port_of_the_same_host_is_another_server(self) -> None:
        with serve(lambda _: reply()) as other, serve(lambda _: reply(302, location=other.origin)) as server:
            with portal(origins=[server.origin]) as http:
                for url in (server.origin, other.origin):
                    with pytest.raises(ForeignHost, match="is not one of its ports; nothing was sent there"):
                        http.send("GET", url)
            assert other.requests == []
            with portal(origins=[server.origin, other.origin]) as http:
                assert http.send("GET", server.origin).status == 200

    def test_redirect_to_a_foreign_host_is_reported_and_nothing_is_sent(self) -> None:
        with serve(lambda _: reply()) as other:
            foreign = other.origin.replace("127.0.0.1", "localhost") + "/take?secret=1"
            with (
                serve(lambda _: reply(302, Location=foreign)) as server,
                portal() as http,
                pytest.raises(ForeignHost, match="localhost") as caught,
            ):
                http.send("GET", server.origin, headers={"Authorization": "Bearer t"})
        assert other.requests == []
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("base", "fault"),
        [
            ("https://my.uscis.gov", None),
            ("https://my.uscis.gov:8443/x", None),
            ("http://127.0.0.1:8080", None),
            ("http://localhost:1", None),
            ("http://[::1]:8080", None),
            ("http://my.uscis.gov", "http"),
            ("ftp://my.uscis.gov", "https"),
            ("https://user:pw@my.uscis.gov", "user name"),
            ("https://my.uscis.gov?x=1", "query"),
            ("https://", "address"),
            ("", "empty"),
            ("https://my.uscis.gov:99999", "address"),
        ],
    )
    def test_base_url_must_be_https_or_loopback(self, base: str, fault: str | None) -> None:
        problem = check_base_url(base)
        assert problem is None if fault is None else problem is not None and fault in problem

    def test_loopback_is_only_this_machine(self) -> None:
        assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.9.9.9", "::1")))
        assert not any(map(is_loopback, ("localhost.example", "128.0.0.1", "::2", "", "127.0.0.1.example")))

    def test_host_of_an_address_is_lower_case_without_port(self) -> None:
        assert [host_of("https://My.USCIS.gov:444/x"), host_of("http://[::1]:8/")] == ["my.uscis.gov", "::1"]


class TestRedirects:
    def test_redirects_are_followed_like_in_a_browser(self) -> None:
        def answer(request: ReceivedRequest) -> bytes:
            if request.target == "/start":
                return reply(302, Location="/end")
            return reply(200, f"{request.method} {request.headers.get('content-type')}".encode())

        with serve(answer) as server, portal() as http:
            response = http.send("POST", f"{server.origin}/start", form={"a": "b"})
        assert (response.body, response.url) == (b"GET None", f"{server.origin}/end")

    def test_307_keeps_method_and_body_on_the_same_origin(self) -> None:
        def answer(request: ReceivedRequest) -> bytes:
            return reply(307, Location="/end") if request.target == "/start" else reply(200, request.body)

        with serve(answer) as server, portal() as http:
            assert http.send("POST", f"{server.origin}/start", form={"a": "b"}).body == b"a=b"

    def test_submitted_form_is_not_sent_to_another_origin(self) -> None:
        with (
            serve(lambda _: reply()) as other,
            serve(lambda _: reply(307, Location=other.origin)) as server,
            portal() as http,
            pytest.raises(ForeignHost, match="submitted"),
        ):
            http.send("POST", server.origin, form={"password": "hunter2"})
        assert other.requests == []

    def test_token_is_not_sent_to_another_origin(self) -> None:
        with (
            serve(lambda _: reply()) as other,
            serve(lambda _: reply(302, Location=other.origin)) as server,
            portal() as http,
        ):
            http.send("GET", server.origin, headers={"Authorization": "Bearer t", "X-Key": "k", "Accept": "text/html"})
        headers = other.requests[0].headers
        assert "authorization" not in headers
        assert "x-key" not in headers
        assert headers["accept"] == "text/html"

    def test_redirect_loop_ends(self) -> None:
        with serve(lambda _: reply(302, Location="/again")) as server, portal() as http:
            with pytest.raises(UnexpectedAnswer, match="more than 10"):
                http.send("GET", server.origin)
            assert len(server.requests) == 11

    def test_redirects_are_not_followed_if_disabled(self) -> None:
        with serve(lambda _: reply(302, Location="https://evil.example")) as server, portal() as http:
            assert http.send("GET", server.origin, follow=False).headers["location"] == "https://evil.example"

    def test_redirect_to_an_invalid_address_is_an_unexpected_answer(self) -> None:
        with (
            serve(lambda _: reply(302, Location="https://[::1")) as server,
            portal() as http,
            pytest.raises(UnexpectedAnswer, match="an invalid address"),
        ):
            http.send("GET", server.origin)


class TestCookies:
    def test_cookies_are_ignored_without_a_jar(self) -> None:
        with serve(lambda _: reply(200, b"", Set_Cookie="s=1")) as server, portal() as http:
            http.send("GET", server.origin)
            http.send("GET", server.origin)
        assert "cookie" not in server.requests[1].headers

    def test_cookies_are_stored_in_the_jar_on_redirects_too(self) -> None:
        jar = CookieJar()

        def answer(request: ReceivedRequest) -> bytes:
            return reply(302, Location="/in", Set_Cookie="s=1; Path=/") if request.target == "/" else reply()

        with serve(answer) as server, portal(cookies=jar) as http:
            http.send("GET", f"{server.origin}/")
        assert server.requests[1].headers["cookie"] == "s=1"
        assert [cookie.name for cookie in jar] == ["s"]

    @pytest.mark.parametrize("status", [400, 413, 431])
    def test_cookies_that_are_too_long_for_the_portal_are_forgotten(self, status: int) -> None:
        def answer(received: ReceivedRequest) -> bytes:
            is_too_long = len(received.headers.get("cookie", "")) > 8192
            return reply(status if is_too_long else 200)

        saved: list[int] = []
        for size, kept in ((3000, True), (9000, False)):
            jar = CookieJar((Cookie(name="a", value="x" * size, domain="127.0.0.1", host_only=True),))
            with serve(answer) as server, portal(cookies=jar, on_cookies=lambda: saved.append(1)) as http:
                with nullcontext() if kept else pytest.raises(SessionEnded, match="too long"):
                    http.send("GET", server.origin)
                assert http.send("GET", server.origin).status == 200
            assert bool(len(jar)) is kept
        assert saved == [1]

    def test_other_refusals_keep_the_cookies(self) -> None:
        jar = CookieJar((Cookie(name="a", value="x" * 100, domain="127.0.0.1", host_only=True),))
        with serve(lambda _: reply(400)) as server, portal(cookies=jar) as http:
            assert http.send("GET", server.origin).status == 400
        assert len(jar) == 1

    def test_cookie_for_another_host_is_not_stored(self) -> None:
        jar = CookieJar()
        with (
            serve(lambda _: reply(200, b"", Set_Cookie="s=1; Domain=uscis.gov")) as server,
            portal(cookies=jar) as http,
        ):
            http.send("GET", server.origin)
        assert len(jar) == 0


class TestTls:
    def test_additional_authority_can_be_trusted(self, authority: trustme.CA, ca_file: Path) -> None:
        with serve(lambda _: reply(204), server_tls(authority)) as server, portal(ca_file=ca_file) as http:
            assert http.send("GET", server.origin).status == 204

    def test_unknown_authority_is_not_trusted(self, authority: trustme.CA) -> None:
        with (
            serve(lambda _: reply(), server_tls(authority)) as server,
            portal() as http,
            pytest.raises(PortalUnavailable, match=r"127\.0\.0\.1: its certificate cannot be verified"),
        ):
            http.send("GET", server.origin)
        assert server.requests == []

    def test_certificate_for_another_name_is_not_trusted(self, authority: trustme.CA, ca_file: Path) -> None:
        with (
            serve(lambda _: reply(), server_tls(authority, "other.example")) as server,
            portal(ca_file=ca_file) as http,
            pytest.raises(PortalUnavailable, match="certificate"),
        ):
            http.send("GET", server.origin)
        assert server.requests == []

    @pytest.mark.parametrize("content", [None, b"", b"no certificate"])
    def test_unusable_ca_file_is_reported(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "ca.pem"
        if content is not None:
            path.write_bytes(content)
        with portal(ca_file=path) as http, pytest.raises(PortalUnavailable, match=r"cannot use ca_file"):
            http.send("GET", "https://127.0.0.1:1/")


class TestFailure:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 521])
    def test_server_error_is_unavailable_unless_allowed(self, status: int) -> None:
        with serve(lambda _: reply(status, b"<html>")) as server, portal() as http:
            with pytest.raises(PortalUnavailable, match=str(status)) as caught:
                http.send("GET", f"{server.origin}/case?token=secret")
            assert http.send("GET", server.origin, allow={status}).status == status
        assert caught.value.retry_after is None
        assert "secret" not in str(caught.value)

    def test_retry_after_is_reported(self) -> None:
        with (
            serve(lambda _: reply(429, Retry_After="3600")) as server,
            portal() as http,
            pytest.raises(PortalUnavailable) as caught,
        ):
            http.send("GET", server.origin)
        assert caught.value.retry_after == timedelta(hours=1)

    @pytest.mark.parametrize(
        ("header", "wait"),
        [
            (None, None),
            ("120", timedelta(minutes=2)),
            (" 0 ", timedelta(0)),
            ("9" * 5000, timedelta(days=7)),
            ("-5", None),
            ("soon", None),
            ("1.5", None),
            ("", None),
            ("Sun, 22 Nov 2026 13:00:00 GMT", timedelta(hours=1)),
            ("Sun, 22 Nov 2026 11:00:00 GMT", timedelta(0)),
            ("Sun, 22 Nov 2026 13:00:00", timedelta(hours=1)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(days=7)),
        ],
    )
    def test_retry_after_is_seconds_or_a_date(self, header: str | None, wait: timedelta | None) -> None:
        assert parse_retry_after(header, NOW) == wait

    @given(st.text())
    def test_retry_after_is_never_negative_or_longer_than_a_week(self, header: str) -> None:
        wait = parse_retry_after(header, NOW)
        assert wait is None or timedelta(0) <= wait <= timedelta(days=7)

    def test_refused_connection_is_unavailable(self) -> None:
        with serve(lambda _: reply()) as server:
            closed_origin = server.origin
        with portal() as http, pytest.raises(PortalUnavailable, match=r"cannot read from 127\.0\.0\.1: no connection"):
            http.send("GET", f"{closed_origin}/?token=secret")

    def test_unknown_host_name_is_unavailable(self) -> None:
        with portal("nowhere.invalid") as http, pytest.raises(PortalUnavailable, match=r"nowhere\.invalid"):
            http.send("GET", "https://nowhere.invalid/")

    @pytest.mark.parametrize(
        "wire",
        [
            b"",
            b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
            b"SSH-2.0-OpenSSH\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        ],
        ids=["hangs up", "cut off", "no HTTP", "giant header", "broken chunks"],
    )
    def test_malformed_response_is_unavailable(self, wire: bytes) -> None:
        with serve(lambda _: [wire]) as server, portal() as http, pytest.raises(PortalUnavailable):
            http.send("GET", server.origin)

    def test_error_about_an_invalid_header_does_not_contain_the_secret(self) -> None:
        with serve(lambda _: reply()) as server, portal() as http:
            for value in ("Bearer secret\r\nX: y", "Bearer secret\N{SNOWMAN}"):
                with pytest.raises(ReadFailed) as caught:
                    http.send("GET", server.origin, headers={"Authorization": value})
                assert "secret" not in str(caught.value)

    def test_body_length_is_limited(self) -> None:
        with (
            serve(lambda _: reply(200, b"x" * 1001)) as server,
            portal(max_bytes=1000) as http,
            pytest.raises(UnexpectedAnswer, match="longer than 1000"),
        ):
            http.send("GET", server.origin)

    def test_answer_in_chunks_of_one_byte_takes_no_more_memory_than_another(self) -> None:
        chunks = b"1\r\nx\r\n" * 200_000

        def answer(_: ReceivedRequest) -> Iterator[bytes]:
            yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"

        with serve(answer) as server, portal(request_deadline=300.0) as http:
            tracemalloc.start()
            try:
                body = http.send("GET", server.origin).body
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
        assert len(body) == 200_000
        assert peak < 6_000_000

    def test_decompression_bomb_is_not_decompressed(self) -> None:
        bomb = gzip.compress(b"\0" * 5_000_000)
        with (
            serve(lambda _: reply(200, bomb, Content_Encoding="gzip")) as server,
            portal(max_bytes=1_000_000) as http,
            pytest.raises(UnexpectedAnswer, match="longer than"),
        ):
            http.send("GET", server.origin)

    def test_unrequested_compression_is_undone(self) -> None:
        assert decompress(gzip.compress(b"hello"), "gzip", 100) == b"hello"
        assert decompress(b"hello", "identity", 100) == b"hello"
        assert decompress(zlib.compress(b"hello"), "deflate", 100) == b"hello"
        raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        assert decompress(raw.compress(b"hello") + raw.flush(), "deflate", 100) == b"hello"
        assert decompress(gzip.compress(gzip.compress(b"hello")), "gzip, GZIP", 100) == b"hello"
        assert decompress(b"", "gzip", 100) == b""
        for encoding in ("utf-8", "none", "", "identity, binary"):
            assert decompress(b"hello", encoding, 100) == b"hello"
        for body, encoding in ((gzip.compress(b"hello")[:-9], "gzip"), (b"nonsense", "gzip"), (b"x", "br")):
            with pytest.raises(UnexpectedAnswer):
                decompress(body, encoding, 100)


def drip(stop: Event, first: bytes) -> Iterator[bytes]:
    yield first
    while not stop.wait(0.05):
        yield b"x"


class TestDeadline:
    @pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\ny: ", b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n"])
    def test_slowly_dripping_bytes_do_not_extend_the_deadline(self, first: bytes) -> None:
        finished = Event()
        with serve(lambda _: drip(finished, first)) as server, portal(request_deadline=0.3) as http:
            started = time.monotonic()
            with pytest.raises(PortalUnavailable, match="in time"):
                http.send("GET", server.origin)
            assert time.monotonic() - started < 3
            finished.set()

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_silent_server_is_unavailable(self, scheme: str) -> None:
        with create_server(("127.0.0.1", 0)) as silent, portal(request_deadline=0.3) as http:
            started = time.monotonic()
            with pytest.raises(PortalUnavailable, match=r"in time|too long"):
                http.send("GET", f"{scheme}://127.0.0.1:{silent.getsockname()[1]}")
            assert time.monotonic() - started < 3

    def test_request_in_flight_gets_its_answer_when_the_daemon_stops(self) -> None:
        stop = Event()

        def answer_while_stopping(_: ReceivedRequest) -> Iterator[bytes]:
            stop.set()
            yield reply()

        with serve(answer_while_stopping) as server, portal(stop=stop) as http:
            assert http.send("GET", server.origin).status == 200

    def test_stopping_the_daemon_ends_a_waiting_request_after_the_grace(self) -> None:
        stop, release = Event(), Event()

        def stay_silent(_: ReceivedRequest) -> Iterator[bytes]:
            release.wait(30)
            yield b""

        with serve(stay_silent) as server, portal(stop=stop, stop_grace=0.2) as http:
            Timer(0.2, stop.set).start()
            started = time.monotonic()
            with pytest.raises(PortalUnavailable, match="stopping"):
                http.send("GET", server.origin)
            assert time.monotonic() - started < 3
            release.set()

    def test_nothing_is_sent_while_stopping(self) -> None:
        stop = Event()
        with serve(lambda _: reply()) as server, portal(stop=stop) as http:
            http.send("GET", server.origin)
            stop.set()
            with pytest.raises(PortalUnavailable, match="stopping"):
                http.send("GET", server.origin)
        assert len(server.requests) == 1


class TestDecoding:
    @pytest.mark.parametrize(
        ("headers", "body", "text"),
        [
            ({"content-type": "text/html; charset=iso-8859-1"}, b"Jos\xe9", "José"),
            ({}, b'<meta charset="windows-1252">\x80', '<meta charset="windows-1252">€'),
            ({}, b'<meta content="text/html; charset=latin-1">\xe9', '<meta content="text/html; charset=latin-1">é'),
            ({"content-type": "text/html; charset=klingon"}, "é".encode(), "é"),
            ({}, b"\xef\xbb\xbfabc", "abc"),
            ({"content-type": "text/html; charset=klingon"}, b"Jos\xe9", "José"),
            ({"content-type": "text/html; charset=utf-8"}, b"Jos\xe9", "José"),
            ({"content-type": "text/html; charset=us-ascii"}, b"Jos\xe9 \x80", "José €"),
            ({"content-type": "text/html; charset=iso-8859-1"}, "José".encode(), "José"),
            ({"content-type": "text/html; charset=windows-1251"}, "Јосиф".encode("cp1251"), "Јосиф"),
            ({"content-type": "text/html; charset=utf-7"}, b"+AGE-", "+AGE-"),
            ({"content-type": "text/html; charset=hex"}, b"6a", "6a"),
            ({"content-type": "text/html; charset=gb2312"}, "镕基".encode("gbk"), "镕基"),
            ({"content-type": "text/html; charset=iso-2022-jp"}, "日本".encode("iso-2022-jp"), "日本"),
            ({"content-type": "text/html; charset=utf-8"}, b"\xff\xfe" + "é".encode("utf-16-le"), "é"),
            ({"content-type": "text/html; charset=utf-8"}, b'<meta charset="cp1250">\xe8', '<meta charset="cp1250">č'),
            ({}, "José".encode() + b"\xff", "José\N{REPLACEMENT CHARACTER}"),
            ({}, b"\xff", "ÿ"),
        ],
    )
    def test_text_is_decoded_with_the_declared_charset(
        self, headers: Mapping[str, str], body: bytes, text: str
    ) -> None:
        assert Response(status=200, url="", headers=headers, body=body).text() == text

    @pytest.mark.parametrize(
        ("charset", "encoding"),
        [
            ("iso-8859-1", "latin-1"),
            ("iso-8859-1", "utf-8"),
            ("utf-8", "latin-1"),
            ("utf-16", "utf-8"),
            ("utf-16", "utf-16"),
            ("klingon", "utf-8"),
        ],
    )
    def test_json_is_read_whatever_its_declared_charset(self, charset: str, encoding: str) -> None:
        body = '{"name": "José"}'.encode(encoding)
        answer = reply(200, body, Content_Type=f"application/json; charset={charset}")
        with serve(lambda _: answer) as server, portal() as http:
            response = http.send("GET", server.origin)
        assert response.json() == {"name": "José"}

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"", "empty"),
            (b"\n <!DOCTYPE html><title>Down</title>", "HTML"),
            (b'{"a": ', "character 6"),
            (b"[" * 100_000, "damaged"),
            (b"\xff\xfe\xfd", "damaged"),
            (b'"\\ud800"', "damaged"),
            (b'"\xed\xa0\x80"', "damaged"),
            ('"\ud800"'.encode("utf-16", "surrogatepass"), "damaged"),
            (b"9" * 10_000, "damaged"),
        ],
        ids=lambda value: str(value)[:12],
    )
    def test_invalid_json_is_an_unexpected_answer(self, body: bytes, message: str) -> None:
        with pytest.raises(UnexpectedAnswer, match=message):
            read_json(body)

    def test_escaped_surrogate_pair_is_decoded(self) -> None:
        assert read_json(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"

    @given(st.binary())
    def test_text_never_fails_and_json_raises_only_unexpected_answer(self, body: bytes) -> None:
        read_text(body)
        with suppress(UnexpectedAnswer):
            read_json(body)


def test_trace_saves_every_response() -> None:
    class RecordingTrace:
        def __init__(self) -> None:
            self.rows: list[tuple[str, int, bytes]] = []

        def save(self, name: str, *, status: int, url: str, headers: Mapping[str, str], body: bytes) -> None:
            assert url.startswith("http")
            assert headers["content-length"] == str(len(body))
            self.rows.append((name, status, body))

    def answer(request: ReceivedRequest) -> bytes:
        return reply(302, Location="/b") if request.target == "/a" else reply(200, b"hi")

    trace = RecordingTrace()
    with serve(answer) as server, portal(trace=trace) as http:
        http.send("GET", f"{server.origin}/a")
    assert trace.rows == [("GET /a", 302, b""), ("GET /b", 200, b"hi")]
