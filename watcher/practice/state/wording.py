"""The sentences of a status title with their dates, in English and Spanish. They are in `wording.toml`."""

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
    """Return the status of a case that has had this title since `on`."""
    texts = _texts(title)
    return Status(
        title_en=title,
        title_es=texts["title_es"] or title,
        text_en=texts["text_en"].format(date=english_date(on), form=form, number=number) + _ADDRESS_EN,
        text_es=texts["text_es"].format(date=spanish_date(on), form=form, number=number) + _ADDRESS_ES,
        on=on,
    )


def event_of(title: str, *, key: str, form: str, on: date) -> CaseEvent:
    """Return the history line of a status with this title."""
    texts = _texts(title)
    return CaseEvent(
        key=key, on=on, text_en=texts["done_en"].format(form=form), text_es=texts["done_es"].format(form=form)
    )


def _texts(title: str) -> dict[str, str]:
    table = _table()
    return table.get(title, table["*"])


@cache
def _table() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("wording.toml").read_text(encoding="utf-8")
    return {title: {name: str(text_) for name, text_ in entry.items()} for title, entry in tomllib.loads(text).items()}
