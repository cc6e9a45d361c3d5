"""Letters: the list, and one letter as the browser opens it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from watcher.context.read_only import ReadOnlyContext
from watcher.messages import _
from watcher.model.ledger import TrackedNotice
from watcher.notices.notice_files import FOLDER
from watcher.views.cases import name_of
from watcher.views.letters import reason_not_saved
from watcher.web.case_ids import case_id
from watcher.web.dates import Dates, ShownDate
from watcher.web.failed import NOT_FAILED, Failed
from watcher.web.render import render
from watcher.web.request import context_of, dates_of, visible

_SANDBOX = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""A letter comes from elsewhere: it gets no script, no form, and no access to the page."""

_TYPES = {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
"""What a browser shows. Anything else is only downloaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLetter:
    """A letter as it is shown."""

    id: int
    title: str
    case: str
    case_id: str
    dated: ShownDate | None
    saved: bool
    reason: str


def show(request: Request) -> Response:
    """Show the letters, the newest first."""
    return show_letters(request, NOT_FAILED)


def show_letters(request: Request, failed: Failed) -> Response:
    """Show the letters, with the form that was refused, if it was."""
    with context_of(request).reading() as opened:
        cases = visible(request, opened.watched_cases())
        names = {(case.account, case.case_number): name_of(case) for case in cases}
        letters = [letter for case in cases for letter in case.notices]
        shown = shown_letters(letters, names, dates_of(opened))
        choices = {case_id(case.case_number): name_of(case) for case in cases}
    status = 422 if failed.action else 200
    return render(request, "letters.html", status=status, letters=shown, choices=choices.items(), failed=failed)


def open_letter(request: Request) -> Response:
    """Send one letter."""
    number = request.path_params["id"]
    with context_of(request).reading() as opened:
        letter = _letter(request, opened, number)
        file = _file(opened, letter)
    media_type = _TYPES.get(file.suffix.lower(), "application/octet-stream")
    disposition = "inline" if media_type != "application/octet-stream" else "attachment"
    return FileResponse(
        file,
        media_type=media_type,
        filename=file.name,
        content_disposition_type=disposition,
        headers=_SANDBOX,
    )


def shown_letters(
    letters: Iterable[TrackedNotice], names: Mapping[tuple[str, str], str], dates: Dates
) -> list[ShownLetter]:
    """Return letters as they are shown, the newest first. `names` are those of cases, by account and number."""
    ordered = sorted(
        letters,
        key=lambda letter: (letter.notice.dated or letter.first_seen_at.date(), letter.id),
        reverse=True,
    )
    return [
        ShownLetter(
            id=letter.id,
            title=letter.notice.title,
            case=names.get((letter.account, letter.case_number), ""),
            case_id=case_id(letter.case_number),
            dated=dates.day(letter.notice.dated) if letter.notice.dated else None,
            saved=letter.saved_as is not None,
            reason="" if letter.saved_as else _("Not saved: {reason}.", reason=reason_not_saved(letter)),
        )
        for letter in ordered
    ]


def _letter(request: Request, opened: ReadOnlyContext, number: int) -> TrackedNotice:
    for case in visible(request, opened.watched_cases()):
        for letter in case.notices:
            if letter.id == number and letter.saved_as:
                return letter
    raise HTTPException(404)


def _file(opened: ReadOnlyContext, letter: TrackedNotice) -> Path:
    """Return the file of a letter, which is in the folder of letters and nowhere else."""
    folder = (opened.settings.state_dir / FOLDER).resolve()
    file = (opened.settings.state_dir / (letter.saved_as or "")).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise HTTPException(404)
    return file
