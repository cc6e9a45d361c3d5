"""The portals. Each module or package here is one, and says so in its `PORTAL`.

A new portal is one package and one folder of recorded answers under `tests/portals/recorded/`; no list has to be
extended. A portal returns snapshots and does not know the database, the alerts or the daemon; what it needs from them
is passed in (`watcher.portal`).
"""

import importlib
import pkgutil
from functools import cache

from watcher.portal import Portal


@cache
def names() -> tuple[str, ...]:
    """The names of all portals, sorted, without importing one."""
    return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)))


@cache
def find(name: str) -> Portal:
    """The portal of this name, imported only now. Raises KeyError for a name that is none."""
    if name not in names():
        raise KeyError(name)
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    portal: Portal = module.PORTAL
    return portal
