"""A recipe for one case: with its number in the selectors that contain `{case_number}`. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from watcher.recipe.model import CasePage, Collection, Recipe
from watcher.recipe.page.selectors import Selector


def names_case(case: CasePage) -> bool:
    """Return whether a selector of the case contains its number."""
    return any(selector.names_case for selector in _selectors(case))


def filled_for(recipe: Recipe, case_number: str) -> Recipe:
    """Return the recipe for one case. Raises `UnexpectedAnswer` if a selector cannot contain its number."""
    return replace(recipe, case=_filled_case(recipe.case, case_number)) if names_case(recipe.case) else recipe


def _selectors(case: CasePage) -> Iterator[Selector]:
    yield from (*case.expect, *case.not_found, *case.fields.values(), *case.take.values())
    if case.case_number:
        yield case.case_number
    for step in case.steps:
        yield from (*step.expect, *step.take.values(), *((step.when,) if step.when else ()))
    for answer in case.more:
        yield from (*answer.expect, *answer.fields.values())
    for part in case.collections:
        yield from (part.each, *part.expect, *part.fields.values())


def _filled_case(case: CasePage, number: str) -> CasePage:
    return replace(
        case,
        expect=_all(case.expect, number),
        not_found=_all(case.not_found, number),
        fields=_named(case.fields, number),
        take=_named(case.take, number),
        case_number=case.case_number and case.case_number.for_case(number),
        steps=tuple(
            replace(
                step,
                when=step.when and step.when.for_case(number),
                expect=_all(step.expect, number),
                take=_named(step.take, number),
            )
            for step in case.steps
        ),
        more=tuple(
            replace(part, expect=_all(part.expect, number), fields=_named(part.fields, number)) for part in case.more
        ),
        pending=_collections(case.pending, number),
        notices=_collections(case.notices, number),
        history=_collections(case.history, number),
    )


def _collections(collections: tuple[Collection, ...], number: str) -> tuple[Collection, ...]:
    return tuple(
        replace(
            part,
            each=part.each.for_case(number),
            expect=_all(part.expect, number),
            fields=_named(part.fields, number),
        )
        for part in collections
    )


def _all(selectors: tuple[Selector, ...], number: str) -> tuple[Selector, ...]:
    return tuple(selector.for_case(number) for selector in selectors)


def _named(selectors: Mapping[str, Selector], number: str) -> dict[str, Selector]:
    return {name: selector.for_case(number) for name, selector in selectors.items()}
