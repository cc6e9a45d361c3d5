"""Download new letters at the end of a check. A failure here does not affect the cases, which are recorded already."""

from collections.abc import Collection, Iterator

import structlog

from watcher.context.context import Context
from watcher.errors import LockLost, PortalUnavailable, ReadFailed, SessionEnded, StoreUnusable, system_reason
from watcher.messages import _
from watcher.model.ledger import MAX_DOWNLOAD_ATTEMPTS, TrackedNotice
from watcher.notices.file_type import MAX_DOCUMENT_BYTES, NotADocument, file_extension
from watcher.notices.notice_files import NoticeFiles
from watcher.notices.pdf_check import PdfChecker
from watcher.portal import Downloads
from watcher.settings import AccountSettings

MAX_DOWNLOADS_PER_CHECK = 250
"""The next checks download the rest."""

_log = structlog.get_logger(__name__)


def fetch_notices(
    reader: Downloads, account: AccountSettings, case_numbers: Collection[str], context: Context
) -> PortalUnavailable | None:
    """Download the letters of these cases that are not saved yet.

    A document that cannot be saved is counted, and tried again in later checks, after the others. A single server error
    is attributed to the document. Two in a row are attributed to the portal and end the downloads of this check, like a
    full disk. Returns the error if the portal asks to wait. Raises only `StoreUnusable`.
    """
    unsaved = sorted(_unsaved(account, case_numbers, context), key=lambda notice: notice.last_error is not None)
    if not unsaved:
        return None
    files = NoticeFiles(context.settings.state_dir)
    files.remove_temporary_files(account.name)
    with PdfChecker() as pdf_checker:
        downloads = _Downloads(reader, files, pdf_checker, context)
        for notice in unsaved[:MAX_DOWNLOADS_PER_CHECK]:
            if context.stop.is_set() or not downloads.download(notice):
                return downloads.wait
        downloads.count_server_error()
    return None


def _unsaved(account: AccountSettings, case_numbers: Collection[str], context: Context) -> Iterator[TrackedNotice]:
    for notice in context.store.notices(account.name):
        can_be_saved = notice.saved_as is None and notice.notice.download is not None
        if can_be_saved and notice.attempts < MAX_DOWNLOAD_ATTEMPTS and notice.case_number in case_numbers:
            yield notice


class _Downloads:
    """The downloads of one check. `wait` is the error with which the portal asked to wait, if it did."""

    def __init__(self, reader: Downloads, files: NoticeFiles, pdf_checker: PdfChecker, context: Context) -> None:
        self.wait: PortalUnavailable | None = None
        self._reader, self._files, self._pdf_checker, self._context = reader, files, pdf_checker, context
        self._server_error: tuple[TrackedNotice, str] | None = None

    def download(self, notice: TrackedNotice) -> bool:
        """Download one document. Returns whether to continue with the next."""
        self._context.verify_lock()
        try:
            self._download(notice)
        except PortalUnavailable as error:
            return self._continue_after(notice, error)
        except (SessionEnded, OSError) as error:
            _log.warning("notice_downloads_stopped", account=notice.account, reason=_reason(error))
            self._context.store.note_download_failed(notice.id, _reason(error), counts=False)
            return False
        self.count_server_error()
        return True

    def count_server_error(self) -> None:
        """Attribute the last server error to its document, because the portal works for others."""
        if self._server_error is not None:
            _count_failure(*self._server_error, self._context)
        self._server_error = None

    def _continue_after(self, notice: TrackedNotice, error: PortalUnavailable) -> bool:
        if self._server_error is None and error.retry_after is None and not self._context.stop.is_set():
            self._server_error = notice, str(error)
            return True
        self.wait = error if error.retry_after is not None else None
        _log.warning("notice_downloads_stopped", account=notice.account, reason=str(error))
        return False

    def _download(self, notice: TrackedNotice) -> None:
        """Download and save one document. Counts failures of the document itself, and raises the others."""
        try:
            download = self._reader.download(notice.notice, max_bytes=MAX_DOCUMENT_BYTES)
            extension = file_extension(download)
            if extension == "pdf":
                self._pdf_checker.check(download.content)
            saved_as, digest = self._files.save(notice, download.content, extension=extension)
        except (PortalUnavailable, SessionEnded, StoreUnusable, LockLost, OSError):
            raise
        except (ReadFailed, NotADocument) as error:
            _count_failure(notice, str(error), self._context)
        except Exception as error:  # noqa: BLE001 - an unexpected kind of letter must not end the check
            _log.exception("notice_failed_unexpectedly", account=notice.account)
            reason = _("the download failed unexpectedly ({error}); see the log", error=type(error).__name__)
            _count_failure(notice, reason, self._context)
        else:
            self._context.store.set_saved(notice.id, saved_as=saved_as, sha256=digest)
            _log.info("notice_saved", account=notice.account, notice=notice.id, bytes=len(download.content))


def _count_failure(notice: TrackedNotice, reason: str, context: Context) -> None:
    _log.warning("notice_not_saved", account=notice.account, notice=notice.id, reason=reason)
    context.store.note_download_failed(notice.id, reason)


def _reason(error: Exception) -> str:
    return system_reason(error) or type(error).__name__ if isinstance(error, OSError) else str(error)
