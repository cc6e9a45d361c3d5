"""Letters attached to alerts: which ones, how long an alert waits for them, and the note if one is missing.

An alert is stored before its letter is downloaded, so a failed download cannot prevent it. A channel that attaches
letters waits a short time for the download and then sends the alert without it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from watcher.alerts.text_blocks import append_note
from watcher.language.catalogue import load_catalogue
from watcher.model.alert import AlertText
from watcher.model.change import ChangeKind
from watcher.model.ledger import TrackedNotice
from watcher.settings import ChannelSettings, Settings
from watcher.store import QueuedAlert

MAX_WAIT = timedelta(minutes=2)
"""How long an alert waits for the download of its letter."""

MAX_BYTES = 10 * 1024 * 1024
"""In one message. Many services accept no more."""

MAX_FILES = 5
"""In one message."""

MAX_ATTEMPTS = 2
"""Failed attempts with letters, after which the message is sent without them: they may be the cause."""

_NOTICE_KINDS = frozenset({ChangeKind.NOTICE_ADDED, ChangeKind.NOTICE_CHANGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """The attachments of one message. `has_missing`: at least one letter is not among them."""

    files: tuple[Path, ...] = ()
    has_missing: bool = False


def by_case(notices: Iterable[TrackedNotice]) -> dict[tuple[str, str | None], list[TrackedNotice]]:
    """Return the notices by account and case number."""
    found: dict[tuple[str, str | None], list[TrackedNotice]] = defaultdict(list)
    for notice in notices:
        found[notice.account, notice.case_number].append(notice)
    return found


def notices_of(batch: Iterable[QueuedAlert], notices: Iterable[TrackedNotice]) -> list[TrackedNotice]:
    """Return the notices that the alerts report as new or changed, in the order of `notices`."""
    keys = {
        (queued.account, queued.case_number, change.change.subject)
        for queued in batch
        for change in queued.changes
        if change.change.kind in _NOTICE_KINDS
    }
    return [notice for notice in notices if (notice.account, notice.case_number, notice.notice.key) in keys]


def awaits_letter(
    alert: QueuedAlert, letters: Sequence[TrackedNotice], settings: Settings, now: datetime, *, shared: bool
) -> bool:
    """Return whether this recent alert should wait for a letter: no download was tried yet.

    `shared`: other machines use the same database, and one of them may have the letter and send the alert.
    """
    account = settings.accounts.get(alert.account)
    if account is None or not account.save_notices or now - alert.alert.created_at >= MAX_WAIT:
        return False
    if shared and any(
        letter.saved_as is not None and not (settings.state_dir / letter.saved_as).is_file() for letter in letters
    ):
        return True
    return any(
        letter.saved_as is None and letter.notice.download and not letter.attempts and letter.last_error is None
        for letter in letters
    )


def select_attachments(
    letters: Sequence[TrackedNotice], channel: ChannelSettings, state_dir: Path, *, can_attach: bool, attempts: int
) -> Attachments:
    """Return the files to attach, within the limits of a message.

    `can_attach`: whether the service accepts files. `attempts`: how often this message has failed. A channel with
    `minimal` privacy gets no letters and no note about them.
    """
    if not channel.attach_notices or channel.privacy == "minimal":
        return Attachments()
    files: list[Path] = []
    remaining = MAX_BYTES if can_attach and attempts < MAX_ATTEMPTS else 0
    for name in dict.fromkeys(letter.saved_as for letter in letters if letter.saved_as):
        file = state_dir / name
        size = file.stat().st_size if file.is_file() else remaining + 1
        if size <= remaining and len(files) < MAX_FILES:
            files.append(file)
            remaining -= size
    attached = {str(file.relative_to(state_dir)) for file in files}
    return Attachments(files=tuple(files), has_missing=any(letter.saved_as not in attached for letter in letters))


def with_missing_letter_note(text: AlertText, *, language: str) -> AlertText:
    """Add a note that a letter which the message is about is not attached."""
    return append_note(text, load_catalogue(language).message("general", "not_attached"))
