"""Which saved letters go along with an alert, for which it waits, and what the alert says where one cannot.

An alert is written before its letter is downloaded, so that no trouble with the letter can cost the alert. A channel
that wants letters waits a moment for it, and then goes without.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from watcher.alerts.text_blocks import append_paragraph
from watcher.language.catalogue import load_catalogue
from watcher.model.alert import AlertText
from watcher.model.change import ChangeKind
from watcher.model.ledger import TrackedNotice
from watcher.settings import ChannelSettings, Settings
from watcher.store import QueuedAlert

MAX_WAIT = timedelta(minutes=2)
"""An alert waits no longer for the download of its letter."""

MAX_BYTES = 10 * 1024 * 1024
"""In one message; many services take no more."""

MAX_FILES = 5
"""In one message."""

MAX_ATTEMPTS = 2
"""Sendings that failed with letters; the next goes without, for the letters may be why."""

_ABOUT_LETTERS = frozenset({ChangeKind.NOTICE_ADDED, ChangeKind.NOTICE_CHANGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """What goes along with one message. `lacking`: there is a letter that does not."""

    files: tuple[Path, ...] = ()
    has_missing: bool = False


def notices_of(batch: Iterable[QueuedAlert], notices: Iterable[TrackedNotice]) -> list[TrackedNotice]:
    """The notices that alerts tell of as new or changed, in the order of the books."""
    keys = {
        (each.account, each.case_number, change.change.subject)
        for each in batch
        for change in each.changes
        if change.change.kind in _ABOUT_LETTERS
    }
    return [kept for kept in notices if (kept.account, kept.case_number, kept.notice.key) in keys]


def awaits_letter(alert: QueuedAlert, letters: Sequence[TrackedNotice], settings: Settings, now: datetime) -> bool:
    """Whether a letter of this alert is about to be downloaded: it was never tried, and the alert is only just made."""
    account = settings.accounts.get(alert.account)
    if account is None or not account.save_notices or now - alert.alert.created_at >= MAX_WAIT:
        return False
    return any(
        letter.saved_as is None and letter.notice.download and not letter.attempts and letter.last_error is None
        for letter in letters
    )


def select_attachments(
    letters: Sequence[TrackedNotice], channel: ChannelSettings, state_dir: Path, *, can_attach: bool, attempts: int
) -> Attachments:
    """The files to send along, within the bounds of a message.

    `carries`: whether the service takes files at all. `attempts`: how often this message has failed already. A channel
    that is to say only that something changed gets no letters, and no word of them.
    """
    if not channel.attach_notices or channel.privacy == "minimal":
        return Attachments()
    files: list[Path] = []
    room = MAX_BYTES if can_attach and attempts < MAX_ATTEMPTS else 0
    for name in dict.fromkeys(letter.saved_as for letter in letters if letter.saved_as):
        file = state_dir / name
        size = file.stat().st_size if file.is_file() else room + 1
        if size <= room and len(files) < MAX_FILES:
            files.append(file)
            room -= size
    sent = {str(file.relative_to(state_dir)) for file in files}
    return Attachments(files=tuple(files), has_missing=any(letter.saved_as not in sent for letter in letters))


def with_missing_letter_note(text: AlertText, *, language: str) -> AlertText:
    """The words of a message that goes out without a letter it is about, with a sentence that says so."""
    sentence = load_catalogue(language).message("general", "not_attached")
    return append_paragraph(text, sentence)
