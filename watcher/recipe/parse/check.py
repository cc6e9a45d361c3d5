"""A recipe file, as a `Recipe` or as all its faults. Nothing is sent, and no other file is opened."""

import copyreg
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from watcher.errors import system_reason
from watcher.http.hosts import check_base_url
from watcher.messages import _
from watcher.model.alert import Links
from watcher.recipe.model import CaseList, CasePage, Recipe, Step
from watcher.recipe.page.selectors import Selector
from watcher.recipe.parse.about import read_about
from watcher.recipe.parse.case_table import read_case
from watcher.recipe.parse.handover_table import read_handover
from watcher.recipe.parse.parameter_table import read_parameters
from watcher.recipe.parse.requests import RESERVED_NAMES, Requests
from watcher.recipe.parse.shipped import shipped_names
from watcher.recipe.parse.table import Faults, Table
from watcher.recipe.parse.toml_lines import Lines
from watcher.recipe.placeholders import CASE_NUMBERS
from watcher.settings.faults import did_you_mean
from watcher.text.toml import NotToml, read_toml

MAX_BYTES: Final = 256 * 1024
"""Bytes in a recipe file."""
MIN_EVERY: Final = timedelta(minutes=15)
"""The shortest interval that `min_every` of a recipe, and `every` of its account, may set."""
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


