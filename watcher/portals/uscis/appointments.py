"""The appointments in the letters of a case: their kind, and whether they still stand. Pure.

A letter titled "Appointment Scheduled" does not say for what. A title or an event of about the same days does; each of
them announces at most one letter, the nearest. A cancellation ends the letter that was last before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from watcher.language.status_meaning import says_rescheduled
from watcher.language.title_pattern import normalize_title
from watcher.model.case import STATUS_SOURCE, ItemKind, ItemState, PendingItem
from watcher.portals.uscis.answers import Event, Letter, utc_day
from watcher.portals.uscis.case_answers import LETTERS_SOURCE, CaseAnswers, title_meaning
from watcher.portals.uscis.event_codes import ANNOUNCING_CODES, INTERVIEW_CANCELLED_CODES, RESCHEDULING_CODE
from watcher.text.html import plain_text

_UTC = ZoneInfo("UTC")  # the portal's own days
_LETTER_FOLLOWS = timedelta(days=45)
"""The longest time from the announcement of an appointment to the letter that states its time."""
_LETTER_PRECEDES = timedelta(days=3)
"""The longest time by which the letter comes first: sources date the same event slightly apart."""
_SAME_CANCELLATION = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Announcement:
    kind: ItemKind
    at: datetime | None
    is_current: bool = False
    reschedules: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cancellation:
    kinds: frozenset[ItemKind]
    at: datetime


def appointments(answers: CaseAnswers) -> Iterator[PendingItem]:
    """Yield the appointment of each letter that has one. It is closed if it was cancelled or, by the dates, is over."""
    letters = sorted(filter(_has_appointment, answers.letters), key=_written_at)
    announced = _announced(letters, answers)
    kinds = {letter.letter_id: _kind(letter, announced.get(letter.letter_id)) for letter in letters}
    cancelled = _cancelled(letters, kinds, answers) | _rescheduled(letters, kinds, announced)
    for letter in letters:
        kind, announcement = kinds[letter.letter_id], announced.get(letter.letter_id)
        is_over = letter.letter_id in cancelled or _is_over(letter, answers)
        is_in_title = announcement is not None and announcement.is_current and not is_over
        yield PendingItem(
            key=f"appointment:{letter.letter_id}",
            kind=kind,
            title=plain_text(letter.action_type),
            starts_at=letter.appointment_date_time,
            state=ItemState.CLOSED if is_over else ItemState.OPEN,
            asked_on=utc_day(letter.generation_date),
            portal_id=letter.letter_id,
            sources=frozenset({LETTERS_SOURCE, STATUS_SOURCE} if is_in_title else {LETTERS_SOURCE}),
        )


def _has_appointment(letter: Letter) -> bool:
    return (
        _own_kind(letter) is not None
        or letter.appointment_date_time is not None
        or normalize_title(letter.action_type) == "appointment scheduled"
    )


def _own_kind(letter: Letter) -> ItemKind | None:
    asks = title_meaning(letter.action_type).asks
    return asks if asks is not None and asks.is_appointment else None


def _kind(letter: Letter, announcement: _Announcement | None) -> ItemKind:
    return _own_kind(letter) or (announcement.kind if announcement is not None else ItemKind.APPOINTMENT)


def _written_at(letter: Letter) -> datetime:
    return letter.generation_date or datetime.min.replace(tzinfo=UTC)


# --- what announces which letter ----------------------------------------------------------------------------------


def _announced(letters: Sequence[Letter], answers: CaseAnswers) -> dict[str, _Announcement]:
    """Return the announcement of each letter: titles first, then events for the letters that no title announces."""
    found: dict[str, _Announcement] = {}
    cancelled_at = [event_at(event) for event in answers.events if event.event_code in INTERVIEW_CANCELLED_CODES]
    for announcements in (list(_in_titles(answers)), list(_in_events(answers))):
        pairs = [
            (fit, number, letter.letter_id)
            for number, announcement in enumerate(announcements)
            for letter in letters
            if letter.letter_id not in found
            and _own_kind(letter) in {None, announcement.kind}
            and (fit := _fit(letter, announcement, cancelled_at)) is not None
        ]
        used: set[int] = set()
        for _, number, letter_id in sorted(pairs):
            if number not in used and letter_id not in found:
                used.add(number)
                found[letter_id] = announcements[number]
    return found


def _in_titles(answers: CaseAnswers) -> Iterator[_Announcement]:
    current = answers.current
    if (asks := current.meaning.asks) is not None and asks.is_appointment:
        at = current.updated_at if utc_day(current.updated_at) == current.since else None
        moves = says_rescheduled(current.title)
        yield _Announcement(kind=asks, at=at or _noon(current.since), is_current=True, reschedules=moves)
    for earlier in answers.earlier_statuses:
        if (asks := title_meaning(earlier.status_title).asks) is not None and asks.is_appointment:
            moves = says_rescheduled(earlier.status_title)
            yield _Announcement(kind=asks, at=_noon(earlier.date), reschedules=moves)


def _in_events(answers: CaseAnswers) -> Iterator[_Announcement]:
    for event in answers.events:
        if (kind := ANNOUNCING_CODES.get(event.event_code)) is not None:
            yield _Announcement(kind=kind, at=event_at(event), reschedules=event.event_code == RESCHEDULING_CODE)


def _fit(
    letter: Letter, announcement: _Announcement, cancelled_at: Sequence[datetime | None]
) -> tuple[bool, timedelta] | None:
    """Return how well both fit, less is better; None if they cannot be about the same appointment."""
    made, at = letter.generation_date, announcement.at
    if made is None or at is None:
        return True, timedelta.max
    if not -_LETTER_PRECEDES <= made.date() - at.date() <= _LETTER_FOLLOWS:
        return None
    if any(moment is not None and made < moment < at for moment in cancelled_at):
        return None
    return made.date() < at.date(), abs(made - at)


def _rescheduled(
    letters: Sequence[Letter], kinds: dict[str, ItemKind], announced: dict[str, _Announcement]
) -> set[str]:
    """Return the letters whose appointment was moved: those of the same kind before the letter that moves it."""
    moving = [letter for letter in letters if letter.letter_id in announced and announced[letter.letter_id].reschedules]
    return {
        letter.letter_id
        for letter in letters
        for later in moving
        if _written_at(letter) < _written_at(later) and kinds[letter.letter_id] is kinds[later.letter_id]
    }


# --- what cancels which letter ------------------------------------------------------------------------------------


def _cancelled(letters: Sequence[Letter], kinds: dict[str, ItemKind], answers: CaseAnswers) -> set[str]:
    """Return the letters whose appointment was called off.

    Two codes of one cancellation follow each other without a letter between them.
    """
    cancelled: set[str] = set()
    previous = datetime.min.replace(tzinfo=UTC)
    for cancellation in sorted(_cancellations(answers), key=lambda one: one.at):
        standing = [
            letter
            for letter in letters
            if kinds[letter.letter_id] in cancellation.kinds and previous < _written_at(letter) <= cancellation.at
        ]
        if standing:
            cancelled.add(standing[-1].letter_id)
            previous = cancellation.at
    return cancelled


def _cancellations(answers: CaseAnswers) -> Iterator[_Cancellation]:
    """Yield cancellations by events, and by titles of days on which no event is one."""
    interview = frozenset({ItemKind.INTERVIEW})
    events = [event_at(event) for event in answers.events if event.event_code in INTERVIEW_CANCELLED_CODES]
    moments = [moment for moment in events if moment is not None]
    yield from (_Cancellation(kinds=interview, at=moment) for moment in moments)
    titles = [(answers.current.meaning.cancels, answers.current.since)]
    titles += [(title_meaning(earlier.status_title).cancels, earlier.date) for earlier in answers.earlier_statuses]
    for kinds, day in titles:
        if kinds and day is not None and not any(_is_near(moment.date(), day) for moment in moments):
            yield _Cancellation(kinds=kinds, at=datetime.combine(day, time.max, UTC))


def _is_near(one: date, other: date) -> bool:
    return abs(one - other) <= _SAME_CANCELLATION


def _is_over(letter: Letter, answers: CaseAnswers) -> bool:
    """Return whether the case ended after the letter, or the portal wrote something after the appointment's day."""
    meaning, since, made = answers.current.meaning, answers.current.since, utc_day(letter.generation_date)
    ended = meaning.stage.final and not (meaning.asks is not None and meaning.asks.is_appointment)
    if ended and (made is None or since is None or made <= since):
        return True
    starts_at = letter.appointment_date_time
    return starts_at is not None and starts_at.day_in(_UTC) < (answers.latest_day or date.min)


def event_at(event: Event) -> datetime | None:
    """Return the moment of an event, noon (UTC) if only the day is known."""
    moment = event.event_timestamp or event.created_at_timestamp
    return moment or _noon(event.event_date_time)


def _noon(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(12), UTC)
