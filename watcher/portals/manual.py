"""Official sites that forbid automated access: a person looks at the site and records the status.

Such a site uses a captcha or blocks programs, and this program does not circumvent that: it never sends the site a
request. At the interval `every`, it reminds the person to look, with the official link and what to enter there. A
recorded status (`watcher record`) is processed like the result of any other check.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from shlex import quote
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from watcher.clock.timestamps import iso_text
from watcher.errors import CodeNeeded, UnexpectedAnswer
from watcher.language.status_meaning import meaning_of, titles
from watcher.language.title_pattern import normalize_title
from watcher.messages import _, mark
from watcher.model.alert import Links
from watcher.model.case import Snapshot
from watcher.portal import CaseRead, CaseResults, Portal, PortalContext, Question, RawAnswers, Reader
from watcher.settings import AccountSettings
from watcher.text.json import load_or_none

SiteName = Literal["ceac", "nvc", "egov", "eoir", "ipc", "immi"]

LONGEST_STATUS = 500
"""The longest status, in characters; no site has longer titles."""

_ANSWER_NAME = "recorded"
_TRAVEL = "https://travel.state.gov/content/travel/en/us-visas.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An official site and its agency. `vocabulary` lists its status titles; the catalogues say what to enter there."""

    title: str
    agency: str
    links: Links
    vocabulary: str = "general"


SITES = MappingProxyType(
    {
        "ceac": Site(
            title=mark("Visa status check of the US Department of State (CEAC)"),
            agency="CEAC",
            links=Links(sign_in="https://ceac.state.gov/CEACStatTracker/Status.aspx", help=_TRAVEL),
            vocabulary="ceac",
        ),
        "nvc": Site(
            title=mark("Immigrant visa cases at the National Visa Center (CEAC)"),
            agency="NVC",
            links=Links(sign_in="https://ceac.state.gov/IV/Login.aspx", help=_TRAVEL),
            vocabulary="ceac",
        ),
        "egov": Site(
            title=mark("USCIS Case Status Online"),
            agency="USCIS",
            links=Links(sign_in="https://egov.uscis.gov/", help="https://www.uscis.gov/contactcenter"),
            vocabulary="uscis",
        ),
        "eoir": Site(
            title=mark("Automated Case Information of the US immigration courts (EOIR)"),
            agency="EOIR",
            links=Links(sign_in="https://acis.eoir.justice.gov/en/", help="https://www.justice.gov/eoir"),
        ),
        "ipc": Site(
            title=mark("Status of an application, Czech Ministry of the Interior"),
            agency="Ministry of the Interior",
            links=Links(
                sign_in="https://ipc.gov.cz/en/status-of-your-application/", help="https://ipc.gov.cz/en/contacts/"
            ),
        ),
        "immi": Site(
            title=mark("ImmiAccount, Australian Department of Home Affairs"),
            agency="Home Affairs",
            links=Links(sign_in="https://online.immi.gov.au/lusc/login", help="https://immi.homeaffairs.gov.au/"),
        ),
    }
)
"""The official sites by the value of `site`."""


