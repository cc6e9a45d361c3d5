"""The whole portal as one function of a request: find the page, apply the faults, and respond."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from watcher.practice.site import case_json, case_status_api, pages
from watcher.practice.site.answer_shapes import ResponseShape
from watcher.practice.site.case_status_api import TokenServer
from watcher.practice.site.exchange import Request, Response, html, json_answer, plain, redirect
from watcher.practice.site.faults import ActiveFault, Fault, FaultBoard, Page, first_of
from watcher.practice.site.pdf import letter
from watcher.practice.site.sign_in_pages import SignInPages
from watcher.practice.state.case_book import CaseBook
from watcher.practice.state.case_record import CaseRecord
from watcher.practice.state.terms import Terms
from watcher.practice.state.wording import english_date

_Handler: TypeAlias = Callable[[Request, str, ResponseShape], Response]
_REPLACING = frozenset(
    {
        Fault.MAINTENANCE,
        Fault.UNAVAILABLE,
        Fault.BAD_GATEWAY,
        Fault.SERVER_ERROR,
        Fault.TOO_MANY_REQUESTS,
        Fault.VERBATIM,
        Fault.SIGN_IN_PAGE,
        Fault.HTML_FOR_JSON,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    page: Page
    handler: _Handler


class Site:
    """Answers every request from the given cases, services, and faults."""

    def __init__(
        self, *, book: CaseBook, faults: FaultBoard, sign_in: SignInPages, tokens: TokenServer, terms: Terms
    ) -> None:
        """Keep references to them; their content may change at any time."""
        self._book, self._faults, self._sign_in, self._tokens, self._terms = book, faults, sign_in, tokens, terms
        self._routes = self._plan()

    def answer(self, request: Request) -> Response:
        """Return the response to a request."""
        route, argument = self._find(request)
        faults = self._faults.faults_for(route.page, request.path)
        instead = first_of(faults, _REPLACING)
        if instead:
            answer = self._instead(request, route.page, instead)
        else:
            answer = route.handler(request, argument, _shape(faults))
        return _with_faults(answer, faults)

    def _plan(self) -> tuple[_Route, ...]:
        sign_in = self._sign_in
        return (
            _route("GET", r"/login()", Page.SIGN_IN, lambda request, *_: sign_in.show_login(request)),
            _route("POST", r"/login()", Page.SIGN_IN, lambda request, *_: sign_in.login(request)),
            _route("GET", r"/otp()", Page.SIGN_IN, lambda request, *_: sign_in.show_code(request)),
            _route("POST", r"/otp()", Page.SIGN_IN, lambda request, *_: sign_in.code(request)),
            _route("POST", r"/sign-out()", Page.SIGN_IN, lambda request, *_: sign_in.sign_out(request)),
            _route("GET", r"/()", Page.SIGN_IN, lambda *_: redirect("/cases")),
            _route("GET", r"/cases()", Page.LIST, self._require_sign_in(self._list)),
            _route("GET", r"/cases/([^/]+)", Page.CASE, self._require_sign_in(self._case)),
            _route("GET", r"/notices/([^/]+)\.pdf", Page.NOTICE, self._require_sign_in(self._notice)),
            _route("GET", r"/api/cases()", Page.JSON_LIST, self._require_api_session(self._json_list)),
            _route("GET", r"/api/cases/([^/]+)", Page.JSON_CASE, self._require_api_session(self._json_case)),
            _route("POST", r"/oauth/accesstoken()", Page.TOKEN, lambda request, *_: self._tokens.issue(request)),
            _route("GET", r"/case-status/([^/]+)", Page.CASE_STATUS, self._case_status),
        )

    def _find(self, request: Request) -> tuple[_Route, str]:
        for route in self._routes:
            found = route.pattern.fullmatch(request.path)
            if found and route.method == request.method:
                return route, found[1]
        return _UNKNOWN_PAGE, ""

    def _require_sign_in(self, handler: _Handler) -> _Handler:
        def guarded(request: Request, argument: str, shape: ResponseShape) -> Response:
            return handler(request, argument, shape) if self._sign_in.is_signed_in(request) else redirect("/login")

        return guarded

    def _require_api_session(self, handler: _Handler) -> _Handler:
        def guarded(request: Request, argument: str, shape: ResponseShape) -> Response:
            if self._sign_in.is_signed_in(request):
                return handler(request, argument, shape)
            return json_answer({"error": "You are not signed in."}, status=401)

        return guarded

    def _list(self, request: Request, _argument: str, shape: ResponseShape) -> Response:
        records, following = self._paged(request, shape)
        return html(shape.page(pages.case_list(records, next_href=following, csrf=self._sign_in.csrf(request))))

    def _json_list(self, request: Request, _argument: str, shape: ResponseShape) -> Response:
        records, following = self._paged(request, shape)
        return json_answer(shape.document(case_json.case_list(records, next_href=following)))

    def _case(self, _request: Request, number: str, shape: ResponseShape) -> Response:
        record = self._book.record(number)
        if record is None:
            return html(pages.message("Not found", "There is no such case in your account."), status=404)
        return html(shape.page(pages.case_detail(shape.record(record))))

    def _json_case(self, _request: Request, number: str, shape: ResponseShape) -> Response:
        record = self._book.record(number)
        if record is None:
            return json_answer({"error": "There is no such case in your account."}, status=404)
        return json_answer(shape.document(case_json.case_detail(shape.record(record))))

    def _notice(self, _request: Request, key: str, _shape: ResponseShape) -> Response:
        found = self._book.notice(key)
        if found is None:
            return html(pages.message("Not found", "There is no such notice in your account."), status=404)
        record, notice = found
        lines = (f"Date: {english_date(notice.dated)}", f"Receipt number: {record.number}", f"Form {record.form}")
        return Response(body=letter(notice.title, lines), content_type="application/pdf")

    def _case_status(self, request: Request, receipt: str, shape: ResponseShape) -> Response:
        return case_status_api.case_status(request, receipt, shape, tokens=self._tokens, book=self._book)

    def _paged(self, request: Request, shape: ResponseShape) -> tuple[tuple[CaseRecord, ...], str | None]:
        """Return the cases of the requested page, and the path of the next page."""
        records = shape.records(self._book.records())
        number, size = max(_whole(request.query.get("page", "1")), 1), self._terms.cases_per_page
        more = len(records) > number * size
        return records[(number - 1) * size : number * size], f"{request.path}?page={number + 1}" if more else None

    def _instead(self, request: Request, page: Page, fault: ActiveFault) -> Response:
        if fault.answer is not None:
            return fault.answer
        answer = self._sign_in.replacement(request) if fault.fault is Fault.SIGN_IN_PAGE else _failure(fault, page)
        if fault.retry_after is None:
            return answer
        return replace(answer, headers=(("Retry-After", str(int(fault.retry_after.total_seconds()))),))


def _route(method: str, pattern: str, page: Page, handler: _Handler) -> _Route:
    return _Route(method=method, pattern=re.compile(pattern), page=page, handler=handler)


def _failure(fault: ActiveFault, page: Page) -> Response:
    """Return the response of a fault, in the form of the requested page."""
    match fault.fault:
        case Fault.TOO_MANY_REQUESTS:
            return plain("Spike Arrest Violation", status=429)
        case Fault.BAD_GATEWAY:
            return plain("Bad Gateway", status=502)
        case Fault.UNAVAILABLE:
            return case_status_api.unavailable() if page.speaks_json else html(pages.maintenance(), status=503)
        case Fault.SERVER_ERROR if page.speaks_json:
            return case_status_api.server_error()
        case Fault.SERVER_ERROR:
            return html(pages.message("Error", "Something went wrong on our side."), status=500)
        case _:
            return html(pages.maintenance())


def _shape(faults: tuple[ActiveFault, ...]) -> ResponseShape:
    kinds = {active.fault for active in faults}
    return ResponseShape(
        reordered=Fault.REORDERED in kinds, renamed=Fault.CHANGED_SHAPE in kinds, empty=Fault.EMPTY_LIST in kinds
    )


def _with_faults(answer: Response, faults: tuple[ActiveFault, ...]) -> Response:
    """Apply the faults that change a response."""
    for fault in faults:
        if fault.fault is Fault.INVALID_JSON:
            answer = replace(answer, body=answer.body.replace(b": ", b': "', 1))
        elif fault.fault is Fault.CUT_OFF:
            answer = replace(answer, cut_off=True)
        elif fault.fault is Fault.NO_ANSWER:
            answer = replace(answer, silent=True)
        elif fault.fault is Fault.SLOW:
            answer = replace(answer, delay=fault.delay.total_seconds())
    return answer


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 1


_UNKNOWN_PAGE = _route(
    "", "", Page.NOWHERE, lambda *_: html(pages.message("Not found", "There is no such page."), status=404)
)
