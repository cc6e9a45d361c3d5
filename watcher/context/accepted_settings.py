"""The configuration that the daemon has accepted, as it passes from one of its processes to the next.

It is handed on as it was loaded, with its secrets and recipes, so that an edited file changes nothing before SIGHUP.
"""

import base64
import pickle

from watcher.context.opening import use_language_of
from watcher.privacy.redaction import register_secrets
from watcher.settings import Settings
from watcher.settings.derived import secrets_in


def packed(settings: Settings) -> str:
    """Return the configuration as text. It contains the secrets in the clear."""
    return base64.b64encode(pickle.dumps(settings)).decode()


def unpacked(text: str) -> Settings:
    """Return what `packed` made into text. From now on, redact its secrets from all logs, and speak its language."""
    settings: Settings = pickle.loads(base64.b64decode(text))  # noqa: S301 - from this program's own supervisor
    use_language_of(settings)
    register_secrets(secrets_in(settings))
    return settings
