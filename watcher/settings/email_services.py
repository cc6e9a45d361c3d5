"""Which channels are e-mail, by the schema of their Apprise URL."""

from typing import Final

from pydantic import SecretStr

_EMAIL_SCHEMAS: Final = frozenset(
    {
        "mailto", "mailtos", "azure", "brevo", "groundmail", "mailersend", "mailgun", "o365", "postmark", "resend",
        "sendgrid", "sendpulse", "ses", "smtp2go", "sparkpost",
    }
)  # fmt: skip


def is_email(url: SecretStr) -> bool:
    """Return whether the messages of a channel are e-mails."""
    return url.get_secret_value().strip().partition("://")[0].lower() in _EMAIL_SCHEMAS
