"""Sources of one-time codes: a person at the terminal, several sources in order, or none."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from shlex import quote
from typing import Final

from watcher.errors import CodeNeeded
from watcher.messages import _
from watcher.portal import CodeSource

_ATTEMPTS: Final = 3


def tidy_code(text: str) -> str:
    """Return a code as typed by a person, without spaces and dashes. Raises ValueError if it cannot be one."""
    code = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{4,10}", code):
        raise ValueError(_("A one-time code has 4 to 10 digits, such as 012345"))
    return code


class NoCodeSource:
    """A `CodeSource` for accounts without a source of codes."""

    def __init__(self, account: str) -> None:
        """`account` is its name in the configuration."""
        self._account = account

    def code(self, *, asked_at: datetime) -> str:  # noqa: ARG002 - there is no code at any time
        """Raise `CodeNeeded` with what the person can do."""
        raise CodeNeeded(
            _(
                "The website asks for a one-time code, but no source of codes is set up for {name}. Run "
                "`watcher login {account}` to sign in and enter the code.",
                name=self._account,
                account=quote(self._account),
            )
        )


class PromptedCode:
    """A `CodeSource` that prompts the person at the terminal (`watcher login`)."""

    def __init__(self, ask: Callable[[str], str]) -> None:
        """`ask` shows a prompt and returns what was typed; it raises EOFError if nobody is there."""
        self._ask = ask

    def code(self, *, asked_at: datetime) -> str:  # noqa: ARG002 - the person uses the newest code anyway
        """Return what the person types. Prompts up to three times, then raises `CodeNeeded`."""
        question = _("One-time code: ")
        for _attempt in range(_ATTEMPTS):
            try:
                return tidy_code(self._ask(question))
            except ValueError as fault:
                question = _("{fault}. One-time code: ", fault=fault)
            except EOFError:
                break
        raise CodeNeeded(_("No one-time code was entered, so none was submitted."))


class FirstAvailable:
    """A `CodeSource` of several sources, such as the mailbox first, then the person."""

    def __init__(self, sources: Sequence[CodeSource]) -> None:
        """The sources are tried in this order; there must be at least one."""
        self._sources = tuple(sources)

    def code(self, *, asked_at: datetime) -> str:
        """Return the first code that a source has. Raises `CodeNeeded` with the reasons of all sources."""
        reasons = []
        for source in self._sources:
            try:
                return source.code(asked_at=asked_at)
            except CodeNeeded as error:
                reasons.append(str(error))
        raise CodeNeeded(" ".join(reasons))
