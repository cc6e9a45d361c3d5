"""A checked recipe, as values. `watcher.recipe.parse.check` creates them from a file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

from watcher.messages import Words
from watcher.model.alert import Links
from watcher.model.case import ItemKind, Stage
from watcher.model.change import Json
from watcher.recipe.date_formats import Dates
from watcher.recipe.page.selectors import Selector
from watcher.recipe.parameters import Parameter
from watcher.recipe.placeholders import CASE_NUMBERS, Template, placeholders_in
from watcher.text.printable import composed

STATUS_FIELDS: Final = ("description", "status_since", "updated_at")
"""Fields that belong to a status and may disappear with it."""
CASE_FIELDS: Final = ("form", "title", "submitted_on", "office")
"""Fields that never disappear from a case."""

_ORIGIN: Final = re.compile(r"https?://[^/?#{]+")


def comparable_text(text: str) -> str:
    """Return a text as it is compared: without regard to letter case, extra spaces, and Unicode's form (NFC)."""
    return composed(" ".join(text.split()).casefold())


def comparable_status(text: str) -> str:
    """Return a status as it is compared with the recipe's tables: as `comparable_text`, and without any space."""
    return comparable_text(text).replace(" ", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request. `key_path` is its place in the recipe, for messages: `sign_in[1]`.

    `form_from` selects a form in the answer before, whose hidden inputs are sent as they came.
    """

    key_path: str
    method: Literal["GET", "POST"]
    address: Template
    headers: Mapping[str, Template] = field(default_factory=dict)
    form: Mapping[str, Template] | None = None
    json: Json = None
    form_from: Selector | None = None

    @property
    def placeholders(self) -> frozenset[str]:
        """All placeholders in the address, the headers, and the body."""
        texts = [self.address, *self.headers.values(), *(self.form or {}).values()]
        return placeholders_in(self.json).union(*(text.placeholders for text in texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the sign-in, or before the page of a case. It is always taken if `when` is None."""

    request: Request
    when: Selector | None = None
    expect: tuple[Selector, ...] = ()
    rejected: tuple[Selector, ...] = ()
    locked: tuple[Selector, ...] = ()
    person: tuple[Selector, ...] = ()
    take: Mapping[str, Selector] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseList:
    """The list of cases. `absent` is the status of a case that is not in it; "" if such a case is not found.

    A request that names several cases names at most `at_once` of them.
    """

    request: Request
    each: Selector
    case_number: Selector
    expect: tuple[Selector, ...] = ()
    take: Mapping[str, Selector] = field(default_factory=dict)
    next: Selector | None = None
    next_address: Template | None = None
    max_pages: int = 50
    absent: str = ""
    at_once: int = 30

    @property
    def names_cases(self) -> bool:
        """Whether the request names the cases that it asks for."""
        return CASE_NUMBERS in self.request.placeholders


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A list within a case. `key_path` is for messages: `case.pending[0]`. Without `request`, on the case's page."""

    key_path: str
    each: Selector
    fields: Mapping[str, Selector]
    request: Request | None = None
    expect: tuple[Selector, ...] = ()
    kinds: Mapping[str, ItemKind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherAnswer:
    """A further answer about a case, with some of its fields. `key_path` is for messages: `case.more[0]`."""

    key_path: str
    request: Request
    fields: Mapping[str, Selector]
    expect: tuple[Selector, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """The page of a case. `request` is None if the case is read from its row of the list.

    `steps` come before the request. `single`: an account has one case, which its address need not name.
    `case_number` selects the number as the page repeats it. `not_found` says that the portal does not know the case, or
    not yet: then its status is `pending_status`, if that is not "". The keys of `stages` and `plain` are statuses as
    `comparable_status` returns them; `plain` has their translations.
    """

    fields: Mapping[str, Selector]
    request: Request | None = None
    steps: tuple[Step, ...] = ()
    more: tuple[FurtherAnswer, ...] = ()
    single: bool = False
    case_number: Selector | None = None
    expect: tuple[Selector, ...] = ()
    not_found: tuple[Selector, ...] = ()
    pending_status: str = ""
    take: Mapping[str, Selector] = field(default_factory=dict)
    sometimes: frozenset[str] = frozenset()
    stages: Mapping[str, Stage] = field(default_factory=dict)
    plain: Mapping[str, Words] = field(default_factory=dict)
    pending: tuple[Collection, ...] = ()
    notices: tuple[Collection, ...] = ()
    history: tuple[Collection, ...] = ()
    dates: Dates = field(default_factory=Dates)

    @property
    def collections(self) -> tuple[Collection, ...]:
        """All lists within a case."""
        return (*self.pending, *self.notices, *self.history)

    @property
    def all_fields(self) -> dict[str, tuple[str, Selector]]:
        """The key path and the selector of each field, by name."""
        places = {name: (f"case.fields.{name}", selector) for name, selector in self.fields.items()}
        for part in self.more:
            places |= {name: (f"{part.key_path}.fields.{name}", selector) for name, selector in part.fields.items()}
        return places


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a person should know of a recipe: `watcher portals` and `watcher init` show it.

    `number` says what a case number is, and `number_pattern` is what it must match, without spaces and dashes and in
    capitals. `username` says what the user name is. `sources` are the years of the sources.
    """

    country: str = ""
    title: Words = field(default_factory=dict)
    number: Words = field(default_factory=dict)
    number_pattern: str = ""
    username: Words = field(default_factory=dict)
    sources: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What a script takes in the tab in which a person is signed in.

    `number` finds case numbers on the page of `[cases]`; "" if only the account's own are asked for. `page`: the page
    that the person looks at is that of the case.
    """

    number: str = ""
    page: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One portal. `text` is the content of the recipe file; `hosts` are those allowed besides that of `base_url`."""

    name: str
    text: str = field(repr=False)
    base_url: str
    hosts: frozenset[str]
    links: Links
    case: CasePage
    about: About = field(default_factory=About)
    cases: CaseList | None = None
    sign_in: tuple[Step, ...] = ()
    signed_out: tuple[Selector, ...] = ()
    unavailable: tuple[Selector, ...] = ()
    blocked: tuple[Selector, ...] = ()
    handover: Handover | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    min_every: timedelta
    machine_credentials: bool = False
    language: str = "en"
    page_end: str = "</html>"

    @property
    def placeholders(self) -> frozenset[str]:
        """All placeholders in all requests."""
        return frozenset().union(*(request.placeholders for request in self._requests))

    @property
    def needs_numbers(self) -> bool:
        """Whether an account must name its cases."""
        if self.cases is None:
            return not self.case.single
        return bool(self.cases.absent) or self.cases.names_cases

    @property
    def credential_names(self) -> frozenset[str]:
        """The placeholders that make a step of the sign-in the submission of a credential."""
        return frozenset({"password"}) | {name for name, parameter in self.parameters.items() if parameter.secret}

    @property
    def sign_in_parameters(self) -> tuple[str, ...]:
        """The parameters that the sign-in sends, sorted: they say whose session it is."""
        names = frozenset().union(*(step.request.placeholders for step in self.sign_in))
        return tuple(sorted(names & self.parameters.keys()))

    @property
    def addresses(self) -> frozenset[str]:
        """The origins that the recipe names in addresses of its own, besides `base_url`."""
        texts = [request.address.text for request in self._requests]
        texts += [self.cases.next_address.text] if self.cases and self.cases.next_address else []
        return frozenset(match[0] for text in texts if (match := _ORIGIN.match(text)))

    @property
    def _requests(self) -> list[Request]:
        requests = [step.request for step in (*self.sign_in, *self.case.steps)]
        requests += [answer.request for answer in self.case.more]
        requests += [self.cases.request] if self.cases else []
        optional = [self.case.request, *(part.request for part in self.case.collections)]
        return requests + [request for request in optional if request]
