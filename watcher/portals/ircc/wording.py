"""The trackers' words for people: names of activities, readings of codes, texts in the chosen language. Pure."""

import re
import tomllib
from functools import cache
from html import unescape
from importlib import resources
from typing import Any, Final, Literal, TypeAlias

from watcher.portals.ircc.answers import Bilingual, Event, Text, Title

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
_SOMETHING_ASKED: Final = (
    "The tracker asks for something; sign in to see what",
    "Le suivi demande quelque chose ; connectez-vous pour voir quoi",
)
_TASKS: Final = ("Tasks waiting in the tracker:", "Tâches en attente dans le suivi :")
_RELATIVE: Final = ("family member", "membre de la famille")


def language_of(language: str) -> Language:
    """The trackers speak English and French; whoever chose neither gets English."""
    return "fr" if language == "fr" else "en"


def activity_title(activity: str, language: Language) -> str:
    """A readable name of an activity; one that is not known is spelled out of its own key."""
    if activity in _ACTIVITIES:
        return _pick(_ACTIVITIES[activity], language)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", activity).strip()
    return words[:1].upper() + words[1:].lower() if words else activity


def medical_until_title(language: Language) -> str:
    """What the date until which the medical examination counts is called."""
    return _pick(_MEDICAL_UNTIL, language)


def relative_title(language: Language) -> str:
    """What a person beside the principal applicant is called."""
    return _pick(_RELATIVE, language)


def unnamed_action_title(language: Language) -> str:
    """What an action is called that the tracker gives no title."""
    return _pick(_SOMETHING_ASKED, language)


def tasks_title(count: int, language: Language) -> str:
    """What the bare number of waiting tasks is called."""
    return f"{_pick(_TASKS, language)} {count}"


def text_in(language: Language, text: Text | Title) -> str | None:
    """A text in the chosen language, else in the other, as inert plain text; None where it is empty."""
    if isinstance(text, Bilingual | Title):
        both = (text.fr, text.en) if language == "fr" else (text.en, text.fr)
    else:
        both = (text, None)
    return next((plain for plain in map(_plain, both) if plain), None)


def history_hint(event: Event, language: Language) -> str | None:
    """What others read a history code as; None where nobody does, or only guesses."""
    codes, states = _readings()
    line = states.get((event.key, event.status)) or codes.get(event.key)
    return None if line is None else str(line[language])


def _plain(text: str | None) -> str:
    without_tags = re.sub(r"<[^<>]{0,1000}>", " ", text or "")
    return " ".join(unescape(without_tags).split())[:_LONGEST]


def _pick(both: tuple[str, str], language: Language) -> str:
    return both[1] if language == "fr" else both[0]


@cache
def _readings() -> tuple[dict[str, dict[str, Any]], dict[tuple[str, int | None], dict[str, Any]]]:
    text = resources.files(__package__).joinpath("history.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    codes = {code: line for line in content["reading"] for code in line["codes"]}
    states = {(line["code"], line["number"]): line for line in content["state"]}
    return codes, states
