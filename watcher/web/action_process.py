"""An action in a process of its own, so that what it imports ends with it, and the page's process stays small.

The parent sends the configuration and the action, and receives its result. Both are this program, so they exchange
pickled values.
"""

import base64
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watcher.context.accepted_settings import packed, unpacked
from watcher.errors import StoreUnusable
from watcher.messages import _, current_language, speaking
from watcher.processes.channel import Channel
from watcher.processes.child import Child, channel_to_parent
from watcher.settings import Settings
from watcher.web.outcome import Outcome

_MODULE = "watcher.web.action_process"
_TIMEOUT = 150.0
"""Seconds that an action may take: it may wait for a check to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionProcess:
    """Performs actions on the database of a configuration."""

    settings: Settings

    def __call__(self, name: str, arguments: Mapping[str, Any]) -> Outcome:
        """Perform an action, and wait for its end. Raises `StoreUnusable`."""
        child = Child(_MODULE)
        try:
            child.channel.send(
                {
                    "settings": packed(self.settings),
                    "language": current_language(),
                    "name": name,
                    "arguments": _packed(dict(arguments)),
                }
            )
            answer = child.channel.receive(_TIMEOUT)
        except (EOFError, OSError):
            answer = None
        finally:
            child.channel.close()
            child.kill()
            child.wait()
        if answer is None:
            raise StoreUnusable(
                _("The action did not finish in time. Check whether it was carried out before you repeat it.")
            )
        outcome = pickle.loads(base64.b64decode(answer["outcome"]))  # noqa: S301 - from this program's own child
        if isinstance(outcome, StoreUnusable):
            raise outcome
        assert isinstance(outcome, Outcome)  # noqa: S101 - a child sends nothing else
        return outcome


def main() -> None:
    """Perform the action that the parent sends."""
    from watcher.monitoring import logs  # noqa: PLC0415 - in the child only

    logs.configure(level="warning", environ=os.environ)
    channel = channel_to_parent()
    asked = channel.receive()
    if asked is not None:
        settings = unpacked(asked["settings"])
        arguments = pickle.loads(base64.b64decode(asked["arguments"]))  # noqa: S301 - from this program's own page
        with speaking(asked["language"]):
            _answer(channel, _outcome(settings, asked["name"], arguments))


def _outcome(settings: Settings, name: str, arguments: Mapping[str, Any]) -> Outcome | StoreUnusable:
    from watcher.app import open_app  # noqa: PLC0415 - in the child only
    from watcher.web.performing import perform  # noqa: PLC0415 - in the child only

    try:
        with open_app(settings) as app:
            return perform(app, name, arguments)
    except StoreUnusable as error:
        return error


def _answer(channel: Channel, outcome: Outcome | StoreUnusable) -> None:
    channel.send({"outcome": _packed(outcome)})


def _packed(value: object) -> str:
    return base64.b64encode(pickle.dumps(value)).decode()
