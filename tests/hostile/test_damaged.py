"""Every reader of external text, given recorded answers, files, and letters that were damaged.

Whatever is read, it ends soon, and either well or in an error that is declared. `FUZZ_EXAMPLES` says how many damages
each reader meets (else a few): `FUZZ_EXAMPLES=20000 python -m pytest tests/hostile` takes an hour or two.
"""

import gzip
import json
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.doubles.loopback import reply, serve
from tests.hostile.damage import damaged
from tests.http.test_client import portal as http_portal
from tests.portals.recordings import recordings
from tests.recipe.run.test_snapshot import API, NUMBER, PAGES
from tests.reference.lists import INQUIRY, ORIGIN, TODAY, cell, data_set
from tests.sign_in.code_mails import SENDER, letter
from tests.sign_in.test_cookie_files import HOSTS, JSON, NETSCAPE, NOW
from tests.support.workspace import REPOSITORY
from watcher import portals
from watcher.errors import ReadFailed, SettingsFaults
from watcher.model.cookie import CookieJar
from watcher.notices.file_type import NotADocument, file_extension
from watcher.notices.pdf_check import PdfChecker
from watcher.portal import Download
from watcher.portals import find
from watcher.portals.uscis import UscisAccount
from watcher.practice.site import pdf
from watcher.recipe.model import Recipe
from watcher.recipe.page import budget
from watcher.recipe.page.page import Page
from watcher.recipe.parse.check import RecipeFaults, parse_recipe
from watcher.recipe.run.kept_answers import CASE
from watcher.recipe.run.snapshot import read_case
from watcher.recipe.workshop.trace_files import traced_answers
from watcher.reference.inquiry_dates import parse_inquiry_dates
from watcher.reference.visa_bulletin import parse_bulletins, parse_filing_charts, recent_bulletins
from watcher.settings.load import load
from watcher.settings.processing_times import parse_processing_times
from watcher.sign_in.code_mail import find_code
from watcher.sign_in.cookie_files import read_cookies
from watcher.sign_in.cookie_formats import BadCookieFile

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
SECONDS = 2 * budget.SECONDS  # a page may take its whole budget
_MOMENT = datetime(2026, 11, 22, 12, tzinfo=UTC)
_RECORDED = [recording for recording in recordings() if "raises" not in recording.expected]
_ANSWERS = [(recording, endpoint) for recording in _RECORDED for endpoint in recording.answers]

bounded = hypothesis_settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)
Read: TypeAlias = Callable[[bytes], object]


@contextmanager
def _soon() -> Iterator[None]:
    """Bound the processor time, which other load cannot stretch; the child that searches pages has its own budget."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < SECONDS


def _files(folder: Path, pattern: str) -> Sequence[bytes]:
    found = [file.read_bytes() for file in sorted(folder.glob(pattern))]
    assert found, f"{pattern} is nowhere in {folder}"
    return found


# --- pages for a recipe -------------------------------------------------------------------------------------------

_PAGE = b"""<html><body><div id="case-detail"><h1>Application to Adjust Status</h1><p class="form-type">I-485</p>
<p class="status">Case Was Received</p><p class="status-text">We have it.</p><p class="status-date">May 29, 2026</p>
<p class="filed">May 20, 2026</p><time class="updated" datetime="2026-05-29T10:00:00-04:00">then</time>
<ul><li class="action-item" data-id="a1"><span class="kind">Request for Evidence</span><b class="title">Send it</b>
<span class="due">August 1, 2026</span></li></ul>
<div class="notice" data-id="n1"><b class="title">Receipt</b><i class="date">May 29, 2026</i><a href="/n/1">it</a></div>
<p class="event" data-id="e1"><i class="date">May 29, 2026</i><b class="text">Received</b></p></div></body></html>"""
_JSON = json.dumps(
    {
        "case": {
            "form_type": "I-485",
            "title": "Application to Adjust Status",
            "status": "Case Was Received",
            "status_text": "We have it.",
            "status_date": "2026-05-29",
            "filed_on": "2026-05-20",
            "updated_at": "2026-05-29T10:00:00-04:00",
            "action_items": [{"id": "a1", "kind": "Interview", "title": "Come", "due_on": "2026-08-01", "place": "X"}],
            "notices": [{"id": "n1", "title": "Receipt", "date": "2026-05-29", "url": "/n/1"}],
            "history": [{"id": "e1", "date": "2026-05-29", "text": "Received"}],
        }
    }
).encode()


_HEAD = """name = "Office"
base_url = "https://x.example"
[links]
sign_in = "https://x.example/"
help = "https://x.example/"
[case]
get = "/?n={case_number}"
"""
_RSS = b"""<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE rss [<!ENTITY a "b">]>
<rss><channel><link>https://x.example/?a=1&b=2</link><item id="7"><title>Number: IOE0000000001</title>
<description><![CDATA[It &egrave; <b>ready</b>]]></description><date>20260529</date></item></channel></rss>"""
_BY_XML = parse_recipe(
    f"""{_HEAD}expect = "xml:channel/item"
