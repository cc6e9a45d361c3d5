"""The table `[handover]` of a recipe file."""

from watcher.messages import _
from watcher.recipe.model import CaseList, CasePage, Handover, Request
from watcher.recipe.page.patterns import compile_pattern
from watcher.recipe.parse.table import Table

_CASE_NUMBER = frozenset({"case_number"})


def read_handover(table: Table | None, cases: CaseList | None, case: CasePage | None) -> Handover | None:
    """Return what a script takes in the person's own tab; None without the table."""
    if table is None:
        return None
    number, page = table.parse("number", _pattern_with_group) or "", table.boolean("page")
    table.check_unknown_keys()
    if number and (cases is None or not is_plain(cases.request)):
        table.add_fault("number", _("needs [cases] with a `get` without placeholders: the page with the numbers"))
    if case is not None and not page and (case.request is None or not is_plain(case.request, _CASE_NUMBER)):
        table.faults.add(
            table.path, _("needs `page = true`, or [case] with a `get` whose only placeholder is {case_number}")
        )
    return Handover(number=number, page=page)


def is_plain(request: Request, placeholders: frozenset[str] = frozenset()) -> bool:
    """Return whether a script in the person's tab can send the request: it needs nothing but these placeholders."""
    return request.method == "GET" and request.placeholders <= placeholders


def _pattern_with_group(text: str) -> str:
    if compile_pattern(text).groups != 1:
        raise ValueError(_("must have one group, in parentheses: the case number"))
    return text
