"""Every reader of external text, given malicious text: it ends soon with a declared error and keeps little memory.

What the portals' recorded answers become when they are damaged is tested beside them; here stands what no honest
sender would write: nests without end, numbers without end, lies about the charset, tables of a million lines.
"""

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watcher.errors import ReadFailed, SettingsFaults
from watcher.portals import find
from watcher.portals.uscis import UscisAccount
from watcher.settings.config_files import read_document
from watcher.settings.processing_times import parse_processing_times, read_processing_times
from watcher.sign_in.code_mail import find_code
from watcher.sign_in.cookie_files import read_cookies
from watcher.sign_in.cookie_formats import BadCookieFile

SECONDS = 20.0
"""Far above what any of these needs, far below what a quadratic reader would need."""

MEBIBYTES = 400
_HOSTS = ("my.uscis.gov",)
_SINCE = datetime(2026, 11, 22, tzinfo=UTC)


def _har(text: str) -> bytes:
    address = "https://my.uscis.gov/account/case-service/api/cases/IOE0000000001"
    entry = {"request": {"url": address}, "response": {"status": 200, "content": {"text": text}}}
    return json.dumps({"log": {"entries": [entry]}}).encode()


def _letter(body: bytes, kind: bytes = b"text/html; charset=utf-8", more: bytes = b"") -> bytes:
    return (
        b"From: codes@portal.example.gov\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
        + more
        + (b"Content-Type: " + kind + b"\r\n\r\n" + body)
    )


_NESTS: Mapping[str, bytes] = {
    "lists": b"[" * 200_000,
    "closed lists": b"[" * 50_000 + b"]" * 50_000,
    "objects": b'{"a":' * 100_000,
    "closed objects": b'{"data":' * 20_000 + b"1" + b"}" * 20_000,
    "elements": b"<div>" * 30_000,
    "a number": b'{"data": ' + b"9" * 100_000 + b"}",
    "a string": b'{"data": "' + b"\\u00e9" * 300_000 + b'"}',
    "many keys": json.dumps({f"key{place}": place for place in range(50_000)}).encode(),
    "no charset's bytes": bytes(range(128, 256)) * 2_000,
    "wide characters": "[{}]".encode("utf-16") * 20_000,
    "nothing but zeros": b"\0" * 1_000_000,
    "an archive within": _har("[" * 100_000),
    "an archive of lies": _har(json.dumps({"data": {"receiptNumber": "../../etc/passwd", "formType": "\u202eI-485"}})),
    "inputs": b"<input name=a value=b>" * 20_000,
    "a comment without end": b"<!--" + b"-" * 500_000,
    "an entity": b"<p>" + b"&amp;" * 200_000,
    "cookie lines": b"my.uscis.gov\tTRUE\t/\tTRUE\t0\ta\tb\n" * 20_000,
    "one long line": b"a" * 2_000_000,
    "commas": b"," * 500_000,
}


@contextmanager
def _within_bounds() -> Iterator[None]:
    tracemalloc.start()
    begun = time.process_time()
    try:
        yield
        assert time.process_time() - begun < SECONDS
        assert tracemalloc.get_traced_memory()[1] < MEBIBYTES * 2**20
    finally:
        tracemalloc.stop()


def _portal(name: str) -> Callable[[bytes], None]:
    portal = find(name)

    def read(body: bytes) -> None:
        for endpoint in ("case", "status", "application", "profile"):
            with pytest.raises(ReadFailed):
                portal.read({endpoint: body}, "en")

    return read


def _import(body: bytes) -> None:
    take = find("uscis").importer(UscisAccount(name="family", portal="uscis"))
    assert take is not None
    with pytest.raises(ReadFailed):
        take([("saved.har", body)], "en")


def _cookies(body: bytes) -> None:
    try:
        read_cookies(body, hosts=_HOSTS, now=0)
    except BadCookieFile as fault:
        assert len(str(fault)) < 500  # noqa: PT017 - a file of nothing but comments is no fault


