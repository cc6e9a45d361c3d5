"""Downloading what is new, within the read that found it. What fails here fails alone: the cases are read already."""

from collections.abc import Collection, Iterator

import structlog

from watcher.context.context import Context
from watcher.errors import PortalUnavailable, ReadFailed, SessionEnded, StoreUnusable
from watcher.model.ledger import MAX_DOWNLOAD_ATTEMPTS, TrackedNotice
from watcher.notices.file_type import LARGEST, NotADocument, file_extension
from watcher.notices.notice_files import NoticeFiles
from watcher.notices.pdf_check import PdfChecker
from watcher.portal import Downloads
from watcher.settings import AccountSettings

MOST_IN_A_READ = 250
"""Downloads in one read; the rest comes with the next ones."""

_log = structlog.get_logger(__name__)


def fetch_notices(
    reader: Downloads, account: AccountSettings, case_numbers: Collection[str], context: Context
) -> PortalUnavailable | None:
    """Downloads what the portal offers for these cases and is not kept yet.

    A document that cannot be kept is counted, and tried again on later reads, after the others. One server error is the
    document's own, two in a row are the portal in trouble, which ends the downloads of this read, as a full disk does.
    Where the portal asks to wait, that is returned. Raises `StoreUnusable` only.
    """
    wanted = sorted(_wanted(account, case_numbers, context), key=lambda kept: kept.last_error is not None)
    if not wanted:
        return None
    shelf = NoticeFiles(context.settings.state_dir)
    shelf.clear(account.name)
    with PdfChecker() as opener:
        fetching = _Fetching(reader, shelf, opener, context)
        for kept in wanted[:MOST_IN_A_READ]:
            if context.stop.is_set() or not fetching.goes_on_after(kept):
                return fetching.wait
        fetching.blame()
    return None


def _wanted(account: AccountSettings, case_numbers: Collection[str], context: Context) -> Iterator[TrackedNotice]:
    for kept in context.store.notices(account.name):
        unsaved = kept.saved_as is None and kept.notice.download is not None
        if unsaved and kept.attempts < MAX_DOWNLOAD_ATTEMPTS and kept.case_number in case_numbers:
            yield kept


class _Fetching:
    """The downloads of one read. `wait` is what the portal asked for, if it did."""

    def __init__(self, reader: Downloads, shelf: NoticeFiles, opener: PdfChecker, context: Context) -> None:
        self.wait: PortalUnavailable | None = None
        self._reader, self._shelf, self._opener, self._means = reader, shelf, opener, context
        self._refused: tuple[TrackedNotice, str] | None = None

    def goes_on_after(self, kept: TrackedNotice) -> bool:
        """Downloads one document; whether there is any use in going on with the next."""
        try:
            self._fetch(kept)
        except PortalUnavailable as error:
            return self._refuse(kept, error)
        except (SessionEnded, OSError) as error:
            _log.warning("notices are not downloaded now", account=kept.account, reason=_reason(error))
            self._means.store.note_download_failed(kept.id, _reason(error), counts=False)
            return False
        self.blame()
        return True

    def blame(self) -> None:
        """The portal goes on well after a server error: that was the document's own."""
        if self._refused is not None:
            _count(*self._refused, self._means)
        self._refused = None

    def _refuse(self, kept: TrackedNotice, error: PortalUnavailable) -> bool:
        if self._refused is None and error.retry_after is None and not self._means.stop.is_set():
            self._refused = kept, str(error)
            return True
        self.wait = error if error.retry_after is not None else None
        _log.warning("notices are not downloaded now", account=kept.account, reason=str(error))
        return False

    def _fetch(self, kept: TrackedNotice) -> None:
        """One document. What is wrong with it alone is counted; the rest is raised."""
        try:
            download = self._reader.download(kept.notice, max_bytes=LARGEST)
            ending = file_extension(download)
            if ending == "pdf":
                self._opener.check(download.content)
            saved_as, digest = self._shelf.put(kept, download.content, ending=ending)
        except (PortalUnavailable, SessionEnded, StoreUnusable, OSError):
            raise
        except (ReadFailed, NotADocument) as error:
            _count(kept, str(error), self._means)
        except Exception as error:  # noqa: BLE001 - a letter that nobody foresaw must not end the watching
            _log.exception("a notice failed in an unforeseen way", account=kept.account)
            _count(kept, f"it failed in an unforeseen way: {type(error).__name__}; see the log", self._means)
        else:
            self._means.store.set_saved(kept.id, saved_as=saved_as, sha256=digest)
            _log.info("notice kept", account=kept.account, notice=kept.id, bytes=len(download.content))


def _count(kept: TrackedNotice, reason: str, context: Context) -> None:
    _log.warning("a notice was not kept", account=kept.account, notice=kept.id, reason=reason)
    context.store.note_download_failed(kept.id, reason)


def _reason(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
