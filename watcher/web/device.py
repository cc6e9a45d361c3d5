"""The preferences of one device, kept in its cookies: language, theme, and what it has seen."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from watcher.messages import LANGUAGES, known_language

Theme: TypeAlias = Literal["", "light", "dark"]

LANGUAGE, THEME, SEEN = "language", "theme", "seen"
THEMES: tuple[Theme, ...] = ("", "light", "dark")
_YEAR = 365 * 86400
_SEEN = re.compile(r"([0-9]{1,12})\.([0-9]{1,10})")
_WISH = re.compile(r"\s*([A-Za-z]{1,8})[-A-Za-z0-9]*\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The newest change that was on the screen when its user said that it was seen, and when that was."""

    change: int
    at: datetime


def language_of(request: Request, default: str) -> str:
    """Return the language of the device: the one chosen there, else the browser's preference, else the default."""
    chosen = request.cookies.get(LANGUAGE, "")
    if chosen in LANGUAGES:
        return chosen
    return _wished_language(request.headers.get("accept-language", "")) or default


def theme_of(request: Request) -> Theme:
    """Return the theme chosen on the device; "" follows the device's own setting."""
    chosen = request.cookies.get(THEME, "")
    return next((theme for theme in THEMES if theme == chosen), "")


def seen_by(request: Request) -> Seen | None:
    """Return up to where the device has seen the changes; None if it never said so."""
    match = _SEEN.fullmatch(request.cookies.get(SEEN, ""))
    return None if match is None else Seen(change=int(match[1]), at=datetime.fromtimestamp(int(match[2]), UTC))


def keep(request: Request, response: Response, name: str, value: str) -> None:
    """Keep a preference of the device for a year; "" forgets it. Nothing in it is secret."""
    path, secure = request.scope.get("root_path", "") or "/", request.url.scheme == "https"
    if value:
        response.set_cookie(name, value, max_age=_YEAR, path=path, secure=secure, httponly=True, samesite="lax")
    else:
        response.delete_cookie(name, path=path, secure=secure, httponly=True, samesite="lax")


def keep_seen(request: Request, response: Response, *, change: int, now: datetime) -> None:
    """Keep up to where the device has seen the changes."""
    keep(request, response, SEEN, f"{change}.{int(now.timestamp())}")


def _wished_language(header: str) -> str | None:
    wishes = [match for part in header.split(",")[:20] if (match := _WISH.fullmatch(part))]
    wishes.sort(key=lambda match: -float(match[2] or 1))
    known = (known_language(match[1]) for match in wishes if float(match[2] or 1) > 0)
    return next((language for language in known if language), None)