def _mail(body: bytes) -> None:
    for kind in (b"text/html; charset=utf-8", b"text/plain; charset=x-none", b"multipart/mixed; boundary=a"):
        verdict = find_code(_letter(body, kind), sender="codes@portal.example.gov", since=_SINCE)
        assert verdict.code is None


READERS: Mapping[str, Callable[[bytes], None]] = {
    "the API's answers": _portal("uscis-api"),
    "the account's answers": _portal("uscis"),
    "the tracker's answers": _portal("ircc"),
    "an import": _import,
    "cookies": _cookies,
    "mail": _mail,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("nest", _NESTS)
def test_malicious_input_is_refused_quickly_and_with_little_memory(reader: str, nest: str) -> None:
    with _within_bounds():
        READERS[reader](_NESTS[nest])


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_unrelated_json_is_not_a_case(content: object) -> None:
    body = json.dumps(content).encode()
    for reader in ("the API's answers", "the account's answers", "the tracker's answers"):
        READERS[reader](body)


@given(st.binary(max_size=400), st.sampled_from(["utf-7", "utf-16", "idna", "punycode", "zlib", "rot13", "\u00e9"]))
@settings(max_examples=60, deadline=None)
def test_mail_with_a_wrong_charset_is_read(body: bytes, charset: str) -> None:
    kind = f"text/plain; charset={charset}".encode()
    find_code(_letter(body, kind), sender="codes@portal.example.gov", since=_SINCE)


def test_mail_with_deeply_nested_parts_is_read() -> None:
    body = b"".join(b"--a%d\r\nContent-Type: multipart/mixed; boundary=a%d\r\n\r\n" % (n, n + 1) for n in range(300))
    with _within_bounds():
        find_code(_letter(body, b"multipart/mixed; boundary=a0"), sender="codes@portal.example.gov", since=_SINCE)


def test_large_mail_headers_hide_nothing() -> None:
    more = b"X-Padding: " + b"x" * 1_000_000 + b"\r\n" + b"Received: a\r\n" * 20_000
    with _within_bounds():
        find_code(_letter(b"Your code is 123456.", b"text/plain", more), sender="@example.net", since=_SINCE)


@pytest.mark.parametrize(
    "content",
    [
        b"a=" + b"[" * 100_000,
        b"a=" + b"{b=" * 50_000,
        b"=" * 50_000,
        b"\xff",
        b"a" + b".a" * 500_000 + b"=1",
        b"a=" + b"9" * 100_000,
        b"a" * 2_000_000,
    ],
    ids=["lists", "tables", "signs", "no text", "a dotted key", "a number", "a large file"],
)
def test_malicious_configuration_is_an_error_of_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "watcher.toml"
    file.write_bytes(content)
    with _within_bounds(), pytest.raises(SettingsFaults) as caught:
        read_document(file)
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize("text", ["form,days\nI-485," + "4" * 200_000, '"' + "a" * 200_000, "a,1\n" * 50_000 + "a,"])
def test_malicious_processing_times_are_errors_with_line_numbers(text: str) -> None:
    with _within_bounds(), pytest.raises(SettingsFaults, match="line "):
        parse_processing_times(text)


def test_endless_processing_times_are_one_error(tmp_path: Path) -> None:
    file = tmp_path / "times.csv"
    file.write_bytes(b"I-485,420\n" * 200_000)
    with pytest.raises(SettingsFaults, match="larger than"):
        read_processing_times(file)


@given(st.text(max_size=300))
@settings(max_examples=80, deadline=None)
def test_processing_times_are_read_or_refused(text: str) -> None:
    try:
        times = parse_processing_times(text)
    except SettingsFaults as faults:
        assert all(fault.startswith("line ") for fault in faults.faults)  # noqa: PT017 - most texts, not all
    else:
        assert all(span.days > 0 for span in times.values())
