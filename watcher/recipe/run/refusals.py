"""Errors for answers that are not what was requested: the session ended, the portal is down, or an unknown page."""

from typing import Final

from watcher.errors import AccessBlocked, CaseNotFound, PortalUnavailable, SessionEnded, UnexpectedAnswer
from watcher.http.hosts import host_of
from watcher.http.walls import blocked_text, wall_in
from watcher.messages import _
from watcher.recipe.model import Recipe
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.page.selectors import Selector

_GONE: Final = frozenset({404, 410})
_SUCCESS: Final = range(200, 300)


def first_matching(selectors: tuple[Selector, ...], location: PageLocation) -> Selector | None:
    """Return the first selector that is true here, or None."""
    return next((selector for selector in selectors if selector.is_true(location)), None)


class NotYetShown(CaseNotFound):
    """A case that the portal does not show yet, and that has a `status` of the recipe until then."""

    def __init__(self, message: str, *, status: str) -> None:
        """Store the status."""
        self.status = status
        super().__init__(message)


def raise_if_unavailable(recipe: Recipe, page: Page) -> None:
    """Raise `PortalUnavailable` if the recipe says that this page means the portal is down.

    Raises `AccessBlocked` if the page is a firewall's, or the recipe says so.
    """
    if (wall := wall_in(page.status, page.headers, page.body)) is not None:
        raise AccessBlocked(f"{recipe.name}: {blocked_text(wall, host_of(page.url), page.status)}")
    if match := first_matching(recipe.blocked, page):
        raise AccessBlocked(
            _("{recipe} does not let programs in ({selector!r})", recipe=recipe.name, selector=match.text)
        )
    if match := first_matching(recipe.unavailable, page):
        words = match.text.removeprefix("text:").strip()
        raise PortalUnavailable(_("{recipe} is not available (“{selector}”)", recipe=recipe.name, selector=words))


def raise_if_signed_out(recipe: Recipe, page: Page) -> None:
    """Raise `SessionEnded` if the recipe says that this page means nobody is signed in."""
    if match := first_matching(recipe.signed_out, page):
        raise SessionEnded(_("{recipe} ended the session ({selector!r})", recipe=recipe.name, selector=match.text))


def raise_if_unexpected(recipe: Recipe, page: Page, *, key_path: str, expect: tuple[Selector, ...]) -> None:
    """Raise `UnexpectedAnswer` if the answer is not the one that `key_path` was written for."""
    _check_complete(recipe, page, key_path)
    check_expected(recipe, page, key_path=key_path, expect=expect)
    if page.status not in _SUCCESS and not expect:
        raise UnexpectedAnswer(
            _(
                "{recipe}: the answer to {key_path} is HTTP {status}",
                recipe=recipe.name,
                key_path=key_path,
                status=page.status,
            )
        )


def raise_if_case_missing(recipe: Recipe, page: Page, *, key_path: str) -> None:
    """As `raise_if_unexpected`, for the answer about one case: raise `CaseNotFound` if the case does not exist.

    Raises `NotYetShown` if the recipe has a status for that.
    """
    text = _("{recipe} does not know this case number, or does not show the case to this account", recipe=recipe.name)
    if first_matching(recipe.case.not_found, page):
        if page.status not in _GONE:
            _check_complete(recipe, page, key_path)
        status = recipe.case.pending_status
        raise NotYetShown(text, status=status) if status else CaseNotFound(text)
    if page.status in _GONE:
        raise CaseNotFound(text)
    raise_if_unexpected(recipe, page, key_path=key_path, expect=recipe.case.expect)


def check_expected(recipe: Recipe, location: PageLocation, *, key_path: str, expect: tuple[Selector, ...]) -> None:
    """Raise `UnexpectedAnswer` if a required part is missing."""
    for selector in expect:
        if not selector.is_present(location):
            raise UnexpectedAnswer(
                _(
                    "{recipe}: the answer to {key_path} is not the expected one: {key_path}.expect {selector!r} "
                    "finds nothing. The website may have changed; run `watcher recipe try FILE --account NAME`",
                    recipe=recipe.name,
                    key_path=key_path,
                    selector=selector.text,
                )
            )


def _check_complete(recipe: Recipe, page: Page, key_path: str) -> None:
    if recipe.page_end and not page.ends_with(recipe.page_end):
        raise UnexpectedAnswer(
            _(
                "{recipe}: the page of {key_path} is incomplete: it does not end with {page_end}",
                recipe=recipe.name,
                key_path=key_path,
                page_end=recipe.page_end,
            )
        )
