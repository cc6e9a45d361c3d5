"""The URL of a PostgreSQL database: its faults, the database's name in messages, and TLS to its server."""

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url

from watcher.messages import _
from watcher.text.loopback import is_loopback

_SCHEMES = ("postgres", "postgresql")
_DRIVER = "postgresql+psycopg"
_ESCAPED = "%(?!00)[0-9A-Fa-f]{2}"
_PART = rf"(?:[^@/?#:%\0]|{_ESCAPED})*"
_SHAPE = re.compile(
    rf"(?:{'|'.join(_SCHEMES)})(?:\+\w+)?://"
    rf"(?:{_PART}(?::{_PART})?@)?"
    r"(?:\[[^\[\]@/?#]*\]|[^\[\]@/?#:]*)"
    r"(?::(?P<port>[^@/?#]*))?"
    rf"(?:/{_PART})?"
    rf"(?:\?(?P<query>(?:[^@?#%\0]|{_ESCAPED})*))?",
    re.DOTALL,
)
_QUERY = re.compile(r"(?:\w+=[^&]*(?:&\w+=[^&]*)*)?", re.DOTALL)
_MAX_PORT = 65535
_OWN_ROOT = "~/.postgresql/root.crt"
"""The authorities that libpq trusts by default. Who made this file has chosen them."""
_BUNDLES = (
    # where Debian, Red Hat, SUSE, and Alpine keep the certificate authorities that the system trusts
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def is_server(url: str) -> bool:
    """Return whether the URL is for PostgreSQL, with any driver."""
    return url.partition("://")[0].partition("+")[0] in _SCHEMES


def fault_of(url: str) -> str | None:
    """Return what is wrong with the URL of a server, or None. Says no part of it, because any may be of a password."""
    shape = _SHAPE.fullmatch(url)
    if shape is None or _QUERY.fullmatch(shape["query"] or "") is None:
        return _(
            "it must look like postgresql://USER:PASSWORD@HOST/DATABASE; in user name, password, and "
            "database name write @ as {at}, / as {slash}, : as {colon}, ? as {question}, # as {hash}, and {sign} as "
            "{percent}",
            at="%40",
            slash="%2F",
            colon="%3A",
            question="%3F",
            hash="%23",
            sign="%",
            percent="%25",
        )
    port = shape["port"]
    if port is not None and not (re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) <= _MAX_PORT):
        return _("the port after the host must be a number from 1 to {most}", most=_MAX_PORT)
    return None


def with_driver(url: URL) -> URL:
    """Return the URL with psycopg 3 as its driver if it names none."""
    return url.set(drivername=_DRIVER) if url.drivername in _SCHEMES else url


def display_name_of(url: URL) -> str:
    """Return the database's name for messages: without user, password, or query, which may hold a password too."""
    host = url.host or url.query.get("host")
    named = host if isinstance(host, str) and not host.startswith(("/", "@")) else None
    return f"{url.database or url.username or 'postgres'} at {named or 'this machine'}"


def password_of(url: URL) -> str | None:
    """Return the password in the URL, which may be in its query; None if there is none."""
    given = url.password or url.query.get("password")
    return given[-1] if isinstance(given, tuple) else given


def tls_arguments(url: URL, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return libpq's arguments for TLS that the URL and libpq's environment variables leave open.

    A server on another machine must show a certificate for its name, from an authority that this system trusts: libpq's
    own default, `prefer`, would also send the password to a server without TLS or with any certificate. See
    https://www.postgresql.org/docs/15/libpq-ssl.html.
    """
    chosen = url.query.get("sslmode") or environ.get("PGSSLMODE")
    by_service = "service" in url.query or "PGSERVICE" in environ
    if chosen is None and (by_service or all(map(is_local, _hosts(url, environ)))):
        return {}
    arguments = {} if chosen else {"sslmode": "verify-full"}
    has_root = "sslrootcert" in url.query or "PGSSLROOTCERT" in environ or by_service
    if (chosen or "verify-full") == "verify-full" and not has_root and not _is_file(_OWN_ROOT):
        arguments["sslrootcert"] = _trusted_by_system()
    return arguments


def weak_tls(url: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the sslmode that the user chose for a server on another machine, if it is weaker than `verify-full`."""
    parsed = make_url(url)
    chosen = parsed.query.get("sslmode") or environ.get("PGSSLMODE")
    if not isinstance(chosen, str) or chosen == "verify-full" or all(map(is_local, _hosts(parsed, environ))):
        return None
    return chosen


def is_local(host: str) -> bool:
    """Return whether a host is this machine: loopback, or the folder (or abstract name) of a Unix socket."""
    return host.startswith(("/", "@")) or is_loopback(f"//[{host}]" if ":" in host else f"//{host}")


def _hosts(url: URL, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the hosts that libpq connects to; none stands for a Unix socket."""
    places = url.query.get("hostaddr") or environ.get("PGHOSTADDR") or url.host or url.query.get("host")
    for place in (places or environ.get("PGHOST") or "",) if not isinstance(places, tuple) else places:
        for host in place.split(","):
            name, _, port = host.rpartition(":")
            if host:
                yield name if port.isdigit() and ":" not in name else host


def _trusted_by_system() -> str:
    """Return the file of the authorities that this system trusts.

    Not libpq's `system` where there is such a file: the OpenSSL that psycopg brings along looks for it where no system
    has it.
    """
    files = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    return next((file for file in files if file and _is_file(file)), "system")


def _is_file(path: str) -> bool:
    try:
        return Path(path).expanduser().is_file()
    except (OSError, RuntimeError):  # it may not be looked at, or the user has no home
        return False
