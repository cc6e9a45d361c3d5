"""Downloading what is new, within the read that found it. What fails here fails alone: the cases are read already."""

from collections.abc import Collection, Iterator

import structlog

from watcher.errors import PortalUnavailable, ReadFailed, SessionEnded, StoreUnusable
from watcher.means import Means
from watcher.notices.checking import LARGEST, NotKept, ending_of
from watcher.notices.opens import PdfOpener
from watcher.notices.shelf import Shelf
from watcher.portals import Downloads
from watcher.settings import AccountSettings
from watcher.standing import KeptNotice

MOST_ATTEMPTS = 5
"""Downloads of one notice that failed for its own sake, after which it is left alone."""

MOST_IN_A_READ = 250
"""Downloads in one read; the rest comes with the next ones."""

_log = structlog.get_logger(__name__)


def fetch_notices(
    reader: Downloads, account: AccountSettings, case_numbers: Collection[str], means: Means
) -> PortalUnavailable | None:
    """Downloads what the portal offers for these cases and is not kept yet.

    A document that cannot be kept is counted, and tried again on later reads. A portal in trouble or a full disk ends
    the downloads of this read; where the portal asked to wait, that is returned. Raises `StoreUnusable` only.
    """
    shelf = Shelf(means.settings.state_dir)
    wanted = list(_wanted(account, case_numbers, means))[:MOST_IN_A_READ]
    if not wanted:
        return None
    shelf.clear(account.name)
    with PdfOpener() as opener:
        for kept in wanted:
            if means.stop.is_set():
                return None
            try:
                _fetch(reader, kept, shelf, opener, means)
            except PortalUnavailable as error:
                _log.warning("notices are not downloaded now", account=account.name, reason=str(error))
                return error if error.retry_after is not None else None
            except (SessionEnded, OSError) as error:
                _log.warning("notices are not downloaded now", account=account.name, reason=_reason(error))
                means.store.note_download_failed(kept.id, _reason(error), counts=False)
                return None
    return None


def _wanted(account: AccountSettings, case_numbers: Collection[str], means: Means) -> Iterator[KeptNotice]:
    for kept in means.store.notices(account.name):
        unsaved = kept.saved_as is None and kept.notice.download is not None
        if unsaved and kept.attempts < MOST_ATTEMPTS and kept.case_number in case_numbers:
            yield kept


def _fetch(reader: Downloads, kept: KeptNotice, shelf: Shelf, opener: PdfOpener, means: Means) -> None:
    """One document. What is wrong with it alone is counted; the rest is raised."""
    try:
        download = reader.download(kept.notice, max_bytes=LARGEST)
        ending = ending_of(download)
        if ending == "pdf":
            opener.check(download.content)
        saved_as, digest = shelf.put(kept, download.content, ending=ending)
    except (PortalUnavailable, SessionEnded, StoreUnusable, OSError):
        raise
    except (ReadFailed, NotKept) as error:
        _count(kept, str(error), means)
    except Exception as error:  # noqa: BLE001 - a letter that nobody foresaw must not end the watching
        _log.exception("a notice failed in an unforeseen way", account=kept.account)
        _count(kept, f"it failed in an unforeseen way: {type(error).__name__}; see the log", means)
    else:
        means.store.set_saved(kept.id, saved_as=saved_as, sha256=digest)
        _log.info("notice kept", account=kept.account, notice=kept.id, bytes=len(download.content))


def _count(kept: KeptNotice, reason: str, means: Means) -> None:
    _log.warning("a notice was not kept", account=kept.account, notice=kept.id, reason=reason)
    means.store.note_download_failed(kept.id, reason)


def _reason(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
