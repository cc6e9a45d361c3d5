"""Responses with header lines that HTTP does not allow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.loopback import ReceivedRequest, serve
from tests.http.test_client import portal
from watcher.http.response import Response
from watcher.http.response_head import end_of_head, is_informational, tidy_head

OK = b"HTTP/1.1 200 OK\r\n"


def fetch(*chunks: bytes) -> Response:
    """Send one request to a server that answers with these bytes and hangs up."""

    def answer(_: ReceivedRequest) -> list[bytes]:
        return list(chunks)

    with serve(answer) as server, portal() as http:
        return http.send("GET", server.origin)


@pytest.mark.parametrize(
    "line",
    [
        b"get-ban-to-cache/forum.php: no",
        b'"X-XSS-Protection: 0"',
        b"a line without a colon",
        b": no name",
        b"X-Name\xe9: x",
        b"x: a\x00b",
        b"x: a\rb",
        b"bad name: x\r\n\tand its continuation",
        b"\tcontinues nothing",
        b"Content-Length: many",
        b"Transfer-Encoding: identity",
    ],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_malformed_line_costs_only_itself(line: bytes, end: bytes) -> None:
    head = OK.rstrip() + end + line + end + b"Content-Type: text/plain" + end + b"content-length: 5" + end + end

    response = fetch(head + b"hello")

    assert (response.status, response.body, response.headers["content-type"]) == (200, b"hello", "text/plain")


def test_space_before_the_colon_is_not_part_of_the_name() -> None:
    response = fetch(OK + b"X-Frame-Options : DENY\r\nTransfer-Encoding : chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")

    assert (response.headers["x-frame-options"], response.body) == ("DENY", b"hello")


def test_repeated_transfer_coding_is_undone_once() -> None:
    coding = b"Transfer-Encoding: chunked\r\n"

    assert fetch(OK + coding + coding + b"\r\n5\r\nhello\r\n0\r\n\r\n").body == b"hello"


def test_folded_line_is_kept() -> None:
    assert fetch(OK + b"x: a\r\n  b\r\ncontent-length: 0\r\n\r\n").headers["x"] == "a b"


def test_head_may_arrive_byte_by_byte() -> None:
    wire = OK + b"bad line\r\nx: 1\r\ncontent-length: 5\r\n\r\nhello"

    response = fetch(*(wire[at : at + 1] for at in range(len(wire))))

    assert (response.headers["x"], response.body) == ("1", b"hello")


def test_every_head_of_informational_responses_is_tidied() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nbad line\r\n\r\n"

    assert fetch(early + early, OK + b"bad line\r\ncontent-length: 5\r\n\r\nhello").body == b"hello"


def test_connection_is_used_again_after_a_malformed_line() -> None:
    def answer(_: ReceivedRequest) -> bytes:
        return OK + b"bad line\r\ncontent-length: 7\r\n\r\na: b\r\n\x00"

    with serve(answer) as server, portal() as http:
        bodies = [http.send("GET", server.origin).body for _ in range(3)]

    assert bodies == [b"a: b\r\n\x00"] * 3
    assert server.connections == 1


_LINES = st.binary(max_size=20).map(lambda line: line.replace(b"\n", b""))


@given(st.lists(_LINES, max_size=5))
def test_valid_lines_stay_whatever_surrounds_them(lines: list[bytes]) -> None:
    head = OK + b"".join(line + b"\r\n" for line in lines if line.rstrip(b"\r")) + b"\r\n"

    tidied = tidy_head(head[:-2] + b"valid: 1\r\n\r\n")

    assert tidied.startswith(OK)
    assert tidied.endswith(b"valid: 1\r\n\r\n")
    assert end_of_head(tidied) == len(tidied)
    assert tidy_head(tidied) == tidied


def test_what_is_not_http_is_not_waited_for() -> None:
    assert end_of_head(b"") is None
    assert end_of_head(b"HTTP/1.1 200") is None
    assert end_of_head(b"SSH-2.0") == 7


def test_informational_is_1xx() -> None:
    assert is_informational(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert not is_informational(OK)
