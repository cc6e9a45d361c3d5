"""The protocols between the program and a portal's adapter.

An adapter defines a `Portal`. The program calls its `open` with a `PortalContext`, iterates over the `Reader`, and
handles the errors that each method documents. An adapter may also let `StoreUnusable` pass, which the session, the
quota, and the sign-in guard raise if the database cannot be used.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any, Protocol, TypeAlias, runtime_checkable

from watcher.clock import Clock
from watcher.errors import ReadFailed
from watcher.messages import Words, mark
from watcher.model.alert import Links
from watcher.model.case import Notice, Snapshot
from watcher.model.session_life import SessionLife
from watcher.settings import AccountSettings

RawAnswers: TypeAlias = Mapping[str, bytes]
"""A portal's answers about one case: each response body by the name of its endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRead:
    """A case that was read. `answers` are stored as the last good ones."""

    snapshot: Snapshot
    answers: RawAnswers = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFailed:
    """A case that could not be read. Other cases are unaffected. `answers` are stored as the last unexpected ones."""

    case_number: str
    error: ReadFailed
    answers: RawAnswers = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUnchanged:
    """A case whose answers are the same as before, byte for byte, so that parsing them cannot yield a change."""

    case_number: str


CaseResult: TypeAlias = CaseRead | CaseFailed | CaseUnchanged


CaseResults: TypeAlias = Generator[CaseResult, None, None]
"""Results as they arrive. Closing the generator also ends the requests that are in progress."""


Importer: TypeAlias = Callable[[Sequence[tuple[str, bytes]], str], Sequence[CaseRead]]
"""Reads files (name and content each) that a person saved from a portal, in the given language.

Raises `UnexpectedAnswer`, which names the file.
"""


class Reader(Protocol):
    """An account at a portal, open for one check."""

    def read(self) -> CaseResults:
        """Yield one result per case as its answers arrive. Sign in first if needed.

        Yields a `CaseFailed` for a case that the portal lists but that cannot be read. The check was complete if the
        generator ends without any. Raises a subclass of `ReadFailed` for an error that concerns the whole account.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A document as the portal sent it. `content_type` is the portal's own, or "" if it sent none."""

    content: bytes = field(repr=False)
    content_type: str


@runtime_checkable
class Downloads(Protocol):
    """A `Reader` that can also download documents. Called after `read` has ended, before the reader is closed."""

    def download(self, notice: Notice, *, max_bytes: int) -> Download:
        """Return the document of a notice whose `download` is not None, using the session of this check.

        Raises `UnexpectedAnswer` if there is no such document or it is longer than `max_bytes`; also `SessionEnded`,
        `ForeignHost`, and `PortalUnavailable`.
        """
        ...


class Quota(Protocol):
    """The requests that the portal's published daily limit still allows. The count survives a restart."""

    def take(self, requests: int, *, daily_limit: int, day: str) -> int:
        """Take up to `requests` of what is left on `day` (an ISO date) and return how many were granted.

        Raises `StoreUnusable`.
        """
        ...

    def give_back(self, requests: int, *, day: str) -> None:
        """Return requests that were taken and not used. Raises `StoreUnusable`."""
        ...


class SavedSession(Protocol):
    """What preserves the account's session between checks: encrypted, and shared by all daemons of a database."""

    def load(self) -> bytes | None:
        """Return what was last saved, or None if there is nothing usable. Raises `StoreUnusable`."""
        ...

    def save(self, content: bytes) -> None:
        """Replace the content: a kill leaves the old or the new one. Raises `StoreUnusable`."""
        ...

    def delete(self) -> None:
        """Remove the session. Nothing to remove is not an error. Raises `StoreUnusable`."""
        ...


class SignInGuard(Protocol):
    """The record of submitted credentials, stored so that it survives a restart.

    It ensures that a credential is submitted once for each attempt, and not again after a rejection.
    """

    def before_submission(self, *, counts: bool = True) -> None:
        """Record that a credential is about to be submitted. Call it immediately before every submission.

        `counts`: whether it counts against `max_sign_ins_per_day` (machine credentials do not). Raises
        `SignInRejected` if this credential was rejected before, `PortalUnavailable` if the day's sign-ins are used up
        or an earlier submission was cut off a moment ago, and `StoreUnusable`.
        """
        ...

    def accepted(self) -> None:
        """Record that the portal accepted the credential. Raises `StoreUnusable`."""
        ...


