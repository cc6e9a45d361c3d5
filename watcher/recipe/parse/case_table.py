"""The table `[case]` of a recipe file: the page of a case and its fields."""

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from watcher.messages import _
from watcher.model.case import PORTAL_ITEM_KINDS, Stage
from watcher.recipe.date_formats import Dates, check_format
from watcher.recipe.filled import names_case
from watcher.recipe.model import (
    CASE_FIELDS,
    STATUS_FIELDS,
    CasePage,
    Collection,
    FurtherAnswer,
    Step,
    comparable_status,
    comparable_text,
)
from watcher.recipe.page.selectors import Selector
from watcher.recipe.parse.about import read_plain
from watcher.recipe.parse.requests import Requests
from watcher.recipe.parse.table import Table
from watcher.settings.key_names import toml_key

_FIELDS: Final = ("status", *CASE_FIELDS, *STATUS_FIELDS)
_COLLECTIONS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "pending": (("title",), ("id", "kind", "description", "due_on", "starts_at", "place", "answered")),
    "notices": (("title",), ("id", "dated", "download")),
    "history": (("title",), ("id", "at", "code")),
}


def read_case(table: Table, requests: Requests, *, listed: bool) -> CasePage | None:
    """Return the case's page, or None if a fault makes it unusable. `listed`: the recipe has a list of cases."""
    requests.begin_case()
    steps = [_step(part, requests, index) for index, part in enumerate(table.tables("steps"))]
    request = requests.read(table, optional=True, after_answer=bool(steps))
    if not listed and request is None:
        table.faults.add((), _("[cases] is missing: where the cases are listed"))
    if steps and request is None:
        table.add_fault("steps", _("needs get or post in [case], which comes after the steps"))
    expect, take, number = table.selectors("expect"), requests.take(table), table.selector("case_number")
    not_found, pending_status = table.selectors("not_found"), table.text("pending_status") or ""
    if pending_status and not not_found:
        table.add_fault("pending_status", _("needs not_found, which says when a case has this status"))
    if not_found and request is None:
        table.add_fault("not_found", _("a case that is not in the list is not found anyway"))
    more = tuple(part for part in (_more(part, requests) for part in table.tables("more")) if part)
    page = _fields(table, more)
    stages, plain = _stages(table), read_plain(table)
    collections = {kind: _collections(table, requests, kind) for kind in _COLLECTIONS}
    single = table.boolean("single")
    if single and not listed and number is None:
        table.add_fault("single", _("needs case_number, which selects the number of the case on its page"))
    table.check_unknown_keys()
    if page is None:
        return None
    fields, sometimes, dates = page
    case = CasePage(
        fields=fields,
        request=request,
        steps=tuple(step for step in steps if step),
        more=more,
        single=single,
        case_number=number,
        expect=expect,
        not_found=not_found,
        pending_status=pending_status,
        take=take,
        sometimes=sometimes,
        stages=stages,
        plain=plain,
        dates=dates,
        pending=collections["pending"],
        notices=collections["notices"],
        history=collections["history"],
    )
    if not single and request and not _names_case(case, requests.case_names | {"password"}):
        text = _(
            "the address is the same for every case; add {case_number}, or single = true if an account has one case"
        )
        table.faults.add(table.path, text)
    return case


def _names_case(case: CasePage, names: set[str]) -> bool:
    """Return whether the requests, or the selectors of the case's page, tell one case from another."""
    requests = [*([case.request] if case.request else []), *(step.request for step in case.steps)]
    return any(names & request.placeholders for request in requests) or names_case(case)


def _step(table: Table, requests: Requests, index: int) -> Step | None:
    when = table.selector("when")
    if when and not index:
        table.add_fault("when", _("the first step has no earlier answer to search"))
    request = requests.read(table, after_answer=index > 0)
    expect, take = table.selectors("expect"), requests.take(table)
    table.check_unknown_keys()
    return None if request is None else Step(request=request, when=when, expect=expect, take=take)


def _more(table: Table, requests: Requests) -> FurtherAnswer | None:
    request, expect = requests.read(table), table.selectors("expect")
    fields = table.table("fields", required=True)
    selectors = {key: fields.selector(key) for key in _FIELDS} if fields else {}
    if fields:
        fields.check_unknown_keys()
    table.check_unknown_keys()
    if request is None:
        return None
    return FurtherAnswer(key_path=toml_key(table.path), request=request, expect=expect, fields=_present(selectors))


def _fields(table: Table, more: tuple[FurtherAnswer, ...]) -> tuple[dict[str, Selector], frozenset[str], Dates] | None:
    elsewhere = [name for part in more for name in part.fields]
    fields = table.table("fields", required=True)
    if fields is None:
        return None
    selectors = {key: fields.selector(key, required=key == "status" and key not in elsewhere) for key in _FIELDS}
    for name in {name for name in elsewhere if selectors[name] or elsewhere.count(name) > 1}:
        fields.add_fault(name, _("this field is described more than once"))
    formats = fields.texts("date_format")
    for date_format in formats:
        try:
            check_format(date_format)
        except ValueError as error:
            fields.add_fault("date_format", str(error))
    zone = fields.parse("time_zone", _zone)
    sometimes = fields.texts("sometimes")
    for name in sometimes:
        if name not in _FIELDS:
            fields.add_fault(
                "sometimes",
                _("{name!r} is not a field; the fields are {fields}", name=name, fields=", ".join(_FIELDS[1:])),
            )
    fields.check_unknown_keys()
    return _present(selectors), frozenset(sometimes), Dates(formats=formats, zone=zone)


def _present(selectors: Mapping[str, Selector | None]) -> dict[str, Selector]:
    return {key: selector for key, selector in selectors.items() if selector is not None}


def _stages(table: Table) -> dict[str, Stage]:
    stages: dict[str, Stage] = {}
    for status, stage in table.enum_values("stages", Stage).items():
        if stages.setdefault(comparable_status(status), stage) is not stage:
            table.faults.add((*table.path, "stages", status), _("the same words already mean another stage above"))
    return stages


def _collections(table: Table, requests: Requests, kind: str) -> tuple[Collection, ...]:
    collections = [_collection(part, requests, kind) for part in table.tables(kind)]
    return tuple(collection for collection in collections if collection is not None)


def _collection(table: Table, requests: Requests, kind: str) -> Collection | None:
    required, optional = _COLLECTIONS[kind]
    each = table.selector("each", required=True)
    request = requests.read(table, optional=True)
    fields = {key: table.selector(key, required=key in required) for key in (*required, *optional)}
    kinds = table.enum_values("kinds", PORTAL_ITEM_KINDS) if kind == "pending" else {}
    if kinds and not fields["kind"]:
        table.add_fault("kinds", _("needs kind, the selector of the words listed here"))
    expect = table.selectors("expect")
    table.check_unknown_keys()
    if each is None:
        return None
    return Collection(
        key_path=toml_key(table.path),
        each=each,
        fields=_present(fields),
        request=request,
        expect=expect,
        kinds={comparable_text(words): item_kind for words, item_kind in kinds.items()},
    )


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(_("use a time zone such as America/New_York")) from None