[case.fields]
status = "xml:item/description | css:b"
title = "xml:item/title"
form = "xml:item@id"
submitted_on = "xml:item/date"
""",
    "rss.toml",
)
_LABELS = b"""<html><table><tr><td>Number:</td><td>IOE0000000001</td></tr><tr><th scope=row>Decision</th>
<td>Received;then;more</td></tr><tr><td>Date</td><td>May 29, 2026</td></tr></table><dl><dt>Office<dd>Here</dl></html>"""
_BY_LABEL = parse_recipe(
    f"""{_HEAD}expect = "css:td:lexbor-contains('{{case_number}}')"
not_found = ["text:no such case"]
pending_status = "Not yet"
[case.fields]
status = "row:Decision | split:;"
description = "row:Decision | split:; #2"
submitted_on = "row:Date"
office = "row:Office"
date_format = "%B %d, %Y"
""",
    "labels.toml",
)


def _by_recipe(recipe: Recipe, said: str) -> Read:
    def read(body: bytes) -> None:
        for kind in (f"{said}; charset=utf-7", said, ""):
            page = Page(status=200, url="https://x.example/cases/1", headers={"content-type": kind}, body=body)
            str(read_case(recipe, {CASE: page}, NUMBER)).encode()

    return read


# --- files, letters, documents ------------------------------------------------------------------------------------


def _archives() -> Sequence[bytes]:
    """Return the recorded answers of the account's own service, as a browser saves them."""
    address = "https://my.uscis.gov/account/case-service/api/cases/IOE0000000001"
    answers = [recording.answers["case"].decode() for recording in _RECORDED if recording.portal == "uscis"]
    entries = [
        {
            "request": {"method": "GET", "url": address},
            "response": {"status": 200, "content": {"text": answer, "mimeType": "application/json"}},
        }
        for answer in answers
    ]
    return [json.dumps({"log": {"entries": [entry]}}).encode() for entry in entries] + [
        answer.encode() for answer in answers
    ]


def _import(body: bytes) -> object:
    take = find("uscis").importer(UscisAccount(name="family", portal="uscis"))
    assert take is not None
    return take([("saved.har", body)], "en")


def _recipe_file(body: bytes) -> object:
    return parse_recipe(body.decode("utf-8", "replace"), "some.toml")


def _letter(body: bytes) -> object:
    return find_code(body, sender=SENDER, since=_MOMENT)


_LETTERS = [
    letter("123456", dated=_MOMENT),
    letter("123456", dated=_MOMENT, kind="text/plain", page="Your code is {code}."),
    letter(
        "1", dated=_MOMENT, kind="multipart/mixed; boundary=b", page="--b\r\n\r\n{code}\r\n--b\r\n\r\nx\r\n--b--\r\n"
    ),
]

_BULLETIN = data_set(*(cell(f"2026-0{month}", "2014-02-01") for month in range(1, 10)))

READERS: Mapping[str, tuple[Sequence[bytes], Read, tuple[type[Exception], ...]]] = {
    "a page, by a recipe for pages": ([_PAGE], _by_recipe(PAGES, "text/html"), (ReadFailed,)),
    "an answer, by a recipe for JSON": ([_JSON], _by_recipe(API, "application/json"), (ReadFailed,)),
    "RSS, by a recipe for XML": ([_RSS], _by_recipe(_BY_XML, "application/rss+xml"), (ReadFailed,)),
    "a page, by a recipe for labels": ([_LABELS], _by_recipe(_BY_LABEL, "text/html"), (ReadFailed,)),
    "a recipe": (_files(REPOSITORY / "config" / "recipes", "*.toml"), _recipe_file, (RecipeFaults,)),
    "an import": (_archives(), _import, (ReadFailed,)),
    "cookies": (
        [NETSCAPE.encode(), json.dumps(JSON).encode()],
        lambda body: read_cookies(body, hosts=HOSTS, now=NOW),
        (BadCookieFile,),
    ),
    "mail": (_LETTERS, _letter, ()),
    "inquiry dates": (
        [INQUIRY.encode()],
        lambda body: parse_inquiry_dates(body, ORIGIN),
        (ReadFailed,),
    ),
    "visa bulletin": (
        [_BULLETIN, b"bulletin,chart,category,country,date\n2026-09,final_action,EB2,IN,2014-02-01\n" * 5],
        lambda body: recent_bulletins(body, TODAY) and parse_bulletins(body, ORIGIN),
        (ReadFailed,),
    ),
    "filing charts": (
        [b'{"2026-09": {"family": "dates_for_filing", "employment": "final_action"}}'],
        parse_filing_charts,
        (ReadFailed,),
    ),
    "processing times": (
        [b"form,days\n" + b"I-485,420\n\nN-400,270\n" * 20],
        lambda body: parse_processing_times(body.decode("utf-8", "replace")),
        (SettingsFaults,),
    ),
}


