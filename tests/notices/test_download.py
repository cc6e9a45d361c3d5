"""Downloads of letters from a malicious portal, and onto a full disk."""

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
from watcher.notices.download import fetch_notices
from watcher.notices.file_names import file_name, folder_name
from watcher.notices.file_type import MAX_DOCUMENT_BYTES, NotADocument, file_extension
from watcher.notices.pdf_check import PdfChecker
from watcher.portal import CaseRead, Download
from watcher.portals import find
from watcher.practice.site.pdf import letter
from watcher.reading.poll import record_results
from watcher.store.database import known_databases

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
class FakeReader:
    """A reader whose cases were read already, with a document or an error for each letter.

    `keys` are the portal's keys by download path: the store escapes unprintable characters in its own.
    """

    documents: dict[str, Download | Exception] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)

    def download(self, notice: Notice, *, max_bytes: int) -> Download:
        key = self.keys.get(notice.download or "", notice.key)
        self.requested.append(key)
        document = self.documents[key]
        if isinstance(document, Exception):
            raise document
        assert max_bytes == MAX_DOCUMENT_BYTES
        return document


@dataclass
class Workspace:
    """An app with one case, and the letters that the portal offers for it."""

    app: App
    folder: Path
    reader: FakeReader = field(default_factory=FakeReader)
    offered: list[Notice] = field(default_factory=list)

    def offer(
        self, title: str, document: Download | Exception, *, key: str | None = None, dated: date | None = DAY
    ) -> str:
        name = key or f"n-{len(self.offered)}"
        path = f"/letters/{len(self.offered)}"
        self.offered.append(Notice(key=name, title=title, dated=dated, download=path))
        self.reader.documents[name], self.reader.keys[path] = document, name
        return name

    def check(self, *, number: str = NUMBER) -> PortalUnavailable | None:
        """Record the case as it is now, then download its letters."""
        account = self.app.settings.accounts[ACCOUNT]
        notices = tuple(sorted(self.offered, key=lambda notice: notice.key))
        snapshot = Snapshot(case_number=number, status="Case Was Received", notices=notices)
        record_results([CaseRead(snapshot=snapshot)], account, find("manual"), self.app.context)
        return fetch_notices(self.reader, account, {number}, self.app.context)

    def notices(self) -> dict[str, TrackedNotice]:
        return {notice.notice.key: notice for notice in self.app.store.notices()}

    def files(self) -> list[str]:
        """Return all files in the state folder except those of the database and locks."""
        files = (file.relative_to(self.folder) for file in self.folder.rglob("*") if not file.is_dir())
        others = (file for file in files if file.parts[0] not in {"locks", known_databases.FILE})
        return sorted(str(file) for file in others if "sqlite3" not in file.name)


def open_workspace(folder: Path) -> Iterator[Workspace]:
    file = folder / "watcher.toml"
    file.write_text(
        f'timezone = "America/New_York"\nstate_dir = "{folder}/state"\n'
        f'[accounts.{ACCOUNT}]\nportal = "manual"\nsite = "egov"\ncases = ["{NUMBER}"]\n'
    )
    with open_app(read_settings(file, {}), clock=FakeClock()) as app:
        yield Workspace(app, folder / "state")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    yield from open_workspace(tmp_path)


