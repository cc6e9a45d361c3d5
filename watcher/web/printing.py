"""One case on paper: the report of `watcher export`, without controls."""

from starlette.requests import Request
from starlette.responses import Response

from watcher.alerts.style import TextStyle
from watcher.export.case_report import case_report
from watcher.export.json_documents import case_document, change_document
from watcher.language.catalogue import load_catalogue
from watcher.messages import current_language
from watcher.views.cases import case_stalls
from watcher.web.case import cases_of, chosen
from watcher.web.render import render
from watcher.web.request import context_of


def show(request: Request) -> Response:
    """Show the report of a case."""
    with context_of(request).reading() as opened:
        case, settings = chosen(cases_of(request, opened), request.query_params.get("account")), opened.settings
        changes = opened.store.history(case_number=case.case_number, accounts=[case.account])
        style = TextStyle(
            catalogue=load_catalogue(current_language()),
            zone=settings.timezone,
            office_zone=settings.office_zone(case.account),
            privacy="full",
        )
        report = case_report(
            case_document(case, stalled=case_stalls(case, opened), lists=opened.lists.of_case(case, opened.today)),
            map(change_document, changes),
            style=style,
            now=opened.clock.now(),
        )
    return render(request, "print.html", report=report)
