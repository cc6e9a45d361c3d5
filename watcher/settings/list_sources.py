"""Where a published list is read from: a file that the user keeps, or an address that the user names."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from watcher.messages import _, mark
from watcher.settings.addresses import web_address

_KEEP_FILE = mark("Copy what applies to you into a file and name the file")
_OPEN_DATA = mark("Name an open data set of the visa bulletin, or a file that you keep")
_REFUSING = {
    "state.gov": _OPEN_DATA,  # the same files on another host of the department are no way round
    "egov.uscis.gov": _KEEP_FILE,
    "ireland.ie": _KEEP_FILE,
    "immi.homeaffairs.gov.au": _KEEP_FILE,
    "udi.no": _KEEP_FILE,
}
"""Hosts that refuse programs, with the hosts below them, and what to do instead."""


def list_source(value: object) -> object:
    """Return the address of a list, checked, or its path as it is. Raises ValueError for a host that refuses programs.

    The loader resolves relative paths.
    """
    if not isinstance(value, str | Path):
        raise ValueError(_('must be a file or an https address in text, such as "inquiry-dates.csv"'))
    if isinstance(value, Path) or not is_address(value):
        return Path(value)
    address = web_address(value)
    host = (urlsplit(address).hostname or "").rstrip(".")
    for refusing, instead in _REFUSING.items():
        if host == refusing or host.endswith(f".{refusing}"):
            raise ValueError(_("{host} does not answer programs. {instead}", host=host, instead=_(instead)))
    return address


def is_address(text: str) -> bool:
    """Return whether a text is an address and not a path."""
    return "://" in text


ListSource = Annotated[Path | str, BeforeValidator(list_source)]
