"""Which login an account is: the user of one portal at one address, whatever the section in the file is called."""

import hashlib
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"https": 443, "http": 80}


def login_id(portal: str, address: str, *user: str) -> str:
    """Return a text that is the same for the same login, and reveals no user name.

    Letter case, spaces around a user name, and a default port make no difference.
    """
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.hostname}:{parts.port or _DEFAULT_PORTS.get(parts.scheme)}"
    names = (" ".join(name.split()).casefold() for name in user)
    return "login " + hashlib.sha256("\n".join((portal, origin, *names)).encode()).hexdigest()[:32]
