"""Registers what a session sends and receives, so that logs, traces, and stored answers blank it."""

from collections.abc import Iterable, Mapping

from watcher.model.cookie import Cookie
from watcher.privacy.redaction import register_session_value
from watcher.privacy.sensitive_keys import is_secret_key

_MIN_LENGTH = 6


def register_cookies(cookies: Iterable[Cookie]) -> None:
    """Register the values of a session's cookies. Those of fewer than eight characters may be words, and are left."""
    for cookie in cookies:
        register_session_value(cookie.value)


def register_received(set_cookie: Iterable[str]) -> None:
    """Register the values in a response's headers `Set-Cookie`, also those that no jar keeps."""
    for header in set_cookie:
        register_session_value(header.partition(";")[0].partition("=")[2].strip())


def register_sent(sent: object) -> None:
    """Register what headers, a form, or a JSON body hold under a secret name: a password, a token, a one-time code."""
    if not isinstance(sent, Mapping):
        return
    for name, value in sent.items():
        if isinstance(value, str) and is_secret_key(str(name)):
            secret = value.rpartition(" ")[2] if str(name).lower() == "authorization" else value
            register_session_value(secret, min_length=_MIN_LENGTH)
        else:
            register_sent(value)
