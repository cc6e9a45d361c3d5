"""Two hundred letters of every kind, from a portal that means no good, and a disk that has no room."""

import hashlib
import io
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfWriter

from tests.portals.context import FakeClock
from watcher.app import App, open_app
from watcher.context.opening import read_settings
from watcher.errors import ForeignHost, PortalUnavailable, SessionEnded, UnexpectedAnswer
from watcher.model.case import Notice, Snapshot
from watcher.model.ledger import MAX_DOWNLOAD_ATTEMPTS, TrackedNotice
from watcher.notices import fetch_notices
from watcher.notices.file_names import file_name, folder_name
from watcher.notices.file_type import MAX_DOCUMENT_BYTES, NotADocument, file_extension
from watcher.notices.pdf_check import PdfChecker
from watcher.portal import CaseRead, Download
from watcher.portals import find
from watcher.practice.site.pdf import letter
from watcher.reading.poll import record_results

ACCOUNT = "family"
NUMBER = "IOE0000000001"
DAY = date(2026, 6, 19)
PDF = letter("Request for Evidence", ["June 19, 2026", NUMBER])
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
TIFF = b"II*\x00" + bytes(64)
PAGE = b"<!doctype html><title>Sign in</title>"


def pdf(content: bytes = PDF) -> Download:
    return Download(content=content, content_type="application/pdf")