def _numbers(numbers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the case numbers with single spaces and without duplicates."""
    plain = tuple(dict.fromkeys(" ".join(number.split()) for number in numbers))
    if not all(number and len(number) <= 64 and number.isprintable() for number in plain):  # noqa: PLR2004
        raise ValueError(_("must be a case number: at most 64 letters, digits, and dashes"))
    return plain


class ManualAccount(AccountSettings):
    """Cases at a site that a person opens. `every` is the interval between the reminders to look."""

    site: SiteName
    cases: Annotated[tuple[str, ...], AfterValidator(_numbers), Field(min_length=1)]


def build_case_read(site: str, case_number: str, status: str, *, on: date | None = None) -> CaseRead:
    """Return the result of a check for a status that a person saw at a site. `on` is the site's date of the status.

    A known title is stored in the site's own spelling, so that a lowercase letter is not a change. Raises
    `UnexpectedAnswer` if the status is empty or too long.
    """
    official_status = {normalize_title(title): title for title in titles(SITES[site].vocabulary)}.get(
        normalize_title(status), status
    )
    note = {"site": site, "case_number": case_number, "status": official_status, "on": iso_text(on)}
    answers = {_ANSWER_NAME: json.dumps(note, ensure_ascii=False).encode()}
    return CaseRead(snapshot=read(answers, "en"), answers=answers)


def read(answers: RawAnswers, _language: str) -> Snapshot:
    """Return the recorded status as a snapshot. Raises `UnexpectedAnswer` if the record is damaged or invalid."""
    try:
        note = load_or_none(answers[_ANSWER_NAME])
        site, number, value = SITES[note["site"]], str(note["case_number"]), note["status"]
        on = None if note["on"] is None else date.fromisoformat(note["on"])
    except (KeyError, TypeError, ValueError):
        raise UnexpectedAnswer(_("this status was not written by `watcher record`")) from None
    status = " ".join(value.split()) if isinstance(value, str) else ""
    if not normalize_title(status) or len(status) > LONGEST_STATUS or not status.isprintable():
        text = _("a status is one line of 1 to {longest} characters, as the website shows it", longest=LONGEST_STATUS)
        raise UnexpectedAnswer(text)
    meaning = meaning_of(status, vocabulary=site.vocabulary)
    return Snapshot(case_number=number, status=status, stage=meaning.stage, status_since=on)


class _ManualReader:
    """A reader that reads nothing, because this program does not access such a site."""

    def __init__(self, account: ManualAccount) -> None:
        self._account = account

    def read(self) -> CaseResults:
        """Raise `CodeNeeded`: only a person can look."""
        raise CodeNeeded(
            _(
                "{site} forbids automated access. Check the website yourself, then record what you saw: "
                "watcher record {case} STATUS",
                site=_(SITES[self._account.site].title),
                case=quote(self._account.cases[0]),
            )
        )


@contextmanager
def _open(account: ManualAccount, _context: PortalContext) -> Iterator[Reader]:
    yield _ManualReader(account)


def _links(account: ManualAccount) -> Links:
    return SITES[account.site].links


def _agency(account: ManualAccount) -> str:
    return SITES[account.site].agency


def _vocabulary(account: ManualAccount) -> str:
    return SITES[account.site].vocabulary


_QUESTIONS = (
    Question(
        key="site",
        text=mark("Which website?"),
        choices={name: SITES[name].title for name in get_args(SiteName)},
        default="ceac",
    ),
    Question(key="cases", text=mark("Case numbers"), multiple=True, required=True),
    Question(key="every", text=mark("How often should we remind you to check?"), default="7d"),
)

PORTAL = Portal(
    name="manual",
    title=mark("A website that you check yourself"),
    needs=(
        mark(
            "site, one of: ceac (Visa status check of the US Department of State (CEAC)), nvc (Immigrant visa cases at"
            " the National Visa Center (CEAC)), egov (USCIS Case Status Online), eoir (Automated Case Information of"
            " the US immigration courts (EOIR)), ipc (Status of an application, Czech Ministry of the Interior), immi"
            " (ImmiAccount, Australian Department of Home Affairs)"
        ),
        "cases",
        mark("every (how often to remind you to check)"),
    ),
    sees=(
        mark(
            "what you record with `watcher record CASE STATUS`: status, stage, and the date of the status if you give"
            " it"
        ),
    ),
    choose_for=mark("manual for a website that forbids automated access, such as CEAC: it reminds you to check"),
    verified=mark(
        "nothing is read from these websites, which forbid automated access. The status texts of CEAC are those that "
        "applicants and embassies published (2020 to 2026)"
    ),
    min_every=timedelta(hours=1),
    links=_links,
    agency=_agency,
    account=ManualAccount,
    open=_open,
    read=read,
    vocabulary=_vocabulary,
    has_recordings=False,
    is_manual=True,
    questions=_QUESTIONS,
)
