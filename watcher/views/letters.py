"""Why a letter is not saved."""

from watcher.messages import _
from watcher.model.ledger import MAX_DOWNLOAD_ATTEMPTS, TrackedNotice


def reason_not_saved(letter: TrackedNotice) -> str:
    """Return why a letter is not saved."""
    if letter.notice.download is None:
        return _("the website offers no download of it")
    return letter.last_error or _("not downloaded yet")


def is_given_up(letter: TrackedNotice) -> bool:
    """Return whether the download is not tried again by itself."""
    has_failed = letter.notice.download is not None and letter.last_error is not None
    return has_failed and letter.attempts >= MAX_DOWNLOAD_ATTEMPTS
