"""What an answer says instead of what was asked for.

That the session has ended, that the portal is down, or nothing of the kind that the recipe was written for.
"""

from typing import Final

from watcher.errors import CaseNotFound, PortalUnavailable, SessionEnded, UnexpectedAnswer
from watcher.recipe.model import Recipe
from watcher.recipe.page.page import Page, PageLocation
from watcher.recipe.page.selectors import Selector

_GONE: Final = frozenset({404, 410})
_FINE: Final = range(200, 300)


def first_matching(selectors: tuple[Selector, ...], spot: PageLocation) -> Selector | None:
    """The first selector that means yes here, or None."""
    return next((selector for selector in selectors if selector.is_true(spot)), None)


def raise_if_unavailable(recipe: Recipe, page: Page) -> None:
    """Raises `PortalUnavailable` where the recipe says that this is the portal being down."""
    if shown := first_matching(recipe.unavailable, page):
        raise PortalUnavailable(f"{recipe.name} says that it is not available ({shown.text!r})")


def raise_if_signed_out(recipe: Recipe, page: Page) -> None:
    """Raises `SessionEnded` where the recipe says that nobody is signed in."""
    if shown := first_matching(recipe.signed_out, page):
        raise SessionEnded(f"{recipe.name} has ended the session ({shown.text!r})")


def raise_if_unexpected(recipe: Recipe, page: Page, *, key_path: str, expect: tuple[Selector, ...]) -> None:
    """Raises `UnexpectedAnswer` for an answer that is not the one `place` was written for."""
    _refuse_half(recipe, page, key_path)
    check_expected(recipe, page, key_path=key_path, expect=expect)
    if page.status not in _FINE and not expect:
        raise UnexpectedAnswer(f"{recipe.name}: {key_path} was answered with HTTP {page.status}")


def raise_if_case_missing(recipe: Recipe, page: Page, *, key_path: str, expect: tuple[Selector, ...]) -> None:
    """As `raise_if_unexpected`, for an answer about one case: raises `CaseNotFound` for one that is not there."""
    if page.status in _GONE:
        raise CaseNotFound(f"{recipe.name} does not know this case, or does not show it to this account")
    raise_if_unexpected(recipe, page, key_path=key_path, expect=expect)


def check_expected(recipe: Recipe, spot: PageLocation, *, key_path: str, expect: tuple[Selector, ...]) -> None:
    """Raises `UnexpectedAnswer` where something that must be there is not."""
    for selector in expect:
        if not selector.is_present(spot):
            raise UnexpectedAnswer(
                f"{recipe.name}: the answer to {key_path} is not the one that the recipe was written for: "
                f"{key_path}.expect {selector.text!r} finds nothing. "
                "The portal may have changed; see `watcher recipe try`"
            )


def _refuse_half(recipe: Recipe, page: Page, key_path: str) -> None:
    if recipe.page_end and not page.ends_with(recipe.page_end):
        raise UnexpectedAnswer(f"{recipe.name}: the page of {key_path} is cut off: it has no {recipe.page_end}")