@pytest.mark.parametrize("reader", READERS)
def test_undamaged_input_is_read(reader: str) -> None:
    whole, read, _ = READERS[reader]
    for body in whole:
        read(body)


@pytest.mark.parametrize("reader", READERS)
@bounded
@given(data=st.data())
def test_damaged_input_is_read_or_refused_with_a_declared_error(reader: str, data: st.DataObject) -> None:
    whole, read, declared = READERS[reader]
    body = data.draw(damaged(whole))
    with _soon(), suppress(*declared):
        read(body)


@bounded
@given(data=st.data())
def test_damaged_recorded_answer_is_a_snapshot_or_a_declared_error(data: st.DataObject) -> None:
    recording, endpoint = data.draw(st.sampled_from(_ANSWERS))
    body = data.draw(damaged([recording.answers[endpoint]]))
    with _soon(), suppress(ReadFailed):
        str(recording.read({**recording.answers, endpoint: body})).encode()


@bounded
@given(body=damaged(_files(REPOSITORY / "config", "*.toml")))
def test_damaged_configuration_is_read_or_refused_with_the_file_name(tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "watcher.toml"
    file.write_bytes(body)
    file.chmod(0o600)
    strange: Collection[str] = ()
    with _soon():
        try:
            load(file, environ={"HOME": str(tmp_path)}, portals=portals)
        except SettingsFaults as faults:
            strange = [fault for fault in faults.faults if "\n" in fault or not fault.startswith(str(tmp_path))]
    assert not strange


@example(body=b'{"status": 1e999, "url": "https://x.example/a", "headers": {}}')  # JSON's infinity
@bounded
@given(body=damaged([json.dumps({"status": 200, "url": "https://x.example/a", "headers": {"a": "b"}}).encode()]))
def test_damaged_stored_answer_is_named(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "001-GET-a.answer.json").write_bytes(body)
    try:
        list(traced_answers(tmp_path))
    except ValueError as fault:
        assert "001-GET-a" in str(fault)  # noqa: PT017 - many are still answers


@hypothesis_settings(bounded, max_examples=max(EXAMPLES // 3, 10))
@given(data=st.data())
def test_damaged_pdf_is_accepted_or_refused(opener: PdfChecker, data: st.DataObject) -> None:
    body = data.draw(damaged([pdf.letter("Notice", ["Come at nine."] * 40)]))
    with _soon(), suppress(NotADocument):
        file_extension(Download(content=body, content_type="application/pdf"))
        opener.check(body)


@pytest.fixture(scope="module")
def opener() -> Iterator[PdfChecker]:
    with PdfChecker() as made:
        yield made


# --- answers over the network -------------------------------------------------------------------------------------

_TOLD = b'{"data": {"formType": "I-485"}}'
_WIRES = [
    reply(200, _TOLD, content_type="application/json", set_cookie="a=b; Path=/; HttpOnly"),
    reply(200, gzip.compress(_TOLD * 50), content_encoding="gzip"),
    reply(302, b"", location="/elsewhere", set_cookie="a=b; expires=Sun, 22 Nov 2026 12:00:00 GMT"),
    reply(429, b"", retry_after="Sun, 22 Nov 2026 12:05:00 GMT"),
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1f\r\n" + _TOLD + b"\r\n0\r\ntrailer: a\r\n\r\n",
]


@bounded
@given(wire=damaged(_WIRES))
def test_damaged_http_response_is_read_or_refused_with_a_declared_error(wire: bytes) -> None:
    options: dict[str, Any] = {"request_deadline": 0.5, "cookies": CookieJar()}
    with serve(lambda _: [wire]) as server, http_portal(**options) as http, _soon(), suppress(ReadFailed):
        answer = http.send("GET", server.origin)
        answer.text().encode("utf-8", "surrogatepass")
        answer.json()
