"""The sentences that go with a status title, in English and Spanish, with their dates. Kept in `wording.toml`."""

import tomllib
from datetime import date
from functools import cache
from importlib import resources

from watcher.practice.state.case_record import CaseEvent, Status

_MONTHS_ES = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)
_ADDRESS_EN = ' If you move, go to <a href="https://www.uscis.gov/addresschange">www.uscis.gov/addresschange</a>.'
_ADDRESS_ES = ' Si se muda, visite <a href="https://www.uscis.gov/addresschange">www.uscis.gov/addresschange</a>.'


def english_date(day: date) -> str:
    """July 9, 2026."""
    return f"{day:%B} {day.day}, {day.year}"


def spanish_date(day: date) -> str:
    """9 de julio de 2026."""
    return f"{day.day} de {_MONTHS_ES[day.month - 1]} de {day.year}"


def status_of(title: str, *, form: str, number: str, on: date) -> Status:
    """What the portal says of a case whose status has had this title since `on`."""
    words = _words(title)
    return Status(
        title_en=title,
        title_es=words["title_es"] or title,
        text_en=words["text_en"].format(date=english_date(on), form=form, number=number) + _ADDRESS_EN,
        text_es=words["text_es"].format(date=spanish_date(on), form=form, number=number) + _ADDRESS_ES,
        on=on,
    )


def event_of(title: str, *, key: str, form: str, on: date) -> CaseEvent:
    """The line that a status of this title leaves in the history."""
    words = _words(title)
    return CaseEvent(
        key=key, on=on, text_en=words["done_en"].format(form=form), text_es=words["done_es"].format(form=form)
    )


def _words(title: str) -> dict[str, str]:
    table = _table()
    return table.get(title, table["*"])


@cache
def _table() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("wording.toml").read_text(encoding="utf-8")
    return {title: {name: str(words) for name, words in entry.items()} for title, entry in tomllib.loads(text).items()}
