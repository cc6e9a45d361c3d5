"""The protocols between the program and a portal."""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any, Protocol, TypeAlias, runtime_checkable

from watcher.clock import Clock
from watcher.errors import ReadFailed
from watcher.model.alert import Links
from watcher.model.case import Notice, Snapshot
from watcher.settings import AccountSettings

RawAnswers: TypeAlias = Mapping[str, bytes]
"""What a portal said about one case: the body of each answer by the name of its endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRead:
    """One case, read well. `answers` are kept as the last good ones."""

    snapshot: Snapshot
    answers: RawAnswers = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFailed:
    """One case that could not be read, and why; the others go on. `answers` are kept as the last strange ones."""

    case_number: str
    error: ReadFailed
    answers: RawAnswers = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUnchanged:
    """One case that was answered as before, byte for byte: reading the answers again could bring nothing new."""

    case_number: str


CaseResult: TypeAlias = CaseRead | CaseFailed | CaseUnchanged


CaseResults: TypeAlias = Generator[CaseResult, None, None]
"""Readings as they arrive. Who wants no more of them closes it, and what is under way at the portal ends with it."""


class Reader(Protocol):
    """One account at one portal, ready to be read."""

    def read(self) -> CaseResults:
        """Every case, one after the other as its answer arrives; signs in where it must.

        A case that the portal lists but that cannot be read is a `CaseFailed`; running to the end without one means
        that the read was complete. Raises `ReadFailed` for what concerns the whole account.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A document as the portal sent it. `content_type` is what the portal calls it, "" where it does not say."""

    content: bytes = field(repr=False)
    content_type: str


@runtime_checkable
class Downloads(Protocol):
    """A reader that can also fetch documents; asked after the cases are read, within the same visit."""

    def download(self, notice: Notice, *, max_bytes: int) -> Download:
        """The document of a notice whose `download` is not None, with the session of this read.

        Raises `UnexpectedAnswer` where there is no such document or it is longer than `max_bytes`, `SessionEnded`,
        `ForeignHost` or `PortalUnavailable`.
        """
        ...


class Quota(Protocol):
    """How many requests the portal's published limits still allow today; kept on disk."""

    def take(self, requests: int, *, daily_limit: int, day: str) -> int:
        """Takes up to `requests` from what is left of `day`; returns how many were granted."""
        ...

    def give_back(self, requests: int, *, day: str) -> None:
        """Returns what was taken and not used."""
        ...


class SessionFile(Protocol):
    """Where the account's session outlives the process. Mode 0600, encrypted where a key is set."""

    def load(self) -> bytes | None:
        """What was last saved, or None."""
        ...

    def save(self, content: bytes) -> None:
        """Replaces it whole: a kill leaves the old one or the new one."""
        ...

    def delete(self) -> None:
        """Removes it; nothing to remove is no error."""
        ...


class SignInGuard(Protocol):
    """Promise 2 on disk: a credential is submitted once for each attempt, and not again after a rejection."""

    def before_submission(self, *, counts: bool = True) -> None:
        """Writes down that a credential is about to be submitted.

        `counts`: whether it counts against `max_sign_ins_per_day` (machine credentials do not). Raises
        `SignInRejected` where this credential was rejected before, `PortalUnavailable` where the day's sign-ins are
        used up or an earlier submission was cut off a moment ago.
        """
        ...

    def accepted(self) -> None:
        """Writes down that the portal took the credential."""
        ...


class CodeSource(Protocol):
    """Where one-time codes come from: an authenticator secret, a mailbox, a person."""

    def code(self, *, asked_at: datetime) -> str:
        """A one-time code that has not been used yet, for a request made at `asked_at`.

        Raises `CodeNeeded` where only a person can give it.
        """
        ...


class Trace(Protocol):
    """Keeps the answers of a read for repair, secrets blanked (`watcher check --trace DIR`)."""

    def save(self, name: str, *, status: int, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Writes one answer down."""
        ...


def _never_unchanged(_case_number: str, _answers: RawAnswers) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalContext:
    """What a portal is handed. `stop` is set when the daemon ends: give up then with `PortalUnavailable`.

    `known_cases` are the case numbers that the store already holds for the account. `is_unchanged` tells of the answers
    about a case whether what is recorded of it was read from the very same, by this release in this language: they may
    then come home as a `CaseUnchanged`.
    """

    clock: Clock
    language: str
    quota: Quota
    session: SessionFile
    sign_in_guard: SignInGuard
    codes: CodeSource
    stop: Event
    trace: Trace | None = None
    known_cases: frozenset[str] = frozenset()
    is_unchanged: Callable[[str, RawAnswers], bool] = _never_unchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing that `watcher init` asks of a person about an account.

    `key` is the account's, with a dot where it stands in a section of its own ("mailbox.host"). `secret`: the answer
    goes into a secret file and is never shown. `choices` are the possible answers, each with what it means. `several`:
    the answer is a list of words. `path`: it is that of a file. `needed`: an empty answer will not do. `when`: asked
    only where the question of that key was answered so.
    """

    key: str
    text: str
    secret: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    multiple: bool = False
    required: bool = False
    is_path: bool = False
    only_if: tuple[str, str] | None = None


def _nowhere(_account: object) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """What the program knows of one portal.

    `read` is pure: it reads the recorded answers about one case. Raises `UnexpectedAnswer` or `CaseNotFound`.
    `open` yields a `Reader`; leaving the context closes its connections.
    `min_every` is the shortest time between two reads; only a loopback `base_url` may undercut it.
    `account` is a subclass of `AccountSettings` with the portal's own keys.
    `vocabulary` names the list of status words (`watcher/vocabulary/NAME.toml`) that `read` goes by, or tells it for an
    account.
    `recorded`: whether answers recorded under `tests/portals/recorded/NAME/` prove `read`. False only where what is
    read is a person's own, not a portal's: a status written down by hand, a page that a person's recipe explains.
    `session_hosts`: the hosts whose cookies, taken over from a person's own browser, make a session of the account;
    None where a session is not made of cookies.
    `import_answers` reads files (name and content each) that a person saved from the portal, in a language; raises
    `UnexpectedAnswer` that names the file. None where the portal has nothing to save.
    `is_manual`: no program reads the portal; at an account's turn a person is reminded to look.
    `origins` are the addresses that an account's reads speak to, for looking whether they can be reached.
    `questions` are what `watcher init` asks, in this order.
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
    vocabulary: str | Callable[[Any], str] = "uscis"
    has_recordings: bool = True
    session_hosts: Callable[[Any], Collection[str]] | None = None
    import_answers: Callable[[Sequence[tuple[str, bytes]], str], Sequence[CaseRead]] | None = None
    is_manual: bool = False
    origins: Callable[[Any], tuple[str, ...]] = _nowhere
    questions: tuple[Question, ...] = ()

    def vocabulary_of(self, account: AccountSettings) -> str:
        """The list of status words that an account's statuses are read by."""
        return self.vocabulary if isinstance(self.vocabulary, str) else self.vocabulary(account)