def test_a_new_letter_is_downloaded_once_and_readable_by_the_owner_only(workspace: Workspace) -> None:
    workspace.offer("Request for Evidence", pdf())
    workspace.check()
    workspace.check()
    assert workspace.reader.requested == ["n-0"]
    notice = workspace.notices()["n-0"]
    assert notice.saved_as == f"notices/{ACCOUNT}/{NUMBER}/2026-06-19-Request-for-Evidence.pdf"
    assert notice.sha256 == hashlib.sha256(PDF).hexdigest()
    file = workspace.folder / notice.saved_as
    assert file.read_bytes() == PDF
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for folder in (file.parent, file.parent.parent, file.parent.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_same_content_twice_is_stored_once(workspace: Workspace) -> None:
    workspace.offer("Approval", pdf())
    workspace.offer("The same under another name", pdf())
    workspace.check()
    first, second = workspace.notices().values()
    assert first.saved_as == second.saved_as
    assert len(workspace.files()) == 1


def test_letters_with_the_same_title_and_date_are_numbered(workspace: Workspace) -> None:
    for number in range(3):
        workspace.offer("Notice", pdf(letter("Notice", [str(number)])))
    workspace.check()
    names = [Path(notice.saved_as or "").name for notice in workspace.notices().values()]
    assert names == ["2026-06-19-Notice.pdf", "2026-06-19-Notice-2.pdf", "2026-06-19-Notice-3.pdf"]


def test_a_letter_that_the_portal_removes_stays(workspace: Workspace) -> None:
    workspace.offer("Old letter", pdf())
    workspace.check()
    workspace.offered = [Notice(key="other", title="Another", dated=DAY)]
    workspace.check()
    assert workspace.notices()["n-0"].saved_as
    assert len(workspace.files()) == 1


def test_a_letter_with_another_date_is_downloaded_again_and_the_old_file_stays(workspace: Workspace) -> None:
    workspace.offer("Appointment", pdf())
    workspace.check()
    workspace.offered = [Notice(key="n-0", title="Appointment", dated=DAY + timedelta(days=7), download="/letters/7")]
    workspace.reader.documents["n-0"] = pdf(letter("Appointment", ["moved"]))
    workspace.check()
    assert workspace.files() == [
        f"notices/{ACCOUNT}/{NUMBER}/2026-06-19-Appointment.pdf",
        f"notices/{ACCOUNT}/{NUMBER}/2026-06-26-Appointment.pdf",
    ]


def test_a_new_url_alone_does_not_cause_another_download(workspace: Workspace) -> None:
    workspace.offer("Letter", pdf())
    workspace.check()
    workspace.offered = [Notice(key="n-0", title="Letter", dated=DAY, download="/letters/0?token=other")]
    workspace.check()
    assert workspace.reader.requested == ["n-0"]


NOT_DOCUMENTS = [
    (pdf(b""), "empty"),
    (pdf(PAGE), "not a PDF"),
    (Download(content=PAGE, content_type="text/html"), "not a PDF"),
    (Download(content=PDF, content_type="image/png"), "labeled as something else"),
    (Download(content=PNG, content_type="application/pdf"), "labeled as something else"),
    (Download(content=PDF, content_type="text/html; charset=utf-8"), "labeled as something else"),
    (Download(content=b"MZ" + bytes(100), content_type="application/octet-stream"), "not a PDF"),
    (Download(content=b"#!/bin/sh\n", content_type=""), "not a PDF"),
    (pdf(b"%PDF-1.7\n%%EOF\n"), "does not open"),
    (pdf(b"%PDF-1.7\n" + b"\0" * 5000), "does not open"),
    (pdf(b"%PDF-" + b"x" * MAX_DOCUMENT_BYTES), "at most"),
]


@pytest.mark.parametrize(("document", "reason"), NOT_DOCUMENTS)
def test_an_invalid_document_is_counted_and_not_saved(workspace: Workspace, document: Download, reason: str) -> None:
    workspace.offer("Letter", document)
    workspace.check()
    notice = workspace.notices()["n-0"]
    assert notice.saved_as is None
    assert notice.attempts == 1
    assert reason in (notice.last_error or "")
    assert workspace.files() == []


@pytest.mark.parametrize(
    ("document", "extension"),
    [
        (pdf(), "pdf"),
        (Download(content=b"\r\n" * 9 + PDF, content_type="Application/PDF; charset=binary"), "pdf"),
        (Download(content=PDF, content_type=""), "pdf"),
        (Download(content=PNG, content_type="image/png"), "png"),
        (Download(content=JPEG, content_type="image/jpg"), "jpg"),
        (Download(content=TIFF, content_type="application/octet-stream"), "tif"),
    ],
)
def test_a_document_gets_the_extension_of_its_type(document: Download, extension: str) -> None:
    assert file_extension(document) == extension


@pytest.mark.parametrize("error", [UnexpectedAnswer("HTTP 404"), ForeignHost("elsewhere"), RuntimeError("unforeseen")])
def test_a_failed_letter_is_tried_again_up_to_a_maximum(workspace: Workspace, error: Exception) -> None:
    workspace.offer("Bad", error)
    workspace.offer("Good", pdf())
    for _ in range(MAX_DOWNLOAD_ATTEMPTS + 3):
        workspace.check()
    assert workspace.reader.requested.count("n-0") == MAX_DOWNLOAD_ATTEMPTS
    assert workspace.notices()["n-0"].attempts == MAX_DOWNLOAD_ATTEMPTS
    assert workspace.notices()["n-1"].saved_as


def test_a_failed_letter_is_saved_when_it_becomes_available(workspace: Workspace) -> None:
    workspace.offer("Late", UnexpectedAnswer("HTTP 404"))
    workspace.check()
    workspace.reader.documents["n-0"] = pdf()
    workspace.check()
    notice = workspace.notices()["n-0"]
    assert notice.saved_as
    assert notice.last_error is None


@pytest.mark.parametrize(
    ("errors", "requested"),
    [([SessionEnded("over")], 1), ([PortalUnavailable("down"), PortalUnavailable("down")], 2)],
)
def test_a_failing_portal_ends_the_downloads_without_counting_attempts(
    workspace: Workspace, errors: list[Exception], requested: int
) -> None:
    for error in errors:
        workspace.offer("First", error)
    workspace.offer("Last", pdf())
    assert workspace.check() is None
    assert len(workspace.reader.requested) == requested
    assert all(notice.attempts == 0 for notice in workspace.notices().values())
    workspace.reader.documents |= {key: pdf(letter(key, [])) for key in workspace.reader.requested}
    workspace.check()
    assert all(notice.saved_as for notice in workspace.notices().values())


def test_a_letter_with_a_server_error_does_not_block_others_and_is_not_tried_forever(workspace: Workspace) -> None:
    workspace.offer("Bad", PortalUnavailable("HTTP 500"))
    workspace.offer("Good", pdf())
    for _ in range(MAX_DOWNLOAD_ATTEMPTS + 3):
        workspace.check()
    notices = workspace.notices()
    assert notices["n-1"].saved_as
    assert notices["n-0"].attempts == MAX_DOWNLOAD_ATTEMPTS == workspace.reader.requested.count("n-0")
    assert workspace.app.store.retry_downloads() == 1
    workspace.reader.documents["n-0"] = pdf(letter("at last", []))
    workspace.check()
    assert workspace.notices()["n-0"].saved_as


def test_a_wait_that_the_portal_asks_for_is_returned(workspace: Workspace) -> None:
    workspace.offer("First", PortalUnavailable("slow down", retry_after=timedelta(minutes=5)))
    wait = workspace.check()
    assert wait is not None
    assert wait.retry_after == timedelta(minutes=5)


def test_nothing_is_downloaded_while_the_daemon_stops(workspace: Workspace) -> None:
    workspace.offer("First", pdf())
    workspace.app.context.stop.set()
    workspace.check()
    assert workspace.reader.requested == []


def test_after_a_kill_temporary_files_are_removed_and_finished_files_are_used(workspace: Workspace) -> None:
    folder = workspace.folder / "notices" / ACCOUNT / NUMBER
    folder.mkdir(parents=True)
    (folder / ".2026-06-19-Letter.pdf.0123456789abcdef.tmp").write_bytes(PDF[:100])
    (folder / "2026-06-19-Letter.pdf").write_bytes(PDF)  # written just before a kill
    workspace.offer("Letter", pdf())
    workspace.check()
    assert workspace.files() == [f"notices/{ACCOUNT}/{NUMBER}/2026-06-19-Letter.pdf"]
    assert workspace.notices()["n-0"].saved_as == workspace.files()[0]


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


def test_two_hundred_letters_with_malicious_titles_stay_in_their_folder(
    workspace: Workspace,
) -> None:
    random = Random(20261122)  # noqa: S311 - the same letters each time
    valid_count = 0
    outside = sorted(workspace.folder.parent.iterdir())
    for index, title in enumerate(islice(cycle(TITLES), 200)):
        kind = index % 8
        if kind < 5:
            size = random.choice([1, 50, 5_000])
            content = [letter(title, [str(index)] * size), PNG + bytes([index, *bytes(size)])][kind % 2]
            declared = random.choice([["application/pdf"], ["image/png"]][kind % 2] + ["", "application/octet-stream"])
            workspace.offer(title, Download(content=content, content_type=declared), key=f"{title}\n{index}")
            valid_count += 1
        else:
            invalid = NOT_DOCUMENTS[index % (len(NOT_DOCUMENTS) - 1)][0]
            workspace.offer(
                title, invalid, key=f"{title}\n{index}", dated=random.choice([None, DAY, date.min, date.max])
            )

    workspace.check()

    saved = [notice for notice in workspace.notices().values() if notice.saved_as]
    assert len(saved) == valid_count
    assert len({notice.saved_as for notice in saved}) == valid_count
    assert sorted(str(notice.saved_as) for notice in saved) == workspace.files()
    for notice in saved:
        file = workspace.folder / str(notice.saved_as)
        assert file.parent == workspace.folder / "notices" / ACCOUNT / NUMBER
        assert not file.is_symlink()
        assert file.resolve().is_relative_to(workspace.folder.resolve())
        assert len(file.name.encode()) < 150
        assert file.name.isprintable()
        assert hashlib.sha256(file.read_bytes()).hexdigest() == notice.sha256
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(workspace.folder.parent.iterdir()) == outside
    assert all(
        notice.attempts == 1 and notice.last_error for notice in workspace.notices().values() if not notice.saved_as
    )


@given(title=st.text(), dated=st.none() | st.dates(), number=st.integers(1, 10**6))
def test_any_title_gives_one_plain_file_name(title: str, dated: date | None, number: int) -> None:
    name = file_name(title, dated, extension="pdf", number=number)
    assert Path(name).name == name
    assert name.endswith(".pdf")
    assert name.count(".") == 1
    assert len(name.encode()) < 150
    assert not set(name) & set("/\\:*?\"<>|$`~'\n\0")
    assert name[0].isalnum()


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=5, unique=True))
def test_different_names_give_different_plain_folder_names(names: list[str]) -> None:
    folders = [folder_name(name) for name in names]
    assert len(set(folders)) == len(names)
    for folder in folders:
        assert Path(folder).name == folder
        assert folder[0] != "."
        assert len(folder.encode()) < 150