@dataclass
class Office:
    """What the portal has behind each notice: a document, or a failure. A reader that has read its cases."""

    behind: dict[str, Download | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def download(self, notice: Notice, *, max_bytes: int) -> Download:
        self.asked.append(notice.key)
        found = self.behind[notice.key]
        if isinstance(found, Exception):
            raise found
        assert max_bytes == MAX_DOCUMENT_BYTES
        return found


@dataclass
class Home:
    """Somebody whose case is in the books, and the letters that the portal offers for it."""

    app: App
    folder: Path
    office: Office = field(default_factory=Office)
    offered: list[Notice] = field(default_factory=list)

    def offer(
        self, title: str, behind: Download | Exception, *, key: str | None = None, dated: date | None = DAY
    ) -> str:
        name = key or f"n-{len(self.offered)}"
        self.offered.append(Notice(key=name, title=title, dated=dated, download=f"/letters/{len(self.offered)}"))
        self.office.behind[name] = behind
        return name

    def read(self, *, number: str = NUMBER) -> PortalUnavailable | None:
        """One read: the case as it is now, then its letters."""
        account = self.app.settings.accounts[ACCOUNT]
        notices = tuple(sorted(self.offered, key=lambda notice: notice.key))
        snapshot = Snapshot(case_number=number, status="Case Was Received", notices=notices)
        record_results([CaseRead(snapshot=snapshot)], account, find("manual"), self.app.context)
        return fetch_notices(self.office, account, {number}, self.app.context)

    def kept(self) -> dict[str, TrackedNotice]:
        return {kept.notice.key: kept for kept in self.app.store.notices()}

    def files(self) -> list[str]:
        """Everything that lies below the state folder and is no part of the database."""
        found = (file.relative_to(self.folder) for file in self.folder.rglob("*") if not file.is_dir())
        return sorted(str(file) for file in found if file.parts[0] != "locks" and "sqlite3" not in file.name)


def opened(folder: Path) -> Iterator[Home]:
    file = folder / "watcher.toml"
    file.write_text(
        f'timezone = "America/New_York"\nstate_dir = "{folder}/state"\n'
        f'[accounts.{ACCOUNT}]\nportal = "manual"\nsite = "egov"\ncases = ["{NUMBER}"]\n'
    )
    with open_app(read_settings(file, {}), clock=FakeClock()) as app:
        yield Home(app, folder / "state")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield from opened(tmp_path)


def test_a_new_letter_is_downloaded_once_checked_and_kept_for_its_owner_alone(home: Home) -> None:
    home.offer("Request for Evidence", pdf())
    home.read()
    home.read()
    assert home.office.asked == ["n-0"]
    kept = home.kept()["n-0"]
    assert kept.saved_as == f"notices/{ACCOUNT}/{NUMBER}/2026-06-19-Request-for-Evidence.pdf"
    assert kept.sha256 == hashlib.sha256(PDF).hexdigest()
    file = home.folder / kept.saved_as
    assert file.read_bytes() == PDF
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for folder in (file.parent, file.parent.parent, file.parent.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_same_content_twice_is_stored_once(home: Home) -> None:
    home.offer("Approval", pdf())
    home.offer("The same under another name", pdf())
    home.read()
    first, second = home.kept().values()
    assert first.saved_as == second.saved_as
    assert len(home.files()) == 1


def test_other_letters_of_the_same_name_and_day_stand_beside_each_other(home: Home) -> None:
    for number in range(3):
        home.offer("Notice", pdf(letter("Notice", [str(number)])))
    home.read()
    names = [Path(kept.saved_as or "").name for kept in home.kept().values()]
    assert names == ["2026-06-19-Notice.pdf", "2026-06-19-Notice-2.pdf", "2026-06-19-Notice-3.pdf"]


def test_a_letter_that_the_portal_removes_stays(home: Home) -> None:
    home.offer("Old letter", pdf())
    home.read()
    home.offered = [Notice(key="other", title="Another", dated=DAY)]
    home.read()
    assert home.kept()["n-0"].saved_as
    assert len(home.files()) == 1


def test_a_letter_that_gets_another_date_is_fetched_anew_and_the_old_file_stays(home: Home) -> None:
    home.offer("Appointment", pdf())
    home.read()
    home.offered = [Notice(key="n-0", title="Appointment", dated=DAY + timedelta(days=7), download="/letters/7")]
    home.office.behind["n-0"] = pdf(letter("Appointment", ["moved"]))
    home.read()
    assert home.files() == [
        f"notices/{ACCOUNT}/{NUMBER}/2026-06-19-Appointment.pdf",
        f"notices/{ACCOUNT}/{NUMBER}/2026-06-26-Appointment.pdf",
    ]


def test_an_address_that_is_another_one_each_time_does_not_fetch_again(home: Home) -> None:
    home.offer("Letter", pdf())
    home.read()
    home.offered = [Notice(key="n-0", title="Letter", dated=DAY, download="/letters/0?token=other")]
    home.read()
    assert home.office.asked == ["n-0"]


NOT_DOCUMENTS = [
    (pdf(b""), "empty"),
    (pdf(PAGE), "no PDF"),
    (Download(content=PAGE, content_type="text/html"), "no PDF"),
    (Download(content=PDF, content_type="image/png"), "calls itself something else"),
    (Download(content=PNG, content_type="application/pdf"), "calls itself something else"),
    (Download(content=PDF, content_type="text/html; charset=utf-8"), "calls itself something else"),
    (Download(content=b"MZ" + bytes(100), content_type="application/octet-stream"), "no PDF"),
    (Download(content=b"#!/bin/sh\n", content_type=""), "no PDF"),
    (pdf(b"%PDF-1.7\n%%EOF\n"), "does not open"),
    (pdf(b"%PDF-1.7\n" + b"\0" * 5000), "does not open"),
    (pdf(b"%PDF-" + b"x" * MAX_DOCUMENT_BYTES), "more than"),
]


@pytest.mark.parametrize(("document", "reason"), NOT_DOCUMENTS)
def test_what_is_no_document_is_counted_and_leaves_nothing(home: Home, document: Download, reason: str) -> None:
    home.offer("Letter", document)
    home.read()
    kept = home.kept()["n-0"]
    assert kept.saved_as is None
    assert kept.attempts == 1
    assert reason in (kept.last_error or "")
    assert home.files() == []


@pytest.mark.parametrize(
    ("document", "ending"),
    [
        (pdf(), "pdf"),
        (Download(content=b"\r\n" * 9 + PDF, content_type="Application/PDF; charset=binary"), "pdf"),
        (Download(content=PDF, content_type=""), "pdf"),
        (Download(content=PNG, content_type="image/png"), "png"),
        (Download(content=JPEG, content_type="image/jpg"), "jpg"),
        (Download(content=TIFF, content_type="application/octet-stream"), "tif"),
    ],
)
def test_a_document_gets_the_ending_of_what_it_is(document: Download, ending: str) -> None:
    assert file_extension(document) == ending


@pytest.mark.parametrize("error", [UnexpectedAnswer("HTTP 404"), ForeignHost("elsewhere"), RuntimeError("unforeseen")])
def test_a_letter_that_fails_is_tried_again_on_later_reads_a_bounded_number_of_times(
    home: Home, error: Exception
) -> None:
    home.offer("Bad", error)
    home.offer("Good", pdf())
    for _ in range(MAX_DOWNLOAD_ATTEMPTS + 3):
        home.read()
    assert home.office.asked.count("n-0") == MAX_DOWNLOAD_ATTEMPTS
    assert home.kept()["n-0"].attempts == MAX_DOWNLOAD_ATTEMPTS
    assert home.kept()["n-1"].saved_as


def test_a_letter_that_failed_once_is_kept_when_the_portal_has_it(home: Home) -> None:
    home.offer("Late", UnexpectedAnswer("HTTP 404"))
    home.read()
    home.office.behind["n-0"] = pdf()
    home.read()
    kept = home.kept()["n-0"]
    assert kept.saved_as
    assert kept.last_error is None


@pytest.mark.parametrize(
    ("errors", "asked"),
    [([SessionEnded("over")], 1), ([PortalUnavailable("down"), PortalUnavailable("down")], 2)],
)
def test_a_portal_in_trouble_ends_the_downloads_of_this_read_and_counts_against_no_letter(
    home: Home, errors: list[Exception], asked: int
) -> None:
    for error in errors:
        home.offer("First", error)
    home.offer("Last", pdf())
    assert home.read() is None
    assert len(home.office.asked) == asked
    assert all(kept.attempts == 0 for kept in home.kept().values())
    home.office.behind |= {key: pdf(letter(key, [])) for key in home.office.asked}
    home.read()
    assert all(kept.saved_as for kept in home.kept().values())


def test_one_letter_that_the_portal_cannot_show_holds_up_no_other_and_is_not_tried_for_ever(home: Home) -> None:
    home.offer("Bad", PortalUnavailable("HTTP 500"))
    home.offer("Good", pdf())
    for _ in range(MAX_DOWNLOAD_ATTEMPTS + 3):
        home.read()
    kept = home.kept()
    assert kept["n-1"].saved_as
    assert kept["n-0"].attempts == MAX_DOWNLOAD_ATTEMPTS == home.office.asked.count("n-0")
    assert home.app.store.retry_downloads() == 1
    home.office.behind["n-0"] = pdf(letter("at last", []))
    home.read()
    assert home.kept()["n-0"].saved_as


def test_a_wait_that_the_portal_asks_for_is_handed_on(home: Home) -> None:
    home.offer("First", PortalUnavailable("slow down", retry_after=timedelta(minutes=5)))
    wait = home.read()
    assert wait is not None
    assert wait.retry_after == timedelta(minutes=5)


def test_nothing_is_asked_for_while_the_daemon_stops(home: Home) -> None:
    home.offer("First", pdf())
    home.app.context.stop.set()
    home.read()
    assert home.office.asked == []


def test_what_an_interrupted_download_left_is_cleared_and_what_it_finished_is_found(home: Home) -> None:
    folder = home.folder / "notices" / ACCOUNT / NUMBER
    folder.mkdir(parents=True)
    (folder / ".2026-06-19-Letter.pdf.0123456789abcdef.tmp").write_bytes(PDF[:100])
    (folder / "2026-06-19-Letter.pdf").write_bytes(PDF)  # written, and then the process was killed
    home.offer("Letter", pdf())
    home.read()
    assert home.files() == [f"notices/{ACCOUNT}/{NUMBER}/2026-06-19-Letter.pdf"]
    assert home.kept()["n-0"].saved_as == home.files()[0]


TITLES = [
    "Request for Evidence",
    "../../../../etc/cron.d/watcher",
    "/etc/passwd",
    "..",
    ".",
    "",
    "   ",
    ".hidden",
    "-rf",
    "CON",
    "nul.txt",
    'a/b\\c:d*e?f"g<h>i|j',
    "line\nbreak\r\n\x00zero\x1b[31m",
    "x" * 4000,
    "\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe",
    "Carta de aprobación",
    "批准通知",
    "\N{PILE OF POO}" * 200,
    "%2e%2e%2f",
    "~root",
    "$(touch pwned)`id`",
    "notice.pdf.exe",
    "2026-06-19-Request-for-Evidence.pdf",
    "file:///etc/passwd",
    "e\N{COMBINING ACUTE ACCENT}" * 100,
]


def test_two_hundred_letters_of_hostile_names_types_and_sizes_lie_where_they_should_and_nowhere_else(
    home: Home,
) -> None:
    chance = Random(20261122)  # noqa: S311 - the same two hundred each time
    good = 0
    outside = sorted(home.folder.parent.iterdir())
    for place, title in enumerate(islice(cycle(TITLES), 200)):
        kind = place % 8
        if kind < 5:
            size = chance.choice([1, 50, 5_000])
            content = [letter(title, [str(place)] * size), PNG + bytes([place, *bytes(size)])][kind % 2]
            said = chance.choice([["application/pdf"], ["image/png"]][kind % 2] + ["", "application/octet-stream"])
            home.offer(title, Download(content=content, content_type=said), key=f"{title}\n{place}")
            good += 1
        else:
            bad = NOT_DOCUMENTS[place % (len(NOT_DOCUMENTS) - 1)][0]
            home.offer(title, bad, key=f"{title}\n{place}", dated=chance.choice([None, DAY, date.min, date.max]))

    home.read()

    saved = [kept for kept in home.kept().values() if kept.saved_as]
    assert len(saved) == good
    assert len({kept.saved_as for kept in saved}) == good
    assert sorted(str(kept.saved_as) for kept in saved) == home.files()
    for kept in saved:
        file = home.folder / str(kept.saved_as)
        assert file.parent == home.folder / "notices" / ACCOUNT / NUMBER
        assert not file.is_symlink()
        assert file.resolve().is_relative_to(home.folder.resolve())
        assert len(file.name.encode()) < 150
        assert file.name.isprintable()
        assert hashlib.sha256(file.read_bytes()).hexdigest() == kept.sha256
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(home.folder.parent.iterdir()) == outside
    assert all(kept.attempts == 1 and kept.last_error for kept in home.kept().values() if not kept.saved_as)


@given(title=st.text(), dated=st.none() | st.dates(), number=st.integers(1, 10**6))
def test_a_file_name_is_one_plain_name_whatever_the_title(title: str, dated: date | None, number: int) -> None:
    name = file_name(title, dated, extension="pdf", number=number)
    assert Path(name).name == name
    assert name.endswith(".pdf")
    assert name.count(".") == 1
    assert len(name.encode()) < 150
    assert not set(name) & set("/\\:*?\"<>|$`~'\n\0")
    assert name[0].isalnum()


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=5, unique=True))
def test_other_names_have_other_folders_and_each_is_one_plain_name(names: list[str]) -> None:
    folders = [folder_name(name) for name in names]
    assert len(set(folders)) == len(names)
    for folder in folders:
        assert Path(folder).name == folder
        assert folder[0] != "."
        assert len(folder.encode()) < 150