class SignInTurn(Protocol):
    """An account's turn to sign in, for accounts whose codes come to the same mailbox."""

    def begin(self) -> None:
        """Wait for the turn, unless it has begun. Raises `PortalUnavailable` if it does not come."""
        ...

    def end(self) -> None:
        """Let other accounts sign in. Nothing to end is not an error."""
        ...


class CodeSource(Protocol):
    """A source of one-time codes: an authenticator secret, a mailbox, or a person."""

    def code(self, *, asked_at: datetime) -> str:
        """Return an unused one-time code for a request made at `asked_at` (aware). May wait for it.

        Raises `CodeNeeded` if only a person can supply the code.
        """
        ...


class Trace(Protocol):
    """A recorder of a check's answers for debugging, with secrets blanked (`watcher check --trace DIR`)."""

    def save(self, name: str, *, status: int, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Save one answer. A failure is logged, not raised."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalContext:
    """Everything from outside that an adapter needs for one check.

    `stop` is set when the daemon ends: raise `PortalUnavailable` then.
    `language` is the language for titles that the portal offers in several (`en`, `es`, `fr`).
    `known_cases` are the case numbers that the store already holds for the account.
    `is_unchanged` takes a case number and its answers and returns whether the stored snapshot was read from the same
    bytes, by this release and in this language; a `CaseUnchanged` may then be yielded without parsing them.
    `is_finished` takes a case number; a case that the user has finished is not requested.
    """

    clock: Clock
    language: str
    quota: Quota
    session: SavedSession
    sign_in_guard: SignInGuard
    codes: CodeSource
    stop: Event
    trace: Trace | None = None
    known_cases: frozenset[str] = frozenset()
    is_unchanged: Callable[[str, RawAnswers], bool] = lambda _number, _answers: False
    is_finished: Callable[[str], bool] = lambda _number: False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question that `watcher init` asks about an account.

    `key` is the account's configuration key; a dot separates a nested section ("mailbox.host").
    `secret`: the answer is stored in a secret file and never shown.
    `choices` are the possible answers, each with its explanation.
    `multiple`: the answer is a list of words.
    `required`: the answer must not be empty.
    `is_path`: the answer is the path of a file.
    `only_if` is a key and an answer: ask only if that question was answered so; with "*", if it was answered at all.
    `if_empty` is printed after an empty answer.
    `suggests`: the portal's `variants` are shown before the question.
    `within` are the sections around the key, if a name in them may contain a dot.
    """

    key: str
    text: str | Words
    secret: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    multiple: bool = False
    required: bool = False
    is_path: bool = False
    only_if: tuple[str, str] | None = None
    if_empty: str = ""
    suggests: bool = False
    within: tuple[str, ...] = ()

    @property
    def key_path(self) -> tuple[str, ...]:
        """The key below the account's section."""
        return (*self.within, *self.key.split("."))

    def applies(self, answers: Mapping[str, str]) -> bool:
        """Return whether to ask the question, after these answers by key."""
        if self.only_if is None:
            return True
        key, expected = self.only_if
        answer = answers.get(key, "")
        return bool(answer) if expected == "*" else answer == expected


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverPlan:
    """What a script takes in the tab in which a person is signed in to the portal (`watcher handover`).

    `origin` is that of the tab; the script works nowhere else, and sends requests nowhere else.
    `listing` is the path of a page that lists the cases, and `number` a pattern for Python and JavaScript alike, whose
    first group is a case number on it. `paths` are requested for each case, with `{case_number}` in them.
    `takes_page`: the page that the person looks at is handed over too, as the browser shows it.
    """

    origin: str
    listing: str = ""
    number: str = ""
    paths: tuple[str, ...] = ()
    takes_page: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A website that a portal knows by name: a recipe that comes with the program, or an official site.

    `country` has two letters. `needs` are the account's keys, each with what it is. `sees` and `verified` are as those
    of a `Portal`; `sources` are the years of what `verified` names.
    """

    name: str
    country: str
    title: str | Words
    needs: tuple[tuple[str, str | Words], ...]
    sees: tuple[str, ...] = ()
    verified: str = ""
    sources: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """A portal and its adapter. Functions that take `Any` take an instance of `account`.

    `choose_for` begins with the name and says in `watcher init` when to choose the portal; `guide` is what a user must
    know before its questions; and `session_note` says how often an imported session must be renewed.
    `needs`, `sees`, and `verified` are shown by `watcher portals`: the account's keys, what the portal reports, and
    against what the adapter was tested.
    These texts, `title`, and those of the questions are marked for translation; who shows one translates it.
    `min_every` is the shortest time between two checks; only a loopback `base_url` may go below it.
    `links` returns the portal's official pages.
    `account` is a subclass of `AccountSettings` with the portal's own keys.
    `open` yields a `Reader` and closes its connections when the context is left. Raises `ReadFailed`.
    `read` turns the answers about one case into a snapshot in the given language. It is pure. Raises
    `UnexpectedAnswer` or `CaseNotFound`, and nothing else, whatever the answers contain.
    `agency` is the short name of the agency in alerts (USCIS), or a function that returns it for an account; empty:
    `title`.
    `caution` returns the key of a message about the account that the user must know whatever it reports, or "".
    `vocabulary` is the name of the list of status titles that `read` uses (`language/vocabulary/NAME.toml`), or a
    function that returns it.
    `has_recordings`: whether answers recorded under `tests/portals/recorded/NAME/` test `read`. False only if the
    input comes from the user and not from a portal: a status entered by hand, or a page that the user's recipe reads.
    `session_hosts` returns the hosts whose cookies, imported from the user's own browser, make up a session; None if a
    session does not consist of cookies.
    `session_life` is how long such a session lasts.
    `importer` returns what reads files that a person saved from the portal; None if there is nothing to save.
    `handover` returns what a script takes in the person's own tab, for the importer; None if that is nothing.
    `is_manual`: no program reads the portal; instead of a check, the user is reminded to look at the site.
    `origins` returns the addresses that a check connects to, for `watcher doctor`.
    `questions` are what `watcher init` asks, in this order, and `further_questions` what it then asks besides, which
    depends on the account's keys so far; they may grow while it is iterated over.
    `variants` returns the websites that it knows by name.
    `plain_status` returns the translations of an account's status that is in the agency's language, by language.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    sees: tuple[str, ...]
    verified: str
    min_every: timedelta
    links: Callable[[Any], Links]
    account: type[AccountSettings]
    open: Callable[[Any, PortalContext], AbstractContextManager[Reader]]
    read: Callable[[RawAnswers, str], Snapshot]
    choose_for: str = ""
    guide: str = ""
    session_note: str = mark("You get an alert when the website has ended the session. Then do this again.")
    agency: str | Callable[[Any], str] = ""
    caution: Callable[[Any], str] = lambda _account: ""
    vocabulary: str | Callable[[Any], str] = "uscis"
    has_recordings: bool = True
    session_hosts: Callable[[Any], Collection[str]] | None = None
    session_life: SessionLife = SessionLife()  # noqa: RUF009 - frozen
    importer: Callable[[Any], Importer | None] = lambda _account: None
    handover: Callable[[Any], HandoverPlan | None] = lambda _account: None
    is_manual: bool = False
    origins: Callable[[Any], tuple[str, ...]] = lambda _account: ()
    questions: tuple[Question, ...] = ()
    further_questions: Callable[[Mapping[str, Any]], Iterable[Question]] = lambda _keys: ()
    variants: Callable[[], Sequence[Variant]] = lambda: ()
    plain_status: Callable[[Any, str], Words] = lambda _account, _status: {}

    def agency_of(self, account: AccountSettings) -> str:
        """Return the name of the agency that an account's cases are at."""
        name = self.agency if isinstance(self.agency, str) else self.agency(account)
        return name or self.title

    def plain_status_of(self, account: AccountSettings, snapshot: Snapshot | None) -> Words:
        """Return the translations of a case's status by language; none if it has none, or is in English."""
        return self.plain_status(account, snapshot.status) if snapshot and snapshot.status else {}

    def vocabulary_of(self, account: AccountSettings) -> str:
        """Return the name of the vocabulary for an account's statuses."""
        return self.vocabulary if isinstance(self.vocabulary, str) else self.vocabulary(account)
