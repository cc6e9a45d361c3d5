"""What a script in the person's own tab sends, as `browser/gather.js` builds it. Pure."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from watcher.errors import UnexpectedAnswer, WatcherError
from watcher.messages import _
from watcher.text.json import read_json
from watcher.text.printable import clean

MAX_BYTES = 32 * 1024 * 1024
_MAX_ANSWERS = 5000
_MAX_TEXT = 8 * 1024 * 1024
_MAX_PROBLEM = 300
_REFUSED = frozenset({401, 403})


class HandOverRefused(WatcherError):
    """A hand-over that is not used. The message says why and what to do, and is shown in the person's tab."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    case: str = Field(default="", max_length=200)
    url: str = Field(max_length=4000)
    status: int
    type: str = Field(default="", max_length=200)
    text: str = Field(default="", max_length=_MAX_TEXT)


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    nonce: str = Field(pattern=r"^[0-9a-f]{32}$")
    at: int = Field(ge=0, le=253_402_300_799_000)
    site: str = Field(max_length=300)
    answers: list[_Answer] = Field(max_length=_MAX_ANSWERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedAnswer:
    """One answer of the portal, as the person's browser received it. `case_number` is "" if it is for no certain case.

    `url` is the address at the end of all redirects. `body` is UTF-8.
    """

    case_number: str
    url: str
    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """A hand-over. `nonce` is different for each, and `at` is the time of the browser's clock."""

    nonce: str
    at: datetime
    answers: tuple[HandedAnswer, ...]

    def by_case(self) -> Mapping[str, tuple[HandedAnswer, ...]]:
        """Return the answers by case number, in their order."""
        cases: dict[str, list[HandedAnswer]] = defaultdict(list)
        for answer in self.answers:
            cases[answer.case_number].append(answer)
        return {number: tuple(answers) for number, answers in cases.items()}


def read_payload(content: bytes, *, origin: str) -> HandOver:
    """Return the hand-over from a tab at `origin`.

    Raises `HandOverRefused` if it is damaged or incomplete, comes from another website, or nobody is signed in.
    """
    payload = _parsed(content)
    if payload.site.rstrip("/").lower() != origin.lower():
        raise HandOverRefused(
            _("This comes from another website. Open {site}, sign in, and hand over from there.", site=origin)
        )
    answers = [answer for answer in payload.answers if _is_from(answer.url, origin)]
    if not answers or all(answer.status in _REFUSED for answer in answers):
        raise HandOverRefused(
            _("You are not signed in at {site}, or the session has ended. Sign in, then hand over again.", site=origin)
        )
    return HandOver(
        nonce=payload.nonce,
        at=datetime.fromtimestamp(payload.at / 1000, UTC),
        answers=tuple(
            HandedAnswer(
                case_number=answer.case,
                url=answer.url,
                status=answer.status,
                content_type=answer.type,
                body=answer.text.encode(),
            )
            for answer in answers
        ),
    )


def as_http_archive(answers: tuple[HandedAnswer, ...]) -> bytes:
    """Return answers as an HTTP Archive 1.2 (HAR), the form in which a browser saves them and portals import them."""
    return json.dumps({"log": {"version": "1.2", "entries": [_entry(answer) for answer in answers]}}).encode()


def _parsed(content: bytes) -> _Payload:
    try:
        value = read_json(content)
        if isinstance(value, dict) and value.keys() == {"problem"}:  # the Shortcut sends on why it read nothing
            raise HandOverRefused(clean(str(value["problem"]))[:_MAX_PROBLEM])
        return _Payload.model_validate(value)
    except (UnexpectedAnswer, ValidationError):
        raise HandOverRefused(
            _(
                "The data is incomplete or damaged, and nothing was changed. Reload the page of your case, wait"
                " until it is complete, and hand over again. If this happens again, make a new bookmark, Shortcut, or"
                " extension: yours may be from an earlier version."
            )
        ) from None


def _is_from(url: str, origin: str) -> bool:
    """Return whether the answer was given by the website itself: a redirect to a sign-in elsewhere is no answer."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}".lower() == origin.lower()


def _entry(answer: HandedAnswer) -> dict[str, Any]:
    content = {"mimeType": answer.content_type, "text": answer.body.decode()}
    return {
        "request": {"method": "GET", "url": answer.url},
        "response": {"status": answer.status, "content": content},
    }
