"""One visit to a portal: requests with the session that stands, and the sign-in where none does.

The password is submitted at most once in a visit, and only past the gate that keeps count on disk.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from watcher.errors import AccountLocked, CodeNeeded, ReadFailed, SessionEnded, SignInRejected, UnexpectedAnswer
from watcher.http.client import PortalHttp
from watcher.portal import Download, PortalContext
from watcher.recipe.model import Recipe, Request, Step
from watcher.recipe.page.page import Page
from watcher.recipe.placeholders import Template, Values, fill_json
from watcher.recipe.run.addresses import address_from, whole_address
from watcher.recipe.run.last_found import FoundFields
from watcher.recipe.run.refusals import first_matching, raise_if_signed_out, raise_if_unavailable, raise_if_unexpected
from watcher.recipe.run.session import Session

_OK: Final = 200
_CODES: Final = frozenset({"totp", "code"})
_BY_HAND: Final = "sign in with your browser and hand its cookies over with `watcher login ACCOUNT --cookies FILE`"

AnswerObserver = Callable[[Request, Page], None]
"""Sees each request and its answer, when a recipe is tried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Whom the visit is made as, and where. `base_url` has no slash at its end."""

    base_url: str
    username: str
    password: str = field(repr=False)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _unwatched(_request: Request, _page: Page) -> None:
    """Nobody looks on."""


class Visit:
    """Fetches pages for one read; signs in where the session is missing or has ended, once."""

    def __init__(
        self,
        recipe: Recipe,
        login: Login,
        surroundings: PortalContext,
        *,
        http: PortalHttp,
        session: Session,
    ) -> None:
        """`http` must send the cookies of `session`."""
        self.session = session
        self._recipe, self._login, self._surroundings, self._http = recipe, login, surroundings, http
        self._seen: AnswerObserver = _unwatched
        self._saved = session.dump()
        self._signed_in = self._submitted = self._unproven = False
        self._asked_at = surroundings.clock.now()

    def fetch(self, request: Request, values: Values, *, address: str | None = None) -> Page:
        """The answer to a request made as somebody who is signed in; `address` in place of the request's own.

        Raises `PortalUnavailable`, and whatever a sign-in can raise. Whether the answer is the expected one is for
        the caller to see.
        """
        if not self._signed_in and self._recipe.sign_in and (self.session.is_empty or self._lacks_taken(request)):
            self.sign_in()
        try:
            return self._as_signed_in(request, values, address)
        except SessionEnded as ended:
            if self._signed_in or not self._recipe.sign_in:
                raise self._why_ended(ended) from None
        self.sign_in()
        try:
            return self._as_signed_in(request, values, address)
        except SessionEnded as ended:
            raise self._why_ended(ended) from None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no answer may be kept with: the password, what was taken but for addresses, the cookies' values."""
        taken = [value for value in self.session.taken.values() if not value.startswith("http")]
        return (self._login.password, *taken, *(cookie.value or "" for cookie in self.session.cookies))

    def address(self, template: Template, values: Values) -> str:
        """The whole address that a template gives. Raises `UnexpectedAnswer` where what was taken is none."""
        address = template.fill_address({**self.session.taken, **values, "username": self._login.username})
        base_url = self._login.base_url
        if template.text.startswith("{"):  # taken from a page, and meant as a browser would take it
            return address_from(f"{base_url}/", address)
        return whole_address(address, base_url=base_url, replaces=self._recipe.base_url)

    def observe(self, seen: AnswerObserver) -> None:
        """`seen` is called with every request and its answer from now on."""
        self._seen = seen

    def sign_in(self) -> None:
        """Walks the steps of the sign-in. It stands only when an answer after it shows nobody signed out.

        Raises `SignInRejected`, `AccountLocked`, `CodeNeeded`, `PortalUnavailable` or `UnexpectedAnswer`.
        """
        if self._signed_in:
            raise UnexpectedAnswer(f"{self._recipe.name} would have to be signed in to twice in one read")
        self._signed_in = True
        self.session.clear()
        page: Page | None = None
        for step in self._recipe.sign_in:
            if step.when is None or (page is not None and step.when.is_true(page)):
                page = self._step(step)
        self._unproven = True

    def download(self, address: str, *, max_bytes: int) -> Download:
        """A document at `address`, with the session and the headers of the recipe's requests about a case.

        Raises `SessionEnded` where the recipe says so, `UnexpectedAnswer` where there is no document.
        """
        recipe, login = self._recipe, self._login
        whole = whole_address(address, base_url=login.base_url, replaces=recipe.base_url)
        headers = self._headers_for_documents() | {"Accept": "application/pdf, image/*, */*;q=0.5"}
        answer = self._http.send("GET", whole, headers=headers, max_bytes=max_bytes)
        kind = answer.headers.get("content-type", "")
        if "html" in kind or "json" in kind:
            page = Page(status=answer.status, url=answer.url, headers=_lower(answer.headers), body=answer.body)
            raise_if_unavailable(recipe, page)
            raise_if_signed_out(recipe, page)
            raise UnexpectedAnswer(f"{recipe.name}: a page came in place of a document (HTTP {answer.status})")
        if answer.status != _OK:
            raise UnexpectedAnswer(f"{recipe.name}: a document was answered with HTTP {answer.status}")
        return Download(content=answer.body, content_type=kind)

    def save(self) -> None:
        """Saves the session where it has changed and is known to stand."""
        if not self._unproven and (content := self.session.dump()) != self._saved:
            self._surroundings.session.save(content)
            self._saved = content

    def remember(self, found: Mapping[str, FoundFields]) -> None:
        """Keeps what a good read found, for the next one."""
        self.session.last_found.update(found)
        self.save()

    def _as_signed_in(self, request: Request, values: Values, address: str | None) -> Page:
        page = self._send(request, {**self.session.taken, **values}, address)
        raise_if_unavailable(self._recipe, page)
        raise_if_signed_out(self._recipe, page)
        if self._unproven:
            self._prove()
        return page

    def _prove(self) -> None:
        self._unproven = False
        self.save()  # before the verdict: a kill in between leaves a session, and no reason to submit again
        if self._submitted:
            self._surroundings.sign_in_guard.accepted()

    def _why_ended(self, ended: SessionEnded) -> ReadFailed:
        """Not a rejection: a portal in trouble shows its sign-in page too. The gate counts what stays unclear."""
        if not self._recipe.sign_in:
            return CodeNeeded(f"{ended}, and its recipe has no [[sign_in]]; {_BY_HAND}")
        when = "right after a sign-in that nothing said was rejected" if self._unproven else "again within one read"
        return UnexpectedAnswer(f"{ended} {when}")

    def _lacks_taken(self, request: Request) -> bool:
        """Whether the request needs what the sign-in takes and the saved session does not hold."""
        taken = {name for step in self._recipe.sign_in for name in step.take}
        return bool(request.placeholders & taken - self.session.taken.keys())

    def _step(self, step: Step) -> Page:
        values = dict(self.session.taken)
        names = step.request.placeholders
        if names & _CODES:
            values |= dict.fromkeys(_CODES, self._surroundings.codes.code(asked_at=self._asked_at))
        if "password" in names:
            self._surroundings.sign_in_guard.before_submission(counts=not self._recipe.machine_credentials)
            self._submitted = True
            values["password"] = self._login.password
        self._asked_at = self._surroundings.clock.now()
        page = self._send(step.request, values, None)
        self._judge(step, page)
        for name, selector in step.take.items():
            self.session.taken.pop(name, None)
            if (found := selector.text_at(page)) is not None:
                self.session.taken[name] = found
        return page

    def _judge(self, step: Step, page: Page) -> None:
        name, place = self._recipe.name, step.request.key_path
        raise_if_unavailable(self._recipe, page)
        if shown := first_matching(step.locked, page):
            raise AccountLocked(f"{name} has locked the account ({place}.locked {shown.text!r})")
        if shown := first_matching(step.rejected, page):
            raise SignInRejected(f"{name} rejected the sign-in ({place}.rejected {shown.text!r})")
        if shown := first_matching(step.person, page):
            raise CodeNeeded(
                f"{name} asks for something that only a person can do ({place}.person {shown.text!r}); {_BY_HAND}"
            )
        raise_if_unexpected(self._recipe, page, key_path=place, expect=step.expect)

    def _send(self, request: Request, values: Values, address: str | None) -> Page:
        filling = {**values, "username": self._login.username}
        self._check_filled(request, filling)
        answer = self._http.send(
            request.method,
            self.address(request.address, values) if address is None else address,
            headers=self._headers(request, filling),
            form=None if request.form is None else {key: text.fill(filling) for key, text in request.form.items()},
            json=None if request.json is None else fill_json(request.json, filling),
        )
        page = Page(status=answer.status, url=answer.url, headers=_lower(answer.headers), body=answer.body)
        self._seen(request, page)
        return page

    def _headers(self, request: Request, values: Values) -> dict[str, str]:
        headers = {"Accept": "text/html, application/json, */*;q=0.5", "Accept-Language": self._recipe.language}
        for name, text in request.headers.items():
            filled = text.fill(values)
            if not (filled.isascii() and filled.isprintable()):
                raise UnexpectedAnswer(f"{self._recipe.name}: {request.key_path}.headers.{name} would be no header")
            headers[name] = filled
        return headers

    def _headers_for_documents(self) -> dict[str, str]:
        """What the requests about a case carry, such as a token; those about one case in particular are left out."""
        values = {**self.session.taken, "username": self._login.username}
        for request in (self._recipe.case.request, self._recipe.cases.request if self._recipe.cases else None):
            if (
                request
                and request.headers
                and all(text.placeholders <= values.keys() for text in request.headers.values())
            ):
                return self._headers(request, values)
        return {}

    def _check_filled(self, request: Request, values: Values) -> None:
        for name in sorted(request.placeholders - values.keys()):
            raise UnexpectedAnswer(
                f"{self._recipe.name}: {request.key_path} needs {{{name}}}, and the selector that takes it found "
                "nothing; see `watcher recipe try`"
            )
