"""Fetch the published lists whose addresses the user names: once a day each, and the last usable content is kept."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from watcher.context.context import Context
from watcher.context.reference_lists import parse_list, short_name, sources_of
from watcher.errors import LockLost, PortalUnavailable, ReadFailed, UnexpectedAnswer
from watcher.http.client import PortalHttp
from watcher.http.hosts import host_of
from watcher.http.response import Response
from watcher.messages import _
from watcher.model.published_list import StoredList
from watcher.reference.lists import ListName
from watcher.reference.rows import MAX_SIZE, Origin
from watcher.reference.visa_bulletin import recent_bulletins
from watcher.settings import Settings
from watcher.store import Busy, StoreReader

_INTERVAL: Final = timedelta(days=1)
_JITTER: Final = timedelta(hours=2)
_OK, _NOT_MODIFIED = 200, 304
_MAX_FAULT_LENGTH: Final = 300
_log = structlog.get_logger(__name__)


def fetch_lists(context: Context) -> None:
    """Fetch each list that is due. A failure is stored as its fault. Raises `StoreUnusable`.

    Does nothing while another process does the same.
    """
    if not _due(context.store, context.settings, context.clock.now()):
        return
    with suppress(Busy, LockLost), context.store.locks.acquire("lists") as held:
        own = replace(context, held=held)
        for name, address in _due(context.store, context.settings, context.clock.now()).items():
            if context.stop.is_set():
                return
            _fetch(own, name, address)


def next_list_fetch(store: StoreReader, settings: Settings, now: datetime) -> datetime | None:
    """Return when the first list is due; None if no address is configured. Raises `StoreUnusable`."""
    addresses = _addresses(settings)
    if not addresses:
        return None
    stored = store.published_lists(with_content=False)
    return min(_fetch_at(stored.get(name), address) or now for name, address in addresses.items())


def _due(store: StoreReader, settings: Settings, now: datetime) -> dict[ListName, str]:
    addresses = _addresses(settings)
    stored = store.published_lists(with_content=False) if addresses else {}
    return {
        name: address for name, address in addresses.items() if (_fetch_at(stored.get(name), address) or now) <= now
    }


def _addresses(settings: Settings) -> dict[ListName, str]:
    return {name: source for name, source in sources_of(settings).items() if not isinstance(source, Path)}


def _fetch_at(stored: StoredList | None, address: str) -> datetime | None:
    return stored.next_fetch_at if stored is not None and stored.address == address else None


def _fetch(context: Context, name: ListName, address: str) -> None:
    now, stored = context.clock.now(), context.store.published_lists().get(name)
    if stored is None or stored.address != address:
        stored = StoredList(name=name.value, address=address, tried_at=now, wait_seconds=0)
    wait = _INTERVAL + _JITTER * context.random.random()
    try:
        fetched = _answered(context, name, stored, _request(context, stored))
        _log.info("list_fetched", list=name.value, host=host_of(address))
    except ReadFailed as error:
        if context.stop.is_set():
            return
        wait = max(wait, (isinstance(error, PortalUnavailable) and error.retry_after) or wait)
        reason = str(error).removeprefix(f"{host_of(address)}: ")
        fetched = replace(stored, fault=reason[:_MAX_FAULT_LENGTH])
        _log.warning("list_not_fetched", list=name.value, reason=reason)
    context.verify_lock()
    context.store.lists.save(replace(fetched, tried_at=now, wait_seconds=round(wait.total_seconds())))


def _request(context: Context, stored: StoredList) -> Response:
    """Ask the address, and only its own host. Raises `ReadFailed`."""
    host = host_of(stored.address)
    validators = {"If-None-Match": stored.etag, "If-Modified-Since": stored.last_modified}
    headers = {key: value for key, value in validators.items() if value and stored.content is not None}
    with PortalHttp(
        portal=host,
        hosts=[host],
        origins=[stored.address],
        clock=context.clock,
        stop=context.stop,
        ca_file=context.settings.reference.ca_file,
        max_bytes=MAX_SIZE,
    ) as http:
        return http.send("GET", stored.address, headers=headers)


def _answered(context: Context, name: ListName, stored: StoredList, response: Response) -> StoredList:
    """Return what is stored after an answer. Raises `UnexpectedAnswer` if it is no list."""
    now = context.clock.now()
    if response.status == _NOT_MODIFIED and stored.content is not None:
        return replace(stored, fetched_at=now, fault=None)
    if response.status != _OK:
        raise UnexpectedAnswer(_("it answered with HTTP {status}", status=response.status))
    today = now.astimezone(context.settings.timezone).date()
    parse_list(name, response.body, Origin(name=short_name(stored.address), saved_on=today))
    is_bulletin = name is ListName.VISA_BULLETIN
    return replace(
        stored,
        content=recent_bulletins(response.body, today) if is_bulletin else response.body,
        fetched_at=now,
        etag=response.headers.get("etag"),
        last_modified=response.headers.get("last-modified"),
        fault=None,
    )
