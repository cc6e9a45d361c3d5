"""The link of an alert to the page, `URL/a/TOKEN`, which is completed when the alert is sent.

The token is made from the key that encrypts sessions and from the alert, so that it is the same in every attempt, and
that nothing stored contains it: the text has a mark (`watcher.text.link_marks`), and the database the token's digest,
by which the page finds the alert. A message of several alerts has one link, that of its first alert.
"""

from base64 import urlsafe_b64encode
from dataclasses import fields, replace

from watcher.model.alert import AlertHead, AlertText
from watcher.privacy.web_tokens import digest_of
from watcher.store import SavedValues, Store
from watcher.text.link_marks import TOKEN_LENGTH, link_in, with_token


def with_link(text: AlertText, first: AlertHead, store: Store, values: SavedValues) -> tuple[AlertText, str]:
    """Return the text with a complete link, and the link; the text as it is and "" if it has none.

    Raises `StoreUnusable`.
    """
    link = link_in(text.body)
    if not link:
        return text, ""
    token = token_of(first, values)
    store.outbox.set_link(first.id, digest_of(token))
    complete = {field.name: with_token(getattr(text, field.name), token) for field in fields(text)}
    return replace(text, **complete), with_token(link, token)


def token_of(alert: AlertHead, values: SavedValues) -> str:
    """Return the token of the alert's link."""
    secret = values.secret_of(f"link of alert {alert.id} of {alert.created_at.isoformat()} to {alert.channel}")
    return urlsafe_b64encode(secret).decode()[:TOKEN_LENGTH]
