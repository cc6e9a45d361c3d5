"""Texts for people: names of activities, meanings of codes, texts in the chosen language. Pure."""

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, TypeAlias

from watcher.portals.ircc.answers import Bilingual, Event, Text, Title
from watcher.text.html import plain_text

Language: TypeAlias = Literal["en", "fr"]

_LONGEST: Final = 2_000

_ACTIVITIES: Final[dict[str, tuple[str, str]]] = {
    "eligibility": ("Eligibility", "Admissibilité"),
    "medical": ("Medical examination", "Examen médical"),
    "biometrics": ("Biometrics", "Données biométriques"),
    "background": ("Background check", "Vérification des antécédents"),
    "language": ("Language skills", "Compétences linguistiques"),
    "backgroundVerification": ("Background verification", "Vérification des antécédents"),
    "residency": ("Physical presence", "Présence effective"),
    "prohibitions": ("Prohibitions", "Interdictions"),
    "citizenshipTest": ("Citizenship test", "Examen pour la citoyenneté"),
    "citizenshipOath": ("Citizenship oath", "Serment de citoyenneté"),
}
_MEDICAL_UNTIL: Final = ("Medical examination valid until", "Examen médical valide jusqu'au")
_UNNAMED_ACTION: Final = (
    "The tracker asks for something; sign in to see what",
    "Le suivi demande quelque chose ; connectez-vous pour voir quoi",
)
_TASKS: Final = ("Tasks waiting in the tracker:", "Tâches en attente dans le suivi :")
_RELATIVE: Final = ("family member", "membre de la famille")


def language_of(language: str) -> Language:
    """Return the tracker's language for the user's: French for French, English for any other."""
    return "fr" if language == "fr" else "en"


def activity_title(activity: str, language: Language) -> str:
    """Return a readable name of an activity. An unknown one is derived from its key."""
    if activity in _ACTIVITIES:
        return _pick(_ACTIVITIES[activity], language)
    title = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", activity).strip()
    return title[:1].upper() + title[1:].lower() if title else activity


def medical_until_title(language: Language) -> str:
    """Return the title of the date until which the medical examination is valid."""
    return _pick(_MEDICAL_UNTIL, language)


def relative_title(language: Language) -> str:
    """Return the term for a person other than the principal applicant."""
    return _pick(_RELATIVE, language)


def unnamed_action_title(language: Language) -> str:
    """Return the title of an action that has none."""
    return _pick(_UNNAMED_ACTION, language)


def tasks_title(count: int, language: Language) -> str:
    """Return the title of an item that only counts the waiting tasks."""
    return f"{_pick(_TASKS, language)} {count}"


def text_in(language: Language, text: Text | Title) -> str | None:
    """Return a text in the chosen language, else in the other, as plain text; None if it is empty."""
    if isinstance(text, Bilingual | Title):
        both = (text.fr, text.en) if language == "fr" else (text.en, text.fr)
    else:
        both = (text, None)
    return next((plain for plain in map(_plain, both) if plain), None)


def history_hint(event: Event, language: Language) -> str | None:
    """Return the unofficial meaning of a history code (`history.toml`), or None if there is none."""
    codes, states = _history_meanings()
    line = states.get((event.key, event.status)) or codes.get(event.key)
    return None if line is None else str(line[language])


def _plain(text: str | None) -> str:
    return plain_text(text or "")[:_LONGEST]


def _pick(both: tuple[str, str], language: Language) -> str:
    return both[1] if language == "fr" else both[0]


@cache
def _history_meanings() -> tuple[dict[str, dict[str, Any]], dict[tuple[str, int | None], dict[str, Any]]]:
    text = resources.files(__package__).joinpath("history.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    codes = {code: line for line in content["reading"] for code in line["codes"]}
    states = {(line["code"], line["number"]): line for line in content["state"]}
    return codes, states
