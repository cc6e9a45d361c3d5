"""One-time codes that a person gives, and what to say where nobody can."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from watcher.errors import CodeNeeded

_ATTEMPTS: Final = 3


class CodeSource(Protocol):
    """Where one-time codes come from; the same shape as `watcher.portals.CodeSource`."""

    def code(self, *, asked_at: datetime) -> str:
        """A one-time code that has not been used yet. Raises `CodeNeeded` where there is none to be had."""
        ...


def tidy_code(text: str) -> str:
    """A code as a person types it, without spaces and dashes. Raises ValueError where it cannot be one."""
    code = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{4,10}", code):
        raise ValueError("a one-time code has 4 to 10 digits, such as 012345")
    return code


class NoCodeSource:
    """A `CodeSource` for accounts that were set up without one: says what the person can do."""

    def __init__(self, account: str) -> None:
        """`account` is the user's own name for it."""
        self._account = account

    def code(self, *, asked_at: datetime) -> str:  # noqa: ARG002 - whenever it was asked for, there is none
        """Always raises `CodeNeeded`."""
        raise CodeNeeded(
            f"The portal asks for a one-time code, and {self._account} has no source of codes. "
            f"Sign in by hand with `watcher login {self._account}`."
        )


class PromptedCode:
    """A `CodeSource` that asks the person at the terminal (`watcher login`)."""

    def __init__(self, ask: Callable[[str], str]) -> None:
        """`ask` shows a question and returns what was typed; EOFError where nobody is there."""
        self._ask = ask

    def code(self, *, asked_at: datetime) -> str:  # noqa: ARG002 - the person looks at the newest one anyway
        """What the person types, asked again where it cannot be a code. Raises `CodeNeeded` after three attempts."""
        question = "One-time code: "
        for _ in range(_ATTEMPTS):
            try:
                return tidy_code(self._ask(question))
            except ValueError as fault:
                question = f"That is none: {fault}. One-time code: "
            except EOFError:
                break
        raise CodeNeeded("No one-time code was typed; nothing was submitted.")


class FirstAvailable:
    """A `CodeSource` made of several: the mailbox first, then the person, for example."""

    def __init__(self, sources: Sequence[CodeSource]) -> None:
        """They are asked in this order; there must be at least one."""
        self._sources = tuple(sources)

    def code(self, *, asked_at: datetime) -> str:
        """The first code that one of them has. Raises `CodeNeeded` with the reasons of all."""
        reasons = []
        for source in self._sources:
            try:
                return source.code(asked_at=asked_at)
            except CodeNeeded as none:
                reasons.append(str(none))
        raise CodeNeeded(" ".join(reasons))