def test_a_plain_name_is_the_folder_name() -> None:
    assert [folder_name(name) for name in ("family", "IOE0000000001", "a.b-c_d")] == [
        "family",
        "IOE0000000001",
        "a.b-c_d",
    ]


# --- PDFs that cannot be opened ----------------------------------------------------------------------------------


def test_one_child_process_opens_several_pdfs_and_survives_a_broken_one() -> None:
    with PdfChecker() as checker:
        for content in (PDF, letter("Other", [])):
            checker.check(content)
        with pytest.raises(NotADocument, match="does not open"):
            checker.check(b"%PDF-1.4 nothing")
        checker.check(PDF)


def test_an_encrypted_pdf_opens_and_one_without_pages_does_not() -> None:
    encrypted, empty = io.BytesIO(), io.BytesIO()
    writer = PdfWriter(clone_from=io.BytesIO(PDF))
    writer.encrypt("made up", algorithm="AES-256")
    writer.write(encrypted)
    PdfWriter().write(empty)
    with PdfChecker() as checker:
        checker.check(encrypted.getvalue())
        with pytest.raises(NotADocument, match="does not open"):
            checker.check(empty.getvalue())


@pytest.mark.parametrize("behavior", ["import time; time.sleep(60)", "raise SystemExit(1)", "print('why not')"])
def test_a_child_that_hangs_exits_or_refuses_is_ended(tmp_path: Path, behavior: str) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        f"import sys\nsys.stdout.write('opens\\n'); sys.stdout.flush()\nsys.stdin.buffer.read(8)\n{behavior}\n"
    )
    with PdfChecker(seconds=0.3, child=child) as checker:
        checker.check(PDF)
        with pytest.raises(NotADocument):
            checker.check(PDF)
    assert checker._process is None


