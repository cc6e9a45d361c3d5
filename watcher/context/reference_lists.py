"""Load the published lists of `[reference]`: the user's files, and what was last fetched from addresses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from watcher.errors import UnexpectedAnswer, os_error_text
from watcher.messages import _
from watcher.model.published_list import StoredList
from watcher.reference.inquiry_dates import InquiryDates, parse_inquiry_dates
from watcher.reference.lists import NO_LISTS, ListName, ListProblem, ProblemKind, ReferenceLists
from watcher.reference.place_in_line import BulletinList
from watcher.reference.rows import MAX_SIZE, Origin
from watcher.reference.visa_bulletin import Bulletins, FilingCharts, parse_bulletins, parse_filing_charts
from watcher.settings import Settings
from watcher.store import StoreReader
from watcher.text.case_numbers import normalized_number

Parsed = InquiryDates | Bulletins | FilingCharts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """One list: its content, None if there is none that can be used, when it was saved, and what is wrong with it."""

    content: Parsed | None = None
    saved_on: date | None = None
    problem: ListProblem | None = None


def load_lists(store: StoreReader, settings: Settings, now: datetime) -> ReferenceLists:
    """Return the lists that can be used now, and why others cannot. Raises `StoreUnusable`.

    A list that was never fetched yet is left out.
    """
    sources = sources_of(settings)
    if not sources:
        return NO_LISTS
    today = now.astimezone(settings.timezone).date()
    stored = store.published_lists() if any(isinstance(source, str) for source in sources.values()) else {}
    loaded = {
        name: _from_file(name, source, today)
        if isinstance(source, Path)
        else _from_store(name, source, stored.get(name), settings)
        for name, source in sources.items()
    }
    contents = {name: one.content for name, one in loaded.items()}
    inquiry, bulletins = contents.get(ListName.INQUIRY_DATES), contents.get(ListName.VISA_BULLETIN)
    charts = contents.get(ListName.FILING_CHART)
    return ReferenceLists(
        inquiry=inquiry if isinstance(inquiry, InquiryDates) else None,
        bulletin=BulletinList(
            bulletins=bulletins,
            filing_charts=charts if isinstance(charts, Mapping) else {},
            filing_origin=_origin(sources, loaded, ListName.FILING_CHART),
        )
        if isinstance(bulletins, Bulletins)
        else None,
        subtypes=_subtypes(settings.reference.subtypes),
        faults=tuple(one.problem for one in loaded.values() if one.problem),
    )


def _origin(
    sources: Mapping[ListName, Path | str], loaded: Mapping[ListName, _Loaded], name: ListName
) -> Origin | None:
    saved_on = loaded[name].saved_on if name in loaded else None
    return None if saved_on is None else Origin(name=short_name(sources[name]), saved_on=saved_on)


def sources_of(settings: Settings) -> dict[ListName, Path | str]:
    """Return the file or address of each list that is configured."""
    sources = ((name, getattr(settings.reference, name.value)) for name in ListName)
    return {name: source for name, source in sources if source is not None}


def parse_list(name: ListName, body: bytes, origin: Origin) -> Parsed:
    """Return the content of a list. Raises `UnexpectedAnswer` if it has another shape."""
    parsers: Mapping[ListName, Callable[[], Parsed]] = {
        ListName.INQUIRY_DATES: lambda: parse_inquiry_dates(body, origin),
        ListName.VISA_BULLETIN: lambda: parse_bulletins(body, origin),
        ListName.FILING_CHART: lambda: parse_filing_charts(body),
    }
    return parsers[name]()


def short_name(source: Path | str) -> str:
    """Return how sentences name a source: the host of an address, or the name of a file."""
    return source.name if isinstance(source, Path) else urlsplit(source).hostname or ""


def _from_file(name: ListName, file: Path, today: date) -> _Loaded:
    source = short_name(file)
    try:
        state = file.stat()
        saved_on = min(date.fromtimestamp(state.st_mtime), today)  # noqa: DTZ012 - as the user's file manager shows it
        content = _parsed_file(name, file, state.st_mtime_ns, state.st_size, saved_on)
        return _Loaded(content=content, saved_on=saved_on)
    except OSError as error:
        reason = os_error_text(error)
    except (OverflowError, ValueError):
        reason = _("the file has no valid date")
    except UnexpectedAnswer as error:
        reason = str(error)
    return _Loaded(problem=ListProblem(name=name, kind=ProblemKind.FAULT, source=source, reason=reason))


@lru_cache(maxsize=8)
def _parsed_file(name: ListName, file: Path, _modified_ns: int, size: int, saved_on: date) -> Parsed:
    """Return the content of a file, which is read again only if it has changed."""
    if size > MAX_SIZE:
        raise UnexpectedAnswer(_("it is larger than {n} MiB", n=MAX_SIZE // 1024**2))
    with file.open("rb") as opened:
        body = opened.read(MAX_SIZE)
    return parse_list(name, body, Origin(name=short_name(file), saved_on=saved_on))


def _from_store(name: ListName, address: str, stored: StoredList | None, settings: Settings) -> _Loaded:
    if stored is None or stored.address != address:
        return _Loaded()
    source, reason, content, saved_on = short_name(address), stored.fault or "", None, None
    if stored.content is not None and stored.fetched_at is not None:
        saved_on = stored.fetched_at.astimezone(settings.timezone).date()
        try:
            content = parse_list(name, stored.content, Origin(name=source, saved_on=saved_on))
        except UnexpectedAnswer as error:
            reason, saved_on = reason or str(error), None
    if not reason:
        return _Loaded(content=content, saved_on=saved_on)
    problem = ListProblem(name=name, kind=ProblemKind.FAULT, source=source, reason=reason, saved_on=saved_on)
    return _Loaded(content=content, saved_on=saved_on, problem=problem)


def _subtypes(subtypes: Mapping[str, str]) -> Mapping[str, str]:
    """Return the subtypes by form, in lower case, and by normalized case number."""
    return {key: subtype for name, subtype in subtypes.items() for key in (name.casefold(), normalized_number(name))}
