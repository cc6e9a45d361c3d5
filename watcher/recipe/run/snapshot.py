"""The answers about one case, as a `Snapshot`. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from watcher.errors import CaseNotFound, PortalUnavailable, SessionEnded, UnexpectedAnswer
from watcher.language.status_meaning import meaning_of
from watcher.messages import _
from watcher.model.case import STATUS_SOURCE, ItemKind, PendingItem, Snapshot, Stage
from watcher.portal import RawAnswers
from watcher.recipe.filled import filled_for
from watcher.recipe.model import CASE_FIELDS, STATUS_FIELDS, Recipe, comparable_status
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.run.case_list import comparable_number, rows
from watcher.recipe.run.case_lists import Collections
from watcher.recipe.run.fields import VOCABULARY, Fields
from watcher.recipe.run.kept_answers import CASE, LIST, load_pages
from watcher.recipe.run.refusals import (
    NotYetShown,
    check_expected,
    raise_if_case_missing,
    raise_if_signed_out,
    raise_if_unavailable,
    raise_if_unexpected,
)

_ITEM_OF_STAGE: Final = {
    Stage.EVIDENCE_REQUESTED: ItemKind.RFE,
    Stage.BIOMETRICS: ItemKind.BIOMETRICS,
    Stage.INTERVIEW: ItemKind.INTERVIEW,
}


def read(answers: RawAnswers, _language: str) -> Snapshot:
    """Parse the raw answers about one case. Raises `UnexpectedAnswer` or `CaseNotFound`."""
    recipe, pages, case_number = load_pages(answers)
    try:
        for page in pages.values():
            raise_if_unavailable(recipe, page)
            raise_if_signed_out(recipe, page)
    except (PortalUnavailable, SessionEnded) as error:
        raise UnexpectedAnswer(str(error)) from None
    return read_case(recipe, pages, case_number)


def read_case(recipe: Recipe, pages: Mapping[str, Page], case_number: str) -> Snapshot:
    """Parse the pages of one case: that of the list or of the case, and those of its collections by `key_path`.

    Raises `UnexpectedAnswer` if the recipe does not fit the pages, `CaseNotFound` if they lack the case. The caller
    must have checked that the portal is available and the session has not ended.
    """
    return read_case_or_pending(recipe, pages, case_number)[0]


def read_case_or_pending(recipe: Recipe, pages: Mapping[str, Page], case_number: str) -> tuple[Snapshot, bool]:
    """Return what `read_case` does, and whether the portal shows the case: else its status is the recipe's own."""
    recipe = filled_for(recipe, case_number)
    try:
        location = _case_location(recipe, pages, case_number)
    except NotYetShown as error:
        return _pending(recipe, case_number, error.status), False
    field = _fields_by_name(recipe, pages, location)
    status = field["status"].text("status")
    if status is None:
        name, key = recipe.name, field["status"].key_path("status")
        raise UnexpectedAnswer(_("{recipe}: {key} finds nothing, but every case has a status", recipe=name, key=key))
    snapshot = Snapshot(
        case_number=case_number,
        language=recipe.language,
        form=field["form"].text("form"),
        title=field["title"].text("title"),
        status=status,
        description=field["description"].text("description"),
        status_since=field["status_since"].day("status_since"),
        submitted_on=field["submitted_on"].day("submitted_on"),
        updated_at=field["updated_at"].moment("updated_at"),
        office=field["office"].text("office"),
    )
    return _with_collections(recipe, pages, location, replace(snapshot, stage=_stage(recipe, snapshot))), True


def _fields_by_name(recipe: Recipe, pages: Mapping[str, Page], location: PageLocation) -> dict[str, Fields]:
    """Return where each field of the case is: in its page or row, or in a further answer."""
    fields = dict.fromkeys(("status", *CASE_FIELDS, *STATUS_FIELDS), Fields(recipe, location))
    for part in recipe.case.more:
        page = pages.get(part.key_path)
        if page is None:
            name, key = recipe.name, part.key_path
            raise UnexpectedAnswer(_("{recipe}: there is no answer to {key_path}", recipe=name, key_path=key))
        raise_if_unexpected(recipe, page, key_path=part.key_path, expect=part.expect)
        further = Fields(recipe, page, part.fields, f"{part.key_path}.fields")
        fields |= dict.fromkeys(part.fields, further)
    return fields


