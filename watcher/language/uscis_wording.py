"""What USCIS texts name: the stated day, a form by its number."""

import re
from datetime import date, datetime

from watcher.text.uscis_html import plain_text

_FORM = re.compile(r"([A-Z]{1,4})-?([0-9]{2,4}[A-Z]{0,3})", re.ASCII)


_STATED = re.compile(r"\b(?:On|As of) ([A-Z][a-z]{2,8})\.? (\d{1,2}), (\d{4})\b")


def stated_day(text: str) -> date | None:
    """The day in the "On July 9, 2026" or "As of July 9, 2026" of an English status text; None without one."""
    found = _STATED.search(text)
    if found is None:
        return None
    for month in ("%B", "%b"):
        try:
            return datetime.strptime(" ".join(found.groups()), f"{month} %d %Y").date()  # noqa: DTZ007 - a day alone
        except ValueError:
            continue
    return None


def form_number(form: str) -> str:
    """A form by its number, with its hyphen: `I485` and `I-485` are both `I-485`. What is no number stays as it is."""
    found = _FORM.fullmatch(form.strip().upper())
    return f"{found[1]}-{found[2]}" if found else plain_text(form)
