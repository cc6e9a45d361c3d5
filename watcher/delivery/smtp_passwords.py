"""Sign-in at mail servers with names and passwords beyond ASCII, which `smtplib` refuses.

They are sent in UTF-8, as RFC 4616 requires for PLAIN; the other mechanisms take bytes.
"""

import smtplib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class _Utf8(str):
    """Text whose `encode` always gives UTF-8: `smtplib` asks for ASCII."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return the text in UTF-8, whatever the encoding asked for."""
        del encoding
        return super().encode("utf-8", errors)


class _Utf8SignIn(smtplib.SMTP):
    """The sign-in of `smtplib`, in UTF-8."""

    def login(self, user: str, password: str, *, initial_response_ok: bool = True) -> tuple[int, bytes]:
        """Sign in as `smtplib.SMTP.login` does."""
        return super().login(_Utf8(user), _Utf8(password), initial_response_ok=initial_response_ok)

    def auth(
        self, mechanism: str, authobject: Callable[..., str | None], *, initial_response_ok: bool = True
    ) -> tuple[int, bytes]:
        """Authenticate as `smtplib.SMTP.auth` does."""

        def answer(*challenge: Any) -> str | None:
            text = authobject(*challenge)
            return None if text is None else _Utf8(text)

        return super().auth(mechanism, answer, initial_response_ok=initial_response_ok)  # type: ignore[arg-type]


class _Utf8SignInOverTls(_Utf8SignIn, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


SMTPLIB: Any = SimpleNamespace(**(vars(smtplib) | {"SMTP": _Utf8SignIn, "SMTP_SSL": _Utf8SignInOverTls}))
"""The module `smtplib`, with sign-ins in UTF-8. For Apprise's plug-in of mail servers."""