def test_a_plain_account_or_case_is_its_own_folder() -> None:
    assert [folder_name(name) for name in ("family", "IOE0000000001", "a.b-c_d")] == [
        "family",
        "IOE0000000001",
        "a.b-c_d",
    ]


# --- PDFs that do not want to be read -----------------------------------------------------------------------------


def test_one_child_opens_many_and_survives_what_is_broken() -> None:
    with PdfChecker() as opener:
        for content in (PDF, letter("Other", [])):
            opener.check(content)
        with pytest.raises(NotADocument, match="does not open"):
            opener.check(b"%PDF-1.4 nothing")
        opener.check(PDF)


def test_a_pdf_that_wants_a_password_opens_for_whoever_has_it_and_one_without_a_page_does_not() -> None:
    locked, empty = io.BytesIO(), io.BytesIO()
    writer = PdfWriter(clone_from=io.BytesIO(PDF))
    writer.encrypt("made up", algorithm="AES-256")
    writer.write(locked)
    PdfWriter().write(empty)
    with PdfChecker() as opener:
        opener.check(locked.getvalue())
        with pytest.raises(NotADocument, match="does not open"):
            opener.check(empty.getvalue())


@pytest.mark.parametrize("behaviour", ["import time; time.sleep(60)", "raise SystemExit(1)", "print('why not')"])
def test_a_reader_that_hangs_dies_or_refuses_keeps_nothing_and_ends(tmp_path: Path, behaviour: str) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        f"import sys\nsys.stdout.write('opens\\n'); sys.stdout.flush()\nsys.stdin.buffer.read(8)\n{behaviour}\n"
    )
    with PdfChecker(seconds=0.3, child=child) as opener:
        opener.check(PDF)
        with pytest.raises(NotADocument):
            opener.check(PDF)
    assert opener._process is None


# --- a disk without room ------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 64 KiB, where the notices lie."""
    mounted = tmp_path / "state" / "notices"
    mounted.mkdir(parents=True)
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    done = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(mounted)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    yield mounted
    subprocess.run(["/bin/umount", "-l", str(mounted)], check=True)


def test_a_full_disk_stops_the_downloads_and_not_the_watching(small_disk: Path, home: Home) -> None:
    for number in range(6):
        home.offer(f"Letter {number}", Download(content=PNG + bytes([number]) * 20_000, content_type="image/png"))
    assert home.read() is None
    saved = [kept for kept in home.kept().values() if kept.saved_as]
    assert 0 < len(saved) < 6
    assert len(list(small_disk.rglob(".*"))) == 0
    assert all(kept.attempts == 0 for kept in home.kept().values())
    assert sum(kept.last_error == "No space left on device" for kept in home.kept().values()) == 1
    (case,) = home.app.store.tracked_cases()
    assert case.snapshot is not None

    for file in small_disk.rglob("*.png"):
        file.unlink()
    home.read()
    assert len([kept for kept in home.kept().values() if kept.saved_as]) > len(saved)