# --- a full disk --------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 64 KiB as the folder of letters."""
    mounted = tmp_path / "state" / "notices"
    mounted.mkdir(parents=True)
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    mounting = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(mounted)],
        capture_output=True,
        check=False,
    )
    if mounting.returncode:
        pytest.skip(f"no file system can be mounted here: {mounting.stderr.decode().strip()}")
    yield mounted
    subprocess.run(["/bin/umount", "-l", str(mounted)], check=True)


def test_a_full_disk_stops_the_downloads_but_not_the_check(small_disk: Path, workspace: Workspace) -> None:
    for number in range(6):
        workspace.offer(f"Letter {number}", Download(content=PNG + bytes([number]) * 20_000, content_type="image/png"))
    assert workspace.check() is None
    saved = [notice for notice in workspace.notices().values() if notice.saved_as]
    assert 0 < len(saved) < 6
    assert len(list(small_disk.rglob(".*"))) == 0
    assert all(notice.attempts == 0 for notice in workspace.notices().values())
    assert sum(notice.last_error == "No space left on device" for notice in workspace.notices().values()) == 1
    (case,) = workspace.app.store.tracked_cases()
    assert case.snapshot is not None

    for file in small_disk.rglob("*.png"):
        file.unlink()
    workspace.check()
    assert len([notice for notice in workspace.notices().values() if notice.saved_as]) > len(saved)
