"""A letter of the user's own, such as a scan of what came by mail: kept as the letters that a portal offers."""

from dataclasses import dataclass
from datetime import date
from pathlib import PurePath

from watcher.context.context import Context
from watcher.language.dates_in_text import dates_in
from watcher.messages import _
from watcher.model.case import Notice
from watcher.model.ledger import TrackedNotice
from watcher.notices.file_type import MAX_DOCUMENT_BYTES, NotADocument, detected_type
from watcher.notices.notice_files import NoticeFiles
from watcher.notices.pdf_check import PdfChecker
from watcher.text.printable import clean

_WAIT = 60.0  # real seconds
_MAX_TITLE_LENGTH = 160
_ENDING = ".pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedLetter:
    """A letter that was added. `is_new`: the case did not have the same file. `dates` are those that its text names."""

    number: int
    is_new: bool
    saved_as: str
    has_text: bool
    dates: tuple[date, ...]


def add_letter(context: Context, account: str, case_number: str, file_name: str, content: bytes) -> AddedLetter:
    """Save the PDF in state_dir and add it to the letters of the case.

    Raises `NotADocument` if it is no PDF that opens, or too large; also OSError, `Busy`, and `StoreUnusable`.
    """
    if len(content) > MAX_DOCUMENT_BYTES:
        raise NotADocument(_("it is larger than {n} MiB", n=MAX_DOCUMENT_BYTES // 1024**2))
    if detected_type(content) != "application/pdf":
        raise NotADocument(_("it is not a PDF file") if content else _("it is empty"))
    with PdfChecker() as checker:
        text = checker.text(content)
    title, now = _title(file_name), context.clock.now()
    notice = Notice(key="", title=PurePath(title).stem)
    tracked = TrackedNotice(id=0, account=account, case_number=case_number, notice=notice, first_seen_at=now)
    with context.store.locks.acquire(f"account {account}", wait=_WAIT, stop=context.stop):
        saved_as, digest = NoticeFiles(context.settings.state_dir).save(tracked, content, extension="pdf")
        number, is_new = context.store.user.add_notice(
            account, case_number, title, saved_as=saved_as, sha256=digest, now=now
        )
    has_text = bool(text.strip())
    return AddedLetter(number=number, is_new=is_new, saved_as=saved_as, has_text=has_text, dates=tuple(dates_in(text)))


def _title(file_name: str) -> str:
    """Return the file name with its ending, which shows what masks titles that this is the name of a file."""
    name = clean(file_name)
    stem = name[: -len(_ENDING)] if name.lower().endswith(_ENDING) else name
    return f"{stem[: _MAX_TITLE_LENGTH - len(_ENDING)].strip()}{_ENDING}"
