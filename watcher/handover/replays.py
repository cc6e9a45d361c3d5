"""The hand-overs of the last day, so that none is taken twice."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from watcher.handover.payload import HandOver, HandOverRefused
from watcher.messages import _
from watcher.text.json import load_or_none

_REMEMBERED = timedelta(days=1)


class SharedValue(Protocol):
    """A stored value that is replaced in one transaction."""

    def update(self, change: Callable[[bytes | None], bytes | None]) -> None:
        """Replace the content by what `change` returns for the present one."""
        ...


def refuse_replay(hand_over: HandOver, taken: SharedValue, now: datetime) -> None:
    """Record a hand-over as taken at `now`.

    Raises `HandOverRefused` if it was taken before, or if its time is a day or more away from `now`, because nothing
    is known then of whether it was.
    """
    if abs(hand_over.at - now) >= _REMEMBERED:
        raise HandOverRefused(
            _(
                "This was made at {at}, and it is {now} here. Correct the clock that is wrong, then hand over again.",
                at=hand_over.at.isoformat(" ", "minutes"),
                now=now.isoformat(" ", "minutes"),
            )
        )

    def add(content: bytes | None) -> bytes:
        entries = {nonce: datetime.fromisoformat(at) for nonce, at in (load_or_none(content) or {}).items()}
        if hand_over.nonce in entries:
            raise HandOverRefused(
                _("This was handed over before and is not used again. Open the website, and hand over from there.")
            )
        entries[hand_over.nonce] = hand_over.at
        kept = {nonce: at.isoformat() for nonce, at in entries.items() if now - at < _REMEMBERED}
        return json.dumps(kept).encode()

    taken.update(add)


def forget(hand_over: HandOver, taken: SharedValue) -> None:
    """Record that a hand-over was not taken after all, so that it can be sent again."""

    def remove(content: bytes | None) -> bytes:
        entries = load_or_none(content) or {}
        return json.dumps({nonce: at for nonce, at in entries.items() if nonce != hand_over.nonce}).encode()

    taken.update(remove)
