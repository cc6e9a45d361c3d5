"""Official sites that forbid automated access: a person looks at the site and records the status.

Such a site uses a captcha or blocks programs, and this program does not circumvent that: it never sends the site a
request. At the interval `every`, it reminds the person to look, with the official link and what to enter there. A
recorded status (`watcher record`) is processed like the result of any other check.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from shlex import quote
from typing import Annotated, Any, Self, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from watcher.clock.durations import format_duration
from watcher.errors import CodeNeeded
from watcher.language.status_meaning import meaning_of
from watcher.messages import Words, _, mark
from watcher.model.alert import Links
from watcher.portal import CaseRead, CaseResults, HandoverPlan, Portal, PortalContext, Question, Reader, Variant
from watcher.portals.manual.record import LONGEST_STATUS, build_case_read, read
from watcher.portals.manual.sites import SITES, SiteName
from watcher.settings import AccountSettings

__all__ = ["LONGEST_STATUS", "PORTAL", "SITES", "ManualAccount", "SiteName", "build_case_read", "read"]


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

    @model_validator(mode="before")
    @classmethod
    def _take_interval_of_site(cls, keys: Any) -> Any:
        if not isinstance(keys, dict) or keys.get("every"):
            return keys
        site = SITES.get(str(keys.get("site")))
        return keys if site is None else {**keys, "every": site.every}

    @model_validator(mode="after")
    def _check_numbers(self) -> Self:
        form = SITES[self.site].number
        for number in self.cases if form else ():
            if form and (fault := form.fault(number)):
                raise ValueError(_("cases: {number}: {fault}", number=number, fault=fault))
        return self


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


_NUMBER = mark("the case numbers, as the website writes them")


def _import_answers(files: Sequence[tuple[str, bytes]], language: str) -> list[CaseRead]:
    from watcher.portals.manual.saved import import_answers  # noqa: PLC0415 - it imports the HTML parser

    return import_answers(files, language)


def _handover(account: ManualAccount) -> HandoverPlan | None:
    """Return that the result page is taken as the person sees it, after they solved its captcha."""
    site = SITES[account.site]
    if not site.saves or account.site == "ipc":  # the Czech site shows no page that `saved.py` reads
        return None
    parts = urlsplit(site.links.sign_in)
    return HandoverPlan(origin=account.base_url or f"{parts.scheme}://{parts.netloc}", takes_page=True)


def _plain_status(account: ManualAccount, status: str) -> Words:
    return meaning_of(status, vocabulary=_vocabulary(account)).plain


def _variants() -> Sequence[Variant]:
    return [
        Variant(
            name=name,
            country=site.country,
            title=site.title,
            needs=(("cases", site.number.says if site.number else _NUMBER), ("every", format_duration(site.every))),
            sees=(mark("what you record"), *filter(None, (site.saves,))),
        )
        for name, site in SITES.items()
    ]


_QUESTIONS = (
    Question(
        key="site",
        text=mark("Which website?"),
        choices={name: SITES[name].title for name in get_args(SiteName)},
        default="ceac",
    ),
    Question(key="cases", text=mark("Case numbers"), multiple=True, required=True),
    Question(
        key="every",
        text=mark("How often should we remind you to check? (empty: as often as the website is likely to change)"),
    ),
)

PORTAL = Portal(
    name="manual",
    title=mark("A website that you check yourself"),
    needs=(
        mark("site: a name from the list below"),
        "cases",
        mark("every (how often to remind you to check; default: that of the website)"),
    ),
    sees=(
        mark(
            "what you record with `watcher record CASE STATUS`: status, stage, and the date of the status if you give"
            " it"
        ),
        mark("what you save of some of these websites and import with `watcher import ACCOUNT FILE`"),
    ),
    choose_for=mark("manual for a website that forbids automated access, such as CEAC: it reminds you to check"),
    verified=mark(
        "nothing is read from these websites, which forbid automated access. The status texts are those that"
        " applicants, embassies, and public programs published (2020 to 2026). Saved pages are read by the shapes in"
        " public programs; that of Spain was not recorded, so it is read by its words"
    ),
    min_every=timedelta(hours=1),
    links=_links,
    agency=_agency,
    account=ManualAccount,
    open=_open,
    read=read,
    vocabulary=_vocabulary,
    has_recordings=False,
    importer=lambda _account: _import_answers,
    handover=_handover,
    is_manual=True,
    questions=_QUESTIONS,
    variants=_variants,
    plain_status=_plain_status,
)
