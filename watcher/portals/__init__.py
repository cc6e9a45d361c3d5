"""The portals. Each module or package here is one portal and defines it as `PORTAL`.

A new portal is one package and one folder of recorded answers under `tests/portals/recorded/`; no list has to be
extended. A portal returns snapshots and knows nothing of the database, the alerts, or the daemon. What it needs from
them is passed to it (`watcher.portal`).
"""

import importlib
import pkgutil
from functools import cache

from watcher.portal import Portal


@cache
def names() -> tuple[str, ...]:
    """Return the names of all portals, sorted, without importing any of them."""
    return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)))


@cache
def find(name: str) -> Portal:
    """Import the portal with this name and return it. Raises KeyError if there is none."""
    if name not in names():
        raise KeyError(name)
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    portal: Portal = module.PORTAL
    return portal
