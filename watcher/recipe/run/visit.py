"""One visit to a portal: requests with the saved session, and a sign-in if there is none.

The password is submitted at most once per visit, and only if the sign-in guard permits it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from watcher.errors import AccountLocked, CodeNeeded, ReadFailed, SessionEnded, SignInRejected, UnexpectedAnswer
from watcher.http.client import PortalHttp
from watcher.messages import _, mark
from watcher.portal import Download, PortalContext
from watcher.privacy.redaction import register_secret, register_session_value
from watcher.recipe.model import Recipe, Request, Step
from watcher.recipe.page.page import Page
from watcher.recipe.placeholders import Template, Values, fill_json
from watcher.recipe.run.addresses import absolute_address, resolve_address
from watcher.recipe.run.last_found import FoundFields
from watcher.recipe.run.outgoing import check_filled, form_for, headers_for
from watcher.recipe.run.refusals import first_matching, raise_if_signed_out, raise_if_unavailable, raise_if_unexpected
from watcher.recipe.run.session import Session

_OK: Final = 200
_MIN_TAKEN_LENGTH: Final = 6
_CODES: Final = frozenset({"totp", "code"})
_BY_HAND: Final = mark("sign in with your browser, export its cookies, and run `watcher login ACCOUNT --cookies FILE`")
_PERSON_NEEDED: Final = mark("{name} asks for something that only you can do ({key}.person {selector!r}); {advice}")

AnswerObserver = Callable[[Request, Page], None]
"""Called with each request and its answer while a recipe is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The credential of a visit, the portal's address, and the account's parameters.

    `base_url` has no slash at its end. `parameters` hold for all cases.
    """

    base_url: str
    username: str
    password: str = field(repr=False)
    parameters: Values = field(default_factory=dict, repr=False)

    @property
    def values(self) -> dict[str, str]:
        """The values of the account for every request."""
        return {**self.parameters, "username": self.username}


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _register_taken(value: str) -> None:
    """Have a taken value, which may be a token, blanked in logs, traces, and stored answers; not an address."""
    if not value.startswith("http"):
        register_session_value(value, min_length=_MIN_TAKEN_LENGTH)


def _ignore(_request: Request, _page: Page) -> None:
    """Observe nothing."""


class Visit:
    """The requests of one check. Signs in at most once, if the session is missing or has ended."""

    def __init__(
        self,
        recipe: Recipe,
        login: Login,
        context: PortalContext,
        *,
        http: PortalHttp,
        session: Session,
    ) -> None:
        """`http` must send the cookies of `session`."""
        self.session = session
        self._recipe, self._login, self._context, self._http = recipe, login, context, http
        self._observer: AnswerObserver = _ignore
        self._saved = session.dump()
        self._signed_in = self._submitted = self._unconfirmed = False
        self._code_requested_at = context.clock.now()
        register_secret(login.password)
        for value in session.taken.values():
            _register_taken(value)

    def fetch(
        self, request: Request, values: Values, *, address: str | None = None, previous: Page | None = None
    ) -> Page:
        """Return the answer to a request that needs a session; `address` replaces the request's own.

        `previous` is the answer before it, from which it may continue.
        Raises `PortalUnavailable` and all errors of `sign_in`. The caller checks whether the answer is expected.
        """
        if not self._signed_in and self._recipe.sign_in and (self.session.is_empty or self._lacks_taken(request)):
            self.sign_in()
        try:
            return self._send_signed_in(request, values, address, previous)
        except SessionEnded as ended:
            if self._signed_in or not self._recipe.sign_in:
                raise self._session_error(ended) from None
        self.sign_in()
        try:
            return self._send_signed_in(request, values, address, previous)
        except SessionEnded as ended:
            raise self._session_error(ended) from None

    def address(self, template: Template, values: Values) -> str:
        """Return the absolute address of a template. Raises `UnexpectedAnswer` if a taken value is not an address."""
        address = template.fill_address({**self._login.values, **self.session.taken, **values})
        base_url = self._login.base_url
        if template.text.startswith("{"):  # taken from a page, so resolved as a browser would
            return resolve_address(f"{base_url}/", address)
        return absolute_address(address, base_url=base_url, replaces=self._recipe.base_url)

    def observe(self, observer: AnswerObserver) -> None:
        """Call `observer` with every request and its answer from now on."""
        self._observer = observer

    def sign_in(self) -> None:
        """Perform the steps of the sign-in. It counts as accepted only after a later answer that is signed in.

        Raises `SignInRejected`, `AccountLocked`, `CodeNeeded`, `PortalUnavailable` or `UnexpectedAnswer`.
        """
        if self._signed_in:
            raise UnexpectedAnswer(_("{recipe} needed a second sign-in within one check", recipe=self._recipe.name))
        self._signed_in = True
        self.session.clear()
        page: Page | None = None
        for step in self._recipe.sign_in:
            if step.when is None or (page is not None and step.when.is_true(page)):
                page = self._step(step, page)
        self._unconfirmed = True

    def download(self, address: str, *, max_bytes: int) -> Download:
        """Return the document at `address`, requested with the session and the headers of requests about a case.

        Raises `SessionEnded` if the recipe recognizes that, `UnexpectedAnswer` if there is no document.
        """
        recipe, login = self._recipe, self._login
        url = absolute_address(address, base_url=login.base_url, replaces=recipe.base_url)
        headers = self._headers_for_documents() | {"Accept": "application/pdf, image/*, */*;q=0.5"}
        answer = self._http.send("GET", url, headers=headers, max_bytes=max_bytes)
        kind = answer.headers.get("content-type", "")
        if "html" in kind or "json" in kind:
            page = Page(status=answer.status, url=answer.url, headers=_lower(answer.headers), body=answer.body)
            raise_if_unavailable(recipe, page)
            raise_if_signed_out(recipe, page)
            raise UnexpectedAnswer(
                _(
                    "{recipe}: got a page instead of a document (HTTP {status})",
                    recipe=recipe.name,
                    status=answer.status,
                )
            )
        if answer.status != _OK:
            raise UnexpectedAnswer(
                _(
                    "{recipe}: the answer to the request for a document is HTTP {status}",
                    recipe=recipe.name,
                    status=answer.status,
                )
            )
        return Download(content=answer.body, content_type=kind)

    def save(self) -> None:
        """Save the session if it has changed and is confirmed."""
        if not self._unconfirmed and (content := self.session.dump()) != self._saved:
            self._context.session.save(content)
            self._saved = content

    def remember(self, found: Mapping[str, FoundFields]) -> None:
        """Save the fields that a successful check found, for the next check."""
        self.session.last_found.update(found)
        self.save()

    def _send_signed_in(self, request: Request, values: Values, address: str | None, previous: Page | None) -> Page:
        page = self._send(request, {**self.session.taken, **values}, address, previous)
        raise_if_unavailable(self._recipe, page)
        raise_if_signed_out(self._recipe, page)
        if self._unconfirmed:
            self._confirm_sign_in()
        elif "set-cookie" in page.headers:
            self.save()
        return page

    def _confirm_sign_in(self) -> None:
        self._unconfirmed = False
        self.save()  # first: if the process is killed in between, the saved session makes another sign-in unnecessary
        if self._submitted:
            self._context.sign_in_guard.accepted()

    def _session_error(self, ended: SessionEnded) -> ReadFailed:
        """Return the error for an ended session.

        It is not a rejection, because a portal with problems also shows its sign-in page. The sign-in guard counts
        sign-ins with an unclear result.
        """
        if not self._recipe.sign_in:
            advice = _(_BY_HAND)
            return SessionEnded(_("{reason}, and its recipe has no [[sign_in]]; {advice}", reason=ended, advice=advice))
        if self._unconfirmed:
            return UnexpectedAnswer(
                _("{reason}, right after a sign-in that was not reported as rejected", reason=ended)
            )
        return UnexpectedAnswer(_("{reason}, again within one check", reason=ended))

    def _lacks_taken(self, request: Request) -> bool:
        """Return whether the request needs a value that the sign-in takes and the saved session lacks."""
        taken = {name for step in self._recipe.sign_in for name in step.take}
        return bool(request.placeholders & taken - self.session.taken.keys())

    def _step(self, step: Step, previous: Page | None) -> Page:
        values = dict(self.session.taken)
        names = step.request.placeholders
        if names & _CODES:
            code = self._context.codes.code(asked_at=self._code_requested_at)
            register_session_value(code, min_length=len(code))
            values |= dict.fromkeys(_CODES, code)
        if names & self._recipe.credential_names:
            self._context.sign_in_guard.before_submission(counts=not self._recipe.machine_credentials)
            self._submitted = True
            values["password"] = self._login.password
        self._code_requested_at = self._context.clock.now()
        page = self._send(step.request, values, None, previous)
        self._check_sign_in_answer(step, page)
        for name, selector in step.take.items():
            self.session.taken.pop(name, None)
            if (value := selector.text_at(page)) is not None:
                self.session.taken[name] = value
                _register_taken(value)
        return page

    def _check_sign_in_answer(self, step: Step, page: Page) -> None:
        name, key_path = self._recipe.name, step.request.key_path
        raise_if_unavailable(self._recipe, page)
        for selectors, error, text in (
            (step.locked, AccountLocked, mark("{name} has locked the account ({key}.locked {selector!r})")),
            (step.rejected, SignInRejected, mark("{name} rejected the sign-in ({key}.rejected {selector!r})")),
            (step.person, CodeNeeded, _PERSON_NEEDED),
        ):
            if match := first_matching(selectors, page):
                raise error(_(text, name=name, key=key_path, selector=match.text, advice=_(_BY_HAND)))
        raise_if_unexpected(self._recipe, page, key_path=key_path, expect=step.expect)

    def _send(self, request: Request, values: Values, address: str | None, previous: Page | None) -> Page:
        all_values = {**self._login.values, **values}
        check_filled(self._recipe, request, all_values)
        answer = self._http.send(
            request.method,
            self.address(request.address, values) if address is None else address,
            headers=headers_for(self._recipe, request, all_values),
            form=form_for(self._recipe, request, all_values, previous),
            json=None if request.json is None else fill_json(request.json, all_values),
        )
        page = Page(status=answer.status, url=answer.url, headers=_lower(answer.headers), body=answer.body)
        self._observer(request, page)
        return page

    def _headers_for_documents(self) -> dict[str, str]:
        """Return the headers of requests about a case, such as a token, unless they contain a case's own values."""
        values = {**self._login.values, **self.session.taken}
        for request in (self._recipe.case.request, self._recipe.cases.request if self._recipe.cases else None):
            if (
                request
                and request.headers
                and all(text.placeholders <= values.keys() for text in request.headers.values())
            ):
                return headers_for(self._recipe, request, values)
        return {}