def _pending(recipe: Recipe, case_number: str, status: str) -> Snapshot:
    """Return the snapshot of a case that the portal does not show yet."""
    snapshot = Snapshot(case_number=case_number, language=recipe.language, status=status)
    return replace(snapshot, stage=_stage(recipe, snapshot))


def _case_location(recipe: Recipe, pages: Mapping[str, Page], case_number: str) -> PageLocation:
    if recipe.case.request is None or (CASE not in pages and LIST in pages):
        return _row(recipe, pages.get(LIST), case_number)
    page = pages.get(CASE)
    if page is None:
        raise UnexpectedAnswer(_("{recipe}: there is no answer about the case", recipe=recipe.name))
    raise_if_case_missing(recipe, page, key_path="case")
    _check_number(recipe, page, case_number)
    return page


def _row(recipe: Recipe, page: Page | None, case_number: str) -> PageLocation:
    if page is None or recipe.cases is None:
        raise UnexpectedAnswer(_("{recipe}: there is no answer with the list of cases", recipe=recipe.name))
    raise_if_unexpected(recipe, page, key_path="cases", expect=recipe.cases.expect)
    own = comparable_number(case_number)
    for number, location in rows(recipe, page, only={own}):
        if comparable_number(number) == own:
            check_expected(recipe, location, key_path="case", expect=recipe.case.expect)
            return location
    if recipe.cases.absent:
        raise NotYetShown(_("{recipe} does not list this case", recipe=recipe.name), status=recipe.cases.absent)
    raise CaseNotFound(_("{recipe} no longer lists this case", recipe=recipe.name))


def _check_number(recipe: Recipe, page: Page, case_number: str) -> None:
    selector = recipe.case.case_number
    if selector and comparable_number(selector.text_at(page) or "") != comparable_number(case_number):
        fields = {"recipe": recipe.name, "selector": selector.text}
        raise UnexpectedAnswer(_("{recipe}: case.case_number {selector!r} does not find the requested case", **fields))


def _stage(recipe: Recipe, snapshot: Snapshot) -> Stage:
    status = snapshot.status or ""
    known = recipe.case.stages.get(comparable_status(status))
    return known or meaning_of(status, vocabulary=VOCABULARY, description=snapshot.description).stage


def _with_collections(
    recipe: Recipe, pages: Mapping[str, Page], location: PageLocation, snapshot: Snapshot
) -> Snapshot:
    case = recipe.case
    collections = Collections(recipe, pages, location)
    pending = collections.all(case.pending, collections.pending)
    asked = _status_items(recipe, snapshot)
    lists = (*case.pending, *case.notices, *case.history)
    return replace(
        snapshot,
        answered_sources=frozenset(collection.key_path for collection in lists),
        pending=None if pending is None and asked is None else (*(pending or ()), *(asked or ())),
        notices=collections.all(case.notices, collections.notice),
        history=collections.all(case.history, collections.history),
    )


def _status_items(recipe: Recipe, snapshot: Snapshot) -> tuple[PendingItem, ...] | None:
    """Return the item that a status implies by the recipe's table of stages; None if the table implies none at all.

    Statuses that the built-in rules know are left to them.
    """
    if not _ITEM_OF_STAGE.keys() & set(recipe.case.stages.values()):
        return None
    status = snapshot.status or ""
    kind = _ITEM_OF_STAGE.get(snapshot.stage)
    if (
        kind is None
        or comparable_status(status) not in recipe.case.stages
        or meaning_of(status, vocabulary=VOCABULARY).asks
    ):
        return ()
    since = snapshot.status_since
    key = f"asked:{kind}" + (f":{since}" if since else "")
    return (PendingItem(key=key, kind=kind, title=status, asked_on=since, sources=frozenset({STATUS_SOURCE})),)
