"""A status that a person recorded, as the answer of a check: a small JSON document. Pure."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from watcher.clock.timestamps import iso_text
from watcher.errors import UnexpectedAnswer
from watcher.language.status_meaning import meaning_of, titles
from watcher.language.title_pattern import normalize_title
from watcher.messages import _
from watcher.model.case import Snapshot
from watcher.portal import CaseRead, RawAnswers
from watcher.portals.manual.sites import SITES
from watcher.text.json import load_or_none

LONGEST_STATUS = 500
"""The longest status, in characters; no site has longer titles."""

_ANSWER_NAME = "recorded"
_LONGEST_TEXT = 4_000


def build_case_read(
    site: str,
    case_number: str,
    status: str,
    *,
    on: date | None = None,
    title: str | None = None,
    description: str | None = None,
    submitted_on: date | None = None,
) -> CaseRead:
    """Return the result of a check for a status that a person saw at a site. `on` is the site's date of the status.

    A known title is stored in the site's own spelling, so that a lowercase letter is not a change. Raises
    `UnexpectedAnswer` if the status is empty or too long.
    """
    official_status = {normalize_title(title): title for title in titles(SITES[site].vocabulary)}.get(
        normalize_title(status), status
    )
    note = {"site": site, "case_number": case_number, "status": official_status, "on": iso_text(on)}
    more = {"title": title, "description": description, "submitted_on": iso_text(submitted_on)}
    note |= {key: value for key, value in more.items() if value}
    answers = {_ANSWER_NAME: json.dumps(note, ensure_ascii=False).encode()}
    return CaseRead(snapshot=read(answers, "en"), answers=answers)


def read(answers: RawAnswers, _language: str) -> Snapshot:
    """Return the recorded status as a snapshot. Raises `UnexpectedAnswer` if the record is damaged or invalid."""
    try:
        note = load_or_none(answers[_ANSWER_NAME])
        site, number, value = SITES[note["site"]], str(note["case_number"]), note["status"]
        on, submitted_on = _day(note, "on"), _day(note, "submitted_on")
    except (KeyError, TypeError, ValueError):
        raise UnexpectedAnswer(_("this status was not written by `watcher record`")) from None
    status = " ".join(value.split()) if isinstance(value, str) else ""
    if not normalize_title(status) or len(status) > LONGEST_STATUS or not status.isprintable():
        text = _("a status is one line of 1 to {longest} characters, as the website shows it", longest=LONGEST_STATUS)
        raise UnexpectedAnswer(text)
    meaning = meaning_of(status, vocabulary=site.vocabulary)
    return Snapshot(
        case_number=number,
        title=_text(note, "title"),
        status=status,
        description=_text(note, "description"),
        stage=meaning.stage,
        status_since=on,
        submitted_on=submitted_on,
    )


def _day(note: Mapping[str, Any], key: str) -> date | None:
    return None if note.get(key) is None else date.fromisoformat(note[key])


def _text(note: Mapping[str, Any], key: str) -> str | None:
    value = note.get(key)
    return value[:_LONGEST_TEXT] if isinstance(value, str) and value.isprintable() and value else None
