"""The child process that sends messages through Apprise, and what it exchanges with the daemon.

It handles requests concurrently. It ends when the other end of its channel is closed, even if the daemon was killed.
"""

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from watcher.delivery.apprise_notifier import AppriseNotifier
from watcher.delivery.failure_texts import plug_in_failed_text
from watcher.delivery.memory_limit import limit_memory
from watcher.delivery.message_traits import Traits
from watcher.errors import DeliveryFailed
from watcher.messages import use_environment_language
from watcher.model.change import Severity
from watcher.processes.channel import Message
from watcher.processes.child import channel_to_parent

_MAX_WORKERS = 100
"""Concurrent messages in one child; more than anybody has channels."""

_STACK_BYTES = 1024 * 1024


def main() -> None:
    """Handle requests from the channel until its other end is closed, then end the process."""
    use_environment_language()  # the daemon's own
    threading.stack_size(_STACK_BYTES)
    limit_memory()
    logging.getLogger().addHandler(logging.NullHandler())
    channel, notifier = channel_to_parent(), AppriseNotifier(timeout=None)

    def work(request: Message) -> None:
        number = request["number"]
        reply = _reply_of(notifier, request, lambda target: channel.send({"number": number, "accepted": target}))
        channel.send({"number": number, **reply})

    workers = ThreadPoolExecutor(_MAX_WORKERS)
    try:
        while (request := channel.receive()) is not None:
            workers.submit(work, request)
    except (EOFError, OSError):
        os._exit(0)  # does not wait for plug-ins that hang


def _reply_of(notifier: AppriseNotifier, request: Message, report: Callable[[str], None]) -> dict[str, Any]:
    """Return the value of the method, or what the `DeliveryFailed` that it raised says."""
    try:
        return {"value": _call(notifier, request, report)}
    except DeliveryFailed as error:
        wait = error.retry_after
        return {
            "error": str(error),
            "permanent": error.permanent,
            "refused": error.refused,
            "gone": error.gone,
            "retry_after": None if wait is None else wait.total_seconds(),
        }
    except Exception as error:  # noqa: BLE001 - every request must get a reply
        return {"error": plug_in_failed_text(error)}


def _call(notifier: AppriseNotifier, request: Message, report: Callable[[str], None]) -> bool | None:
    url = SecretStr(request["url"])
    if request["method"] == "can_attach":
        return notifier.can_attach(url)
    notifier.send(
        url,
        **request["text"],
        attachments=[Path(file) for file in request["attachments"]],
        accepted_by=request["accepted_by"],
        traits=_traits(request["traits"]),
        report=report,
    )
    return None


def _traits(fields: dict[str, str | None]) -> Traits:
    severity, texts = fields.pop("severity"), {name: text or "" for name, text in fields.items()}
    return Traits(severity=Severity(severity) if severity else None, **texts)