class RecipeFaults(ValueError):
    """A recipe that cannot be used. `faults` has one line for each fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        """`faults` has at least one line."""
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def load_recipe(path: Path) -> Recipe:
    """Return the recipe in a file. Raises `RecipeFaults`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RecipeFaults([_unreadable(path, error)]) from None
    if len(content) > MAX_BYTES:
        raise RecipeFaults(
            [_("{file}: is larger than {limit} bytes, so it cannot be a recipe", file=path, limit=MAX_BYTES)]
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeFaults([_("{file}: not UTF-8; save the file as UTF-8", file=path)]) from None
    return parse_recipe(text, str(path))


def _unreadable(path: Path, error: OSError) -> str:
    if path.suffix or not isinstance(error, FileNotFoundError):
        return _("{file}: cannot be read: {reason}", file=path, reason=system_reason(error))
    hint = did_you_mean(path.name, shipped_names())
    return _(
        "{file}: there is no such file, and no recipe of this name comes with the program; {hint}", file=path, hint=hint
    )


def parse_recipe(text: str, file: str) -> Recipe:
    """Return the recipe in a text; `file` is its name in messages. Raises `RecipeFaults`."""
    try:
        content = read_toml(text)
    except NotToml as error:
        raise RecipeFaults([f"{file}: {error}"]) from None
    faults = Faults(file, Lines(text.replace("\r\n", "\n")))
    recipe = _Check(Table(content, (), faults), text).recipe()
    if faults.lines or recipe is None:
        raise RecipeFaults(faults.lines)
    return recipe


def _as_text(recipe: Recipe) -> tuple[Callable[[str, str], Recipe], tuple[str, str]]:
    return parse_recipe, (recipe.text, recipe.name)


copyreg.pickle(Recipe, _as_text)  # its selectors are functions; a copy in another process is made from its text


class _Check:
    """Parses a whole recipe. What is missing is reported and replaced, so that the rest is checked too."""

    def __init__(self, top: Table, text: str) -> None:
        self._top, self._text = top, text
        self._parameters = read_parameters(top, RESERVED_NAMES)
        self._requests = Requests(self._base_url(), self._hosts(), self._parameters)

    def recipe(self) -> Recipe | None:
        top = self._top
        name = top.text("name", required=True)
        links = self._links()
        min_every = top.duration("min_every", default=timedelta(minutes=30))
        if min_every < MIN_EVERY:
            top.add_fault("min_every", _('must be at least "15m"'))
        machine_credentials = top.boolean("machine_credentials")
        language, end = top.parse("language", _language) or "en", self._page_end()
        sign_in = self._sign_in()
        signed_out, unavailable = self._any("signed_out", required=bool(sign_in)), self._any("unavailable")
        about, blocked = read_about(top.table("about")), self._any("blocked")
        cases = self._cases()
        case = self._case()
        handover = read_handover(top.table("handover"), cases, case)
        top.check_unknown_keys()
        if name is None or links is None or case is None:
            return None
        return Recipe(
            name=name,
            text=self._text,
            base_url=self._requests.base_url,
            hosts=self._requests.hosts,
            links=links,
            about=about,
            case=case,
            cases=cases,
            sign_in=sign_in,
            signed_out=signed_out,
            unavailable=unavailable,
            blocked=blocked,
            handover=handover,
            parameters=self._parameters,
            min_every=min_every,
            machine_credentials=machine_credentials,
            language=language,
            page_end=end,
        )

    def _base_url(self) -> str:
        base_url = self._top.text("base_url", required=True)
        if base_url is None:
            return ""
        if fault := check_base_url(base_url):
            self._top.add_fault("base_url", fault)
            return ""
        return base_url.rstrip("/")

    def _hosts(self) -> frozenset[str]:
        hosts = self._top.texts("hosts")
        for host in hosts:
            if not _HOST.fullmatch(host):
                self._top.add_fault(
                    "hosts", _('{host!r} is not a host name; use one such as "login.example.gov"', host=host)
                )
        return frozenset(host.lower() for host in hosts)

    def _page_end(self) -> str:
        end = self._top.value("page_end")
        if end is not None and not isinstance(end, str):
            self._top.add_fault("page_end", _('must be text in quotes: the end of every page, or "" for none'))
        return end if isinstance(end, str) else "</html>"

    def _links(self) -> Links | None:
        table = self._top.table("links", required=True)
        if table is None:
            return None
        sign_in, help_, reset = (
            table.parse(key, _page_address, required=key != "reset") for key in ("sign_in", "help", "reset")
        )
        table.check_unknown_keys()
        return Links(sign_in=sign_in, help=help_, reset=reset) if sign_in and help_ else None

    def _any(self, key: str, *, required: bool = False) -> tuple[Selector, ...]:
        table = self._top.table(key)
        selectors = table.selectors("any") if table else ()
        if table:
            table.check_unknown_keys()
        if required if table is None else not table.texts("any"):
            example = 'any = ["status:401"]' if required else 'any = ["status:503"]'
            self._top.faults.add(
                (key,), _("[{key}] needs a list of selectors, such as {example}", key=key, example=example)
            )
        return selectors

    def _sign_in(self) -> tuple[Step, ...]:
        steps = [self._step(table, index) for index, table in enumerate(self._top.tables("sign_in"))]
        credentials = self._requests.credential_names
        with_password = [step for step in steps if step and credentials & step.request.placeholders]
        if len(with_password) > 1:
            self._top.add_fault(
                "sign_in", _("the password is submitted in more than one step; submit it in one step only")
            )
        return tuple(step for step in steps if step)

    def _step(self, table: Table, index: int) -> Step | None:
        when = table.selector("when")
        if when and not index:
            table.add_fault("when", _("the first step has no earlier answer to search"))
        request = self._requests.read(table, signing_in=True, after_answer=index > 0)
        rejected = table.selectors("rejected")
        if request and self._requests.credential_names & request.placeholders and not table.texts("rejected"):
            table.faults.add(table.path, _("rejected is missing: how the website reports a wrong password"))
        expect, locked, person = (table.selectors(key) for key in ("expect", "locked", "person"))
        take = self._requests.take(table)
        table.check_unknown_keys()
        if request is None:
            return None
        return Step(
            request=request, when=when, expect=expect, rejected=rejected, locked=locked, person=person, take=take
        )

    def _cases(self) -> CaseList | None:
        table = self._top.table("cases")
        if table is None:
            return None
        request = self._requests.read(table, also=frozenset({CASE_NUMBERS}))
        at_once = table.integer("at_once", default=30, least=1, most=500)
        if request and "at_once" in table and CASE_NUMBERS not in request.placeholders:
            table.add_fault("at_once", _("needs a request with {case_numbers}"))
        absent = table.text("absent") or ""
        if absent and "expect" not in table:
            table.add_fault("absent", _("needs expect: what is not in an incomplete list may be elsewhere in it"))
        each, number = table.selector("each", required=True), table.selector("case_number", required=True)
        next_page = table.selector("next")
        next_address = self._requests.address(table, "next_get", also=frozenset({"next"}))
        if next_address and not next_page:
            table.add_fault("next_get", _("needs next, the selector that fills {next}"))
        max_pages = table.integer("max_pages", default=50, least=1, most=200)
        expect, take = table.selectors("expect"), self._requests.take(table)
        table.check_unknown_keys()
        self._requests.case_names |= take.keys()
        if not (request and each and number):
            return None
        return CaseList(
            request=request,
            each=each,
            case_number=number,
            expect=expect,
            take=take,
            next=next_page,
            next_address=next_address,
            max_pages=max_pages,
            absent=absent,
            at_once=at_once,
        )

    def _case(self) -> CasePage | None:
        table = self._top.table("case", required=True)
        return None if table is None else read_case(table, self._requests, listed="cases" in self._top)


def _language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?", text):
        raise ValueError(_('use a language code, such as "en"'))
    return text


def _page_address(text: str) -> str:
    if fault := check_base_url(urlsplit(text)._replace(query="", fragment="").geturl()):
        raise ValueError(fault)
    return text
